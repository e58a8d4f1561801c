import JSONLines
import NIOCore
import RTCBase
import RTCCore
import WebRTC

/// Carries out Node's requests on the public API and tells Node what happens, as PROTOCOL.md says.
///
/// The bridge and all connections share an event loop: what happens is heard in the order in which it happened, and a call that need not
/// wait is carried out before the next request is looked at.
actor Bridge {
    private nonisolated let executor: any SerialExecutor
    nonisolated let eventLoop: any EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    /// Where listeners wait: on the event loop as well, so that they hear things in the order in which they happened.
    nonisolated let listening: EventLoopTaskExecutor

    private let output = StandardOutput()
    private var numberOfObjects = 0
    var connections: [String: ConnectionObject] = [:]
    var channels: [String: ChannelObject] = [:]
    var certificates: [String: RTCCertificate] = [:]
    var media = MediaObjects()
    var image = AttributeImage()
    /// What happened and is not told yet, each with the number that its place in time has.
    var happenings: [(number: Int, happening: Happening)] = []
    private var numberOfHappenings = 0
    private var isTellingScheduled = false
    /// Calls that have returned and whose replies wait for their place among the events.
    private var numberOfSettling = 0
    /// Channels whose `bufferedAmount` may sink any time.
    private var draining: [String: ChannelObject] = [:]
    private var isWatchingDrain = false

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.executor = eventLoop.executor
        self.listening = EventLoopTaskExecutor(eventLoop: eventLoop)
    }

    /// Carries out requests until they end.
    func serve(_ requests: AsyncStream<JSONValue>) async {
        for await request in requests { await self.handle(request) }
        self.output.flush()
    }

    func makeID(_ prefix: String) -> String {
        self.numberOfObjects += 1
        return "\(prefix)\(self.numberOfObjects)"
    }

    // MARK: Requests

    private func handle(_ request: JSONValue) async {
        guard let id = request["id"]?.int else { return }
        let isPromise = request["method"]?.string.map(Self.promiseMethods.contains) ?? false
        if request["method"]?.string == "generateCertificate" || isPromise {
            self.answerLater(id, request)
            // What a call that is done brought about is told before the next call adds to it.
            while self.numberOfSettling > 0 { await Task.yield() }
        } else {
            let result = await self.result { try await self.answer(request) }
            self.write(reply: id, result, overtakes: true)
        }
    }

    private func result(_ body: () async throws -> JSONValue) async -> Result<JSONValue, Failure> {
        do {
            return .success(try await body())
        } catch let error as RTCError {
            return .failure(Failure(error))
        } catch let failure as Failure {
            return .failure(failure)
        } catch {
            return .failure(Failure("BackendError", "\(error)"))
        }
    }

    /// Starts a method at once, so that methods begin in the order of the requests, and answers when it ends.
    private func answerLater(_ id: Int, _ request: JSONValue) {
        let begin = self.numberOfHappenings
        let object = request["obj"]?.string.flatMap { id in
            self.connections[id] ?? (self.media.senders[id] ?? self.media.receivers[id])?.owner
        }
        Task.immediate {
            let result = await self.result { try await self.callPromise(object, request) }
            let moment = object.map { Moment($0.connection) }
            self.numberOfSettling += 1
            // The listeners have not heard yet what happened during the call: they come first.
            await self.letListenersHear()
            self.numberOfSettling -= 1
            self.insert(reply: .reply(id: id, result, object, moment), of: object, begunAt: begin, moment)
        }
    }

    /// Lets everything run that is due on the event loop. A listener hears each event in a few steps, each of which comes after what was due
    /// before; it has heard all when it hears no more, or when it hears without end.
    private func letListenersHear() async {
        var heard = -1
        for _ in 0..<32 where heard != self.numberOfHappenings {
            heard = self.numberOfHappenings
            for _ in 0..<8 { await Task.yield() }
        }
    }

    /// A promise settles after the signaling state has changed and before anything that follows from it (webrtc-pc section 4.4.1.5).
    private func insert(
        reply: Happening,
        of object: ConnectionObject?,
        begunAt begin: Int,
        _ moment: Moment?
    ) {
        // Descriptions are seen as the call left them, not with candidates that came while its listeners were waited for.
        for index in self.happenings.indices where self.happenings[index].number > begin {
            guard case .connection(let owner, let event, _) = self.happenings[index].happening, owner === object,
                case .signalingStateChange = event, let moment
            else { continue }
            self.happenings[index].happening = .connection(owner, event, moment)
        }
        let last = self.happenings.lastIndex { number, happening in
            if number <= begin { return true }
            guard case .connection(let owner, let event, _) = happening else { return false }
            return owner === object && event.belongsToDescription
        }
        let index = last.map { $0 + 1 } ?? 0
        self.numberOfHappenings += 1
        self.happenings.insert((self.numberOfHappenings, reply), at: index)
        self.scheduleTelling()
    }

    // MARK: Listening

    func hear(_ happening: Happening) {
        self.numberOfHappenings += 1
        self.happenings.append((self.numberOfHappenings, happening))
        self.scheduleTelling()
    }

    /// Tells when all that happened in this turn of the event loop was heard.
    private func scheduleTelling() {
        guard !self.isTellingScheduled else { return }
        self.isTellingScheduled = true
        Task {
            await self.letListenersHear()
            self.isTellingScheduled = false
            // A reply finds its place among the events first; it schedules the telling anew.
            if self.numberOfSettling == 0 { self.tell() }
        }
    }

    func listen(to object: ConnectionObject) {
        let id = object.id
        Task(executorPreference: self.listening) { await self.hearConnection(id) }
    }

    private func hearConnection(_ id: String) async {
        guard let object = self.connections[id] else { return }
        for await event in object.connection.events {
            let moment = Moment(object.connection)
            if case .dataChannel(let channel) = event {
                self.hear(.incomingChannel(object, channel, channel.readyState, moment))
            } else {
                self.hear(.connection(object, event, moment))
            }
        }
    }

    func listen(to object: ChannelObject) {
        let id = object.id
        Task(executorPreference: self.listening) { await self.hearChannel(id) }
    }

    private func hearChannel(_ id: String) async {
        guard let object = self.channels[id] else { return }
        let messages = Task(executorPreference: self.listening) { await self.hearMessages(id) }
        for await event in object.channel.events {
            // Whatever arrived before the end is told before the end.
            if case .close = event { await messages.value }
            self.hear(.channel(object, event))
        }
    }

    private func hearMessages(_ id: String) async {
        guard let object = self.channels[id] else { return }
        do {
            for try await message in object.channel.messages { self.hear(.message(object, message)) }
        } catch {
            // The channel's own events tell of its error.
        }
    }

    // MARK: Writing

    func write(reply id: Int, _ result: Result<JSONValue, Failure>, overtakes: Bool = false) {
        var message: [String: JSONValue] = ["id": JSONValue(id)]
        switch result {
        case .success(let value): message["ok"] = value
        case .failure(let failure): message["err"] = failure.json
        }
        self.write(message, overtakes: overtakes)
    }

    func write(event: String, of object: String, _ data: JSONValue = nil) {
        var message: [String: JSONValue] = ["ev": .string(event), "obj": .string(object)]
        if data != nil { message["data"] = data }
        self.write(message)
    }

    /// - Parameter overtakes: Whether Node takes the message before those on their way; it says nothing of what was sent meanwhile then,
    ///   because within one task of JavaScript nothing is (webrtc-pc section 6.2, `bufferedAmount`).
    private func write(_ message: [String: JSONValue], overtakes: Bool = false) {
        if !overtakes { self.noteDrained() }
        var message = message
        if let patch = self.image.takePatch() { message["patch"] = patch }
        guard !message.isEmpty else { return }
        self.output.write(.object(message))
    }

    // MARK: What was sent

    /// Node added to its own view of the amount; from now on it is told how it sinks.
    func watchDrain(of object: ChannelObject) {
        self.image.forget("bufferedAmount", of: object.id)
        self.draining[object.id] = object
        guard !self.isWatchingDrain else { return }
        self.isWatchingDrain = true
        Task {
            while !self.draining.isEmpty {
                try? await Task.sleep(for: .milliseconds(5))
                self.write([:])
            }
            self.isWatchingDrain = false
        }
    }

    private func noteDrained() {
        for object in self.draining.values {
            let amount = object.channel.bufferedAmount
            self.image.set("bufferedAmount", JSONValue(amount), of: object.id)
            if amount == 0 || object.channel.readyState == .closed { self.draining[object.id] = nil }
        }
    }
}
