import NIOCore
import NIOPosix
import RTCSignaling
import Synchronization

/// Drives a ``SocketIOClientSession`` over real requests and WebSockets.
final class SocketIOClientDriver: Sendable {
    typealias SocketID = SocketIOClientSession.SocketID
    typealias SocketInbox = Inbox<SocketIOClientSession.SocketOutput>
    typealias Waiter<Value> = CheckedContinuation<Result<Value, SocketIOClientError>, Never>
    typealias Change = @Sendable (inout State) throws(SocketIOClientError) -> Void

    /// Somebody who has something to send when there is room.
    struct Sender {
        var id: UInt64
        var change: Change
        var waiter: Waiter<Void>
    }

    /// An acknowledgement that somebody wants, or will want at once.
    enum Answer {
        case expected
        case awaited(Waiter<[SocketIOValue]>)
        case there(Result<[SocketIOValue], SocketIOClientError>)
    }

    struct State {
        var session: SocketIOClientSession
        var link: (number: Int, link: EngineIOLink)?
        var carrier: SocketIOClient.Carrier?
        var inboxes: [SocketID: SocketInbox] = [:]
        var openers: [SocketID: Waiter<SocketID>] = [:]
        /// The namespaces whose readers have more waiting than they should.
        var full: Set<SocketID> = []
        var answers: [UInt64: Answer] = [:]
        var senders = CircularBuffer<Sender>()
        var nextSender: UInt64 = 0
        /// Until when senders wait, if not for ever.
        var senderDeadlines = DeadlineQueue<UInt64>()
        var closers: [CheckedContinuation<Int, Never>] = []
        /// What closers are told; nil before the end was told.
        var unconfirmed: Int?
        var timer: (deadline: NIODeadline, task: Scheduled<Void>)?
        var isPumping = false
    }

    /// How the client is connected, for one reader.
    let states: AsyncStream<SocketIOClient.State>

    private let url: SignalingURL
    private let http: HTTPClientSettings
    private let configuration: SocketIOClientConfiguration
    private let eventLoop: any EventLoop
    private let statesContinuation: AsyncStream<SocketIOClient.State>.Continuation
    let state: Mutex<State>

