package import NIOCore
package import RTCBase

/// A client of Socket.IO 2 (protocol 4 over Engine.IO 3) over sessions that come and go, doing no input or output: namespaces, events
/// and acknowledgements both ways, bytes, coming back after a loss.
///
/// The owner performs what ``poll()`` gives for a session's number and reports what comes of it under that number. It begins when the
/// first namespace is opened, and is over when it was closed, when the last namespace is over, or when it gives up.
package struct SocketIOClientSession: Sendable {
    /// Names a namespace that was opened.
    package struct SocketID: Sendable, Hashable, Comparable {
        let number: Int
        package static func < (one: SocketID, other: SocketID) -> Bool { one.number < other.number }
    }

    /// An event that came.
    package struct Incoming: Sendable, Hashable {
        package var name: String
        package var arguments: [SocketIOValue]
        /// What an acknowledgement has to name; nil if none is wanted.
        package var acknowledgement: UInt64?
        /// The session that it came by, in which alone it can be acknowledged.
        package var session: Int
    }

    /// What happens to a namespace.
    package enum SocketOutput: Sendable, Hashable {
        /// This side has it, for the first time or again.
        case connected
        case event(Incoming)
        /// The server says that something is wrong.
        case error(SocketIOValue)
        /// The session is lost; so many events and acknowledgements were sent and may not have arrived.
        case interrupted(SocketIOClientError, unconfirmed: Int)
        /// It is over; so many events wait that are not sent. Nothing comes after this.
        case over(SocketIOClientError?, unsent: Int)
    }

    /// How the client is connected.
    package enum State: Sendable, Hashable {
        case connected(usesWebSocket: Bool)
        case waiting(SocketIOClientError, attempt: Int, delay: TimeAmount)
        /// So many events and acknowledgements were to be sent and may not have arrived. Nothing comes after this.
        case over(SocketIOClientError?, unconfirmed: Int)
    }

    /// What ``poll()`` gives.
    package enum Output: Sendable, Hashable {
        /// Do something for the session of that number.
        case perform(Int, EngineIOClientSession.Action)
        /// Nothing of that session is wanted any more: end what goes on of it.
        case end(Int)
        case socket(SocketID, SocketOutput)
        /// An event was acknowledged, or will not be.
        case acknowledged(UInt64, Result<[SocketIOValue], SocketIOClientError>)
        case state(State)
    }

    enum Phase: Sendable, Hashable {
        case idle
        case opening
        case open
        /// Without a session until the next attempt.
        case waiting
        case closing
        case over
    }

    /// Limits and times.
    package let configuration: SocketIOClientConfiguration
    /// What came and means nothing here: for namespaces that this side has not, acknowledgements of nothing.
    package internal(set) var ignoredPackets = 0

    var phase = Phase.idle
    var engine: EngineIOClientSession?
    /// The session's number.
    var number = 0
    var reader: SocketIOPacketReader
    /// Whether the session ended for a packet that came.
    var hasFailed = false
    /// The bytes of the packet that is put together.
    var packetBytes = 0
    var sockets: [SocketID: ClientSocket] = [:]
    var namespaces: [String: SocketID] = [:]
    /// Events of all sockets that wait for a transport.
    var queuedEvents = 0
    var queuedBytes = 0
    /// Events that were let go of when this side closed.
    var unsent = 0
    var nextOrder: UInt64 = 0
    var owed: [UInt64: OwedAcknowledgement] = [:]
    var owedDeadlines = DeadlineQueue<UInt64>()
    var nextAcknowledgement: UInt64 = 0
    var nextSocket = 0
    var backOff: BackOff
    var openedAt: NIODeadline?
    var nextAttempt: NIODeadline?
    var giveUp: NIODeadline?
    /// Why the last session was lost, or none could be had.
    var lastError = SocketIOClientError.timedOut
    var isReading = true
    /// Whether the server gave `/` to this side, as it does when a session begins, and whether this side has left it.
    var hasRoot = false
    var hasLeftRoot = false
    /// The namespaces that this side left in the session: until the server gives them again, what comes is of before.
    var left: Set<String> = []
    var random: RandomSource
    var outputs = CircularBuffer<Output>()
    private let query: String?
    /// How long there may be no answer for `/`: servers in JavaScript give it again without a word.
    private static let consentTime = TimeAmount.seconds(1)

    /// A client that opens its first session with its first namespace.
    ///
    /// - Parameter query: What the query of every request has, too; nil for nothing.
    package init(query: String?, configuration: SocketIOClientConfiguration, random: RandomSource = .system) {
        self.query = query
        self.configuration = configuration
        self.reader = SocketIOPacketReader(limits: configuration.packetLimits)
        self.random = random
        self.backOff = BackOff(first: configuration.firstDelay, longest: configuration.longestDelay, random: random)
    }

    /// Whether it is over.
    package var isOver: Bool { self.phase == .over }
    /// Whether there is a session.
    package var isConnected: Bool { self.phase == .open }

    // MARK: The four verbs

    /// Takes what became of something that a session wanted.
    package mutating func receive(_ report: EngineIOClientSession.Report, from number: Int, now: NIODeadline) {
        guard number == self.number else { return }
        self.engine?.receive(report, now: now)
        self.process(now)
    }

    /// Does what is due.
    package mutating func handleTimeout(now: NIODeadline) {
        self.engine?.handleTimeout(now: now)
        self.process(now)
        while let id = self.owedDeadlines.popDue(now: now) { self.settle(id, .failure(.timedOut)) }
        for (id, socket) in self.sockets.sorted(by: { $0.key < $1.key }) {
            if let consent = socket.consent, now >= consent {
                self.connected(id)
                continue
            }
            guard let deadline = socket.deadline, now >= deadline else { continue }
            if socket.wasConnected {
                // What the server gave once it will give again, by another session if not by this.
                self.engine?.fail(.connectionFailed(reason: "no answer for \(socket.namespace) in time"))
            } else {
                self.leave(id, .timedOut, now)
            }
        }
        if self.phase == .waiting, let giveUp = self.giveUp, now >= giveUp {
            self.end(self.lastError, unconfirmed: 0)
        }
        if self.isReading, let due = self.nextAttempt, now >= due { self.open(now) }
        self.process(now)
    }

    /// What is to be done next; nil when there is nothing.
    package mutating func poll() -> Output? { self.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due; nil when nothing is pending.
    package var nextTimeout: NIODeadline? {
        let attempt = self.isReading ? self.nextAttempt : nil
        let sockets = self.sockets.values.compactMap { [$0.deadline, $0.consent].earliest }.min()
        let giveUp = self.phase == .waiting ? self.giveUp : nil
        return [self.engine?.nextTimeout, self.owedDeadlines.next, attempt, sockets, giveUp].earliest
    }

    // MARK: Reading

    /// Tells whether what comes is wanted; while it is not, nothing more is asked for, and a lost session stays lost.
    package mutating func setReading(_ isReading: Bool, now: NIODeadline) {
        self.isReading = isReading
        self.engine?.setReading(isReading, now: now)
        if isReading, let due = self.nextAttempt, now >= due { self.open(now) }
        self.process(now)
    }

    // MARK: Sessions

    mutating func open(_ now: NIODeadline) {
        self.number += 1
        self.phase = .opening
        self.nextAttempt = nil
        (self.hasRoot, self.hasLeftRoot) = (false, false)
        self.left = []
        self.reader = SocketIOPacketReader(limits: self.configuration.packetLimits)
        self.packetBytes = 0
        self.hasFailed = false
        self.engine = EngineIOClientSession(
            query: self.query,
            configuration: self.configuration,
            now: now,
            random: &self.random
        )
        self.engine?.setReading(self.isReading, now: now)
    }

    /// Hands the session what waits, and takes what it has to say.
    mutating func process(_ now: NIODeadline) {
        self.feed()
        while let output = self.engine?.poll() {
            switch output {
            case .perform(let action): self.outputs.append(.perform(self.number, action))
            case .opened: self.opened(now)
            case .message(let message): self.receive(message, now)
            case .upgraded: self.outputs.append(.state(.connected(usesWebSocket: true)))
            case .closed(let error): self.closed(error, now)
            }
            self.feed()
        }
    }

    private mutating func opened(_ now: NIODeadline) {
        self.phase = .open
        self.openedAt = now
        self.giveUp = nil
        self.outputs.append(.state(.connected(usesWebSocket: self.engine?.usesWebSocket == true)))
        for (id, socket) in self.sockets.sorted(by: { $0.key < $1.key }) { self.ask(for: socket, id, now) }
    }

    /// Wants to have a namespace; everybody has `/` without asking.
    mutating func ask(for socket: ClientSocket, _ id: SocketID, _ now: NIODeadline) {
        self.sockets[id]?.deadline = now + self.configuration.openTimeout
        guard socket.namespace != "/" || self.hasLeftRoot else { return }
        if socket.namespace == "/" { self.sockets[id]?.consent = now + Self.consentTime }
        let packet = SocketIOPacket(.connect, namespace: socket.namespace, query: socket.query)
        self.engine?.send(packet.messages, isCounted: false)
    }

    private mutating func closed(_ error: SocketIOClientError?, _ now: NIODeadline) {
        let unconfirmed = self.engine.map { Int($0.sent - $0.confirmed) } ?? 0
        self.engine = nil
        self.outputs.append(.end(self.number))
        let isFirst = self.openedAt == nil
        guard self.phase != .closing, let error else { return self.end(nil, unconfirmed: unconfirmed) }
        let isPermanent = self.phase == .opening ? error.isPermanent : error.isAboutRevision
        guard !isFirst, !isPermanent, self.configuration.reconnectTimeout != .zero else {
            return self.end(error, unconfirmed: unconfirmed)
        }
        if self.phase == .open {
            if let opened = self.openedAt, now >= opened + self.configuration.longestDelay { self.backOff.reset() }
            self.giveUp = self.configuration.reconnectTimeout.map { now + $0 }
            self.interrupt(error, unconfirmed)
            // Who waits for a namespace for the first time does so in one session only.
            for (id, socket) in self.sockets.sorted(by: { $0.key < $1.key }) where !socket.wasConnected {
                self.remove(id, error)
            }
            if self.sockets.isEmpty { return self.end(error, unconfirmed: 0) }
        }
        if let giveUp = self.giveUp, now >= giveUp { return self.end(error, unconfirmed: 0) }
        self.phase = .waiting
        self.lastError = error
        for (id, socket) in self.sockets where socket.wasConnected { self.sockets[id]?.deadline = nil }
        let delay = self.backOff.next()
        self.nextAttempt = now + delay
        self.outputs.append(.state(.waiting(error, attempt: self.backOff.attempts, delay: delay)))
    }

    /// The client is over, and everything of it.
    mutating func end(_ error: SocketIOClientError?, unconfirmed: Int) {
        guard self.phase != .over else { return }
        if let engine = self.engine, !engine.isClosed { self.outputs.append(.end(self.number)) }
        self.engine = nil
        self.phase = .over
        (self.nextAttempt, self.giveUp) = (nil, nil)
        let unsent = self.queuedEvents + self.unsent
        for id in self.sockets.keys.sorted() { self.remove(id, error) }
        for id in self.owed.keys.sorted() { self.settle(id, .failure(error ?? .closed)) }
        self.outputs.append(.state(.over(error, unconfirmed: unconfirmed + unsent)))
    }
}