    init(
        _ url: SignalingURL,
        _ http: HTTPClientSettings,
        _ configuration: SocketIOClientConfiguration,
        eventLoop: any EventLoop
    ) {
        self.url = url
        self.http = http
        self.configuration = configuration
        self.eventLoop = eventLoop
        (self.states, self.statesContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16))
        self.state = Mutex(State(session: SocketIOClientSession(query: url.query, configuration: configuration)))
    }

    var carrier: SocketIOClient.Carrier? { self.state.withLock { $0.carrier } }

    // MARK: Namespaces

    /// Opens a namespace, and waits until this side has it.
    func open(
        _ namespace: String,
        query: String
    ) async throws(SocketIOClientError) -> (id: SocketID, inbox: SocketInbox) {
        let inbox = SocketInbox()
        let opening = Mutex<(id: SocketID?, isCancelled: Bool)>((nil, false))
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter<SocketID>) in
                self.change { state in
                    do throws(SocketIOClientError) {
                        let id = try state.session.openSocket(namespace, query: query, now: .now())
                        state.inboxes[id] = inbox
                        state.openers[id] = waiter
                        let isCancelled = opening.withLock { opening in
                            opening.id = id
                            return opening.isCancelled
                        }
                        if isCancelled { state.session.disconnect(id, now: .now()) }
                    } catch {
                        waiter.resume(returning: .failure(error))
                    }
                }
            }
        } onCancel: {
            let id = opening.withLock { opening in
                opening.isCancelled = true
                return opening.id
            }
            if let id { self.disconnect(id) }
        }
        do throws(SocketIOClientError) {
            return (try result.get(), inbox)
        } catch {
            throw Task.isCancelled && error == .closed ? .cancelled : error
        }
    }

    func disconnect(_ id: SocketID) { self.change { $0.session.disconnect(id, now: .now()) } }

    /// The next that happens to a namespace.
    func next(
        _ id: SocketID,
        _ inbox: SocketInbox
    ) async throws(SocketIOClientError) -> SocketIOClientSession.SocketOutput? {
        do throws(SignalingChannelError) {
            return try await inbox.next {
                self.change { state in
                    guard state.full.remove(id) != nil, state.full.isEmpty else { return }
                    state.session.setReading(true, now: .now())
                    state.link?.link.setReading(true)
                }
            }
        } catch {
            throw SocketIOClientError(error)
        }
    }

    // MARK: The end

    /// Closes the client; gives how many events and acknowledgements may not have arrived.
    func close() async -> Int {
        await withCheckedContinuation { (waiter: CheckedContinuation<Int, Never>) in
            self.change { state in
                if let unconfirmed = state.unconfirmed { return waiter.resume(returning: unconfirmed) }
                // A session that is over by now has not been heard to the end: that resumes the waiter, too.
                state.closers.append(waiter)
                state.session.close(now: .now())
            }
        }
    }

    // MARK: Driving

    /// Changes something, and does what comes of it.
    func change<Value, Failure: Error>(
        _ change: (inout State) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let (result, mustPump) = self.state.withLock { state -> (Result<Value, Failure>, Bool) in
            let result: Result<Value, Failure>
            do throws(Failure) {
                result = .success(try change(&state))
            } catch {
                result = .failure(error)
            }
            defer { state.isPumping = true }
            return (result, !state.isPumping)
        }
        if mustPump { self.pump() }
        return try result.get()
    }

    private func pump() {
        while true {
            let output = self.state.withLock { state -> SocketIOClientSession.Output? in
                if let output = state.session.poll() { return output }
                Self.admitSenders(&state)
                if let output = state.session.poll() { return output }
                self.schedule(&state)
                state.isPumping = false
                return nil
            }
            guard let output else { return }
            self.perform(output)
        }
    }

    private func schedule(_ state: inout State) {
        guard let deadline = [state.session.nextTimeout, state.senderDeadlines.next].compactMap({ $0 }).min() else {
            state.timer?.task.cancel()
            state.timer = nil
            return
        }
        // One that comes too early only looks again.
        if let timer = state.timer, timer.deadline <= deadline { return }
        state.timer?.task.cancel()
        let task = self.eventLoop.scheduleTask(deadline: deadline) { [weak self] () -> Void in
            self?.change { state in
                state.timer = nil
                state.session.handleTimeout(now: .now())
                Self.dismissSenders(&state, now: .now())
            }
        }
        state.timer = (deadline, task)
    }

    private func perform(_ output: SocketIOClientSession.Output) {
        switch output {
        case .perform(let number, let action): self.perform(action, number)
        case .end(let number):
            let link = self.state.withLock { state -> EngineIOLink? in
                state.carrier = nil
                guard let link = state.link, link.number == number else { return nil }
                state.link = nil
                return link.link
            }
            link?.end()
        case .socket(let id, let output): self.report(output, id)
        case .acknowledged(let number, let answer):
            let waiter = self.state.withLock { state -> Waiter<[SocketIOValue]>? in
                if case .awaited(let waiter)? = state.answers.removeValue(forKey: number) { return waiter }
                state.answers[number] = .there(answer)
                return nil
            }
            waiter?.resume(returning: answer)
        case .state(let new): self.report(new)
        }
    }

    private func perform(_ action: EngineIOClientSession.Action, _ number: Int) {
        let existing = self.state.withLock { $0.link }
        if let existing, existing.number == number { return existing.link.perform(action) }
        do throws(SignalingChannelError) {
            let isReading = self.state.withLock { $0.full.isEmpty }
            let link = try EngineIOLink(
                self.url,
                self.http,
                self.configuration,
                isReading: isReading,
                eventLoop: self.eventLoop
            ) { [weak self] report in
                self?.change { $0.session.receive(report, from: number, now: .now()) }
            }
            self.state.withLock { state in
                link.setReading(state.full.isEmpty)
                state.link = (number, link)
            }
            link.perform(action)
        } catch {
            let report = action.failure(error)
            self.change { $0.session.receive(report, from: number, now: .now()) }
        }
    }

    private func report(_ output: SocketIOClientSession.SocketOutput, _ id: SocketID) {
        let inbox = self.state.withLock { $0.inboxes[id] }
        guard let inbox else { return }
        if !inbox.add(output) {
            self.state.withLock { state in
                guard inbox.isPaused, state.full.insert(id).inserted, state.full.count == 1 else { return }
                state.session.setReading(false, now: .now())
                state.link?.link.setReading(false)
            }
        }
        switch output {
        case .connected: self.takeOpener(id)?.resume(returning: .success(id))
        case .over(let error, _):
            inbox.finish(nil)
            self.state.withLock { state in
                state.inboxes[id] = nil
                guard state.full.remove(id) != nil, state.full.isEmpty else { return }
                state.session.setReading(true, now: .now())
                state.link?.link.setReading(true)
            }
            self.takeOpener(id)?.resume(returning: .failure(error ?? .closed))
        case .event, .error, .interrupted: break
        }
    }

    private func takeOpener(_ id: SocketID) -> Waiter<SocketID>? {
        self.state.withLock { $0.openers.removeValue(forKey: id) }
    }

    private func report(_ new: SocketIOClientSession.State) {
        switch new {
        case .connected(let usesWebSocket):
            let carrier = usesWebSocket ? SocketIOClient.Carrier.webSocket : .polling
            self.state.withLock { $0.carrier = carrier }
            self.statesContinuation.yield(.connected(carrier))
        case .waiting(let error, let attempt, let delay):
            self.statesContinuation.yield(.waiting(error, attempt: attempt, delay: delay))
        case .over(let error, let unconfirmed):
            self.statesContinuation.yield(.over(error, unconfirmed: unconfirmed))
            self.statesContinuation.finish()
            let closers = self.state.withLock { state in
                state.unconfirmed = unconfirmed
                defer { state.closers = [] }
                return state.closers
            }
            for closer in closers { closer.resume(returning: unconfirmed) }
        }
    }
}

extension EngineIOClientSession.Action {
    /// What is to be said of it if it cannot be done.
    fileprivate func failure(_ error: SignalingChannelError) -> EngineIOClientSession.Report {
        switch self {
        case .get: .failed(.get, error)
        case .post: .failed(.post, error)
        case .openWebSocket, .transmit, .closeWebSocket: .webSocketEnded(error)
        }
    }
}
