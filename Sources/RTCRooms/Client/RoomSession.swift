public import NIOCore
public import RTCBase
public import RTCSignaling

/// A client's membership in a room, over channels that come and go, doing no input or output.
///
/// The owner opens channels when ``poll()`` says so and reports what becomes of them, each by its number.
public struct RoomSession: Sendable {
    /// What ``poll()`` gives.
    public enum Output: Sendable, Hashable {
        /// Open a channel; its fate is reported under that number.
        case open(Int)
        /// Send on that channel.
        case transmit(Int, String)
        /// Close that channel after what was sent, or stop opening it; nothing of it is wanted any more.
        case close(Int)
        /// Tell the user.
        case event(RoomEvent)
    }

    enum Phase: Sendable, Hashable {
        case idle
        /// A channel is being opened.
        case opening
        /// `join` was sent.
        case joining
        /// `resume` was sent.
        case resuming
        case joined
        /// Without a channel until the next attempt.
        case waiting
        case ended
    }

    /// A message that the server may not have.
    struct Queued: Sendable {
        var text: String
        var size: Int { self.text.utf8.count }
    }

    /// Limits and times.
    public let configuration: RoomClientConfiguration
    /// Who this side is; nil before it joined.
    public internal(set) var member: RoomMember?
    /// The other members, as far as this side has heard.
    public internal(set) var members: [RoomMember] = []
    /// What came and was not understood.
    public internal(set) var unknownMessages = 0

    let request: JoinRequest
    var phase = Phase.idle
    var channel = 0
    var token = ""
    var loss: RoomLoss?
    /// The number of the last of the server's frames.
    var received = 0
    var unacknowledged = 0
    var acknowledgementDue: NIODeadline?
    /// What is queued, up to the number sent last.
    var queue = CircularBuffer<Queued>()
    var queuedBytes = 0
    /// How many of the queue, from its beginning, were sent on this channel.
    var sentCount = 0
    /// Their bytes.
    var sentBytes = 0
    /// How fast the rest may follow.
    var pace: SendingPace
    /// When the next of the queue may go.
    var paceDue: NIODeadline?
    /// Until when leaving waits for what is queued; nil while nobody leaves.
    var leaveDue: NIODeadline?
    var lastNumber = 0
    /// Messages that were let go of at a loss.
    var unconfirmed = 0
    /// Begins anew only after a channel that was of use: what cannot be taken comes again on the next.
    var backOff: BackOff
    /// When this side last became a member, or went on as one.
    var settledAt: NIODeadline?
    /// When what is waited for is late.
    var responseDue: NIODeadline?
    /// When to give up.
    var giveUp: NIODeadline?
    var lastError = SignalingChannelError.connectionFailed(reason: "never connected")
    private var nextAttempt: NIODeadline?
    private var outputs = CircularBuffer<Output>()

    /// A membership that begins with ``start(now:)``.
    ///
    /// - Parameters:
    ///   - room: The room.
    ///   - metadata: What this side says of itself: an object.
    ///   - credential: What the server's owner asks for.
    public init(
        room: RoomName,
        metadata: JSONValue = [:],
        credential: String? = nil,
        configuration: RoomClientConfiguration = RoomClientConfiguration(),
        random: RandomSource = .system
    ) {
        self.request = JoinRequest(room: room.text, metadata: metadata, credential: credential)
        self.configuration = configuration
        self.pace = SendingPace(SendingLimits(RoomConfiguration()), now: .uptimeNanoseconds(0))
        self.backOff = BackOff(first: configuration.firstDelay, longest: configuration.longestDelay, random: random)
    }

    /// Whether it is over.
    public var isEnded: Bool { self.phase == .ended }

    // MARK: The user

    /// Begins; does nothing when it has begun.
    public mutating func start(now: NIODeadline) {
        guard self.phase == .idle else { return }
        self.giveUp = now + self.configuration.joinTimeout
        self.open(now)
    }

    /// Sends to others; without a channel it waits for the next.
    ///
    /// - Throws: ``RoomError/queueFull``, ``RoomError/messageTooLarge(limit:)``, ``RoomError/messageTooDeep``, ``RoomError/notJoined``:
    ///   also while it leaves.
    public mutating func send(
        _ message: RoomMessage,
        to recipient: RoomRecipient,
        now: NIODeadline
    ) throws(RoomError) {
        guard self.member != nil, self.phase != .ended, self.leaveDue == nil else { throw .notJoined }
        var to: RoomMemberID?
        if case .member(let id) = recipient { to = id }
        let json = message.json
        // The frame is around it.
        guard json.depth < JSONValue.maximumDepth else { throw .messageTooDeep }
        let text = ClientFrame.send(number: self.lastNumber + 1, to: to, message: json).text
        let queued = Queued(text: text)
        guard queued.size <= self.configuration.maximumMessageSize else {
            throw .messageTooLarge(limit: self.configuration.maximumMessageSize)
        }
        guard self.queue.count < self.configuration.maximumQueuedMessages,
            self.queuedBytes + queued.size <= self.configuration.maximumQueuedBytes
        else { throw .queueFull }
        self.lastNumber += 1
        self.queue.append(queued)
        self.queuedBytes += queued.size
        self.transmitQueued(now)
    }

    // MARK: Channels

    /// A channel was opened.
    public mutating func channelOpened(_ channel: Int, now: NIODeadline) {
        guard channel == self.channel, self.phase == .opening else { return }
        self.responseDue = now + self.configuration.responseTimeout
        if let member = self.member {
            self.phase = .resuming
            let request = ResumeRequest(member: member.id, token: self.token, received: self.received)
            self.transmit(ClientFrame.resume(request).text)
        } else {
            self.join()
        }
    }

    /// A channel could not be opened, broke or was closed.
    public mutating func channelFailed(_ channel: Int, _ error: SignalingChannelError, now: NIODeadline) {
        guard channel == self.channel else { return }
        switch self.phase {
        case .opening, .joining, .resuming, .joined: self.interrupt(error, now)
        case .idle, .waiting, .ended: break
        }
    }

    // MARK: The four verbs

    /// Takes a message of a channel.
    public mutating func receive(_ text: String, from channel: Int, now: NIODeadline) {
        guard channel == self.channel else { return }
        switch self.phase {
        case .joining, .resuming, .joined: break
        case .idle, .opening, .waiting, .ended: return
        }
        guard let frame = ServerFrame(text) else { return self.violation("not understood", now) }
        self.receive(frame, now)
        self.leaveIfSent(now)
    }

    /// Does what is due.
    public mutating func handleTimeout(now: NIODeadline) {
        defer { self.leaveIfSent(now) }
        if let giveUp = self.giveUp, giveUp <= now { return self.end(.unreachable(self.lastError)) }
        if let due = self.responseDue, due <= now {
            return self.interrupt(.connectionFailed(reason: "no answer in time"), now)
        }
        if let due = self.nextAttempt, due <= now {
            self.nextAttempt = nil
            self.open(now)
        }
        if let due = self.acknowledgementDue, due <= now { self.acknowledge() }
        if let due = self.paceDue, due <= now { self.transmitQueued(now) }
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> Output? { self.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due; nil when nothing is pending.
    public var nextTimeout: NIODeadline? {
        [self.giveUp, self.responseDue, self.nextAttempt, self.acknowledgementDue, self.paceDue, self.leaveDue]
            .compactMap { $0 }.min()
    }

    // MARK: Steps

    private mutating func open(_ now: NIODeadline) {
        self.channel += 1
        self.phase = .opening
        self.responseDue = now + self.configuration.responseTimeout
        self.outputs.append(.open(self.channel))
    }

    mutating func join() {
        self.phase = .joining
        self.transmit(ClientFrame.join(self.request).text)
    }

    /// Gives a channel up and plans the next.
    mutating func interrupt(_ error: SignalingChannelError, _ now: NIODeadline) {
        self.lastError = error
        // The end closes the channel too.
        if error.isPermanent { return self.end(.unreachable(error)) }
        self.outputs.append(.close(self.channel))
        if self.phase == .joined {
            self.emit(.interrupted(error))
            // One that held was good, even if nothing came over it.
            if let settled = self.settledAt, now - settled >= self.configuration.longestDelay { self.backOff.reset() }
            self.giveUp = self.configuration.reconnectTimeout.map { now + $0 }
        }
        self.phase = .waiting
        self.responseDue = nil
        self.acknowledgementDue = nil
        self.unacknowledged = 0
        (self.sentCount, self.sentBytes, self.paceDue) = (0, 0, nil)
        self.nextAttempt = now + self.backOff.next()
    }

    mutating func violation(_ reason: String, _ now: NIODeadline) {
        self.interrupt(.protocolViolation(reason: reason), now)
    }

    mutating func end(_ error: RoomError?) {
        guard self.phase != .ended else { return }
        let error = self.leaveDue == nil ? error : self.leavingError
        switch self.phase {
        case .opening, .joining, .resuming, .joined: self.outputs.append(.close(self.channel))
        case .idle, .waiting, .ended: break
        }
        self.phase = .ended
        self.members = []
        self.queue = CircularBuffer()
        self.queuedBytes = 0
        (self.giveUp, self.responseDue, self.nextAttempt) = (nil, nil, nil)
        (self.acknowledgementDue, self.paceDue, self.leaveDue) = (nil, nil, nil)
        self.emit(.ended(error))
    }

    mutating func transmit(_ text: String) { self.outputs.append(.transmit(self.channel, text)) }

    mutating func emit(_ event: RoomEvent) { self.outputs.append(.event(event)) }

    mutating func acknowledge() {
        self.acknowledgementDue = nil
        self.unacknowledged = 0
        let text = ClientFrame.acknowledge(received: self.received).text
        self.transmit(text)
        self.pace.note(bytes: text.utf8.count)
    }

    /// Sends what waits, as far as the pace allows.
    mutating func transmitQueued(_ now: NIODeadline, isLast: Bool = false) {
        self.paceDue = nil
        guard self.phase == .joined else { return }
        while self.sentCount < self.queue.count {
            let queued = self.queue[self.queue.index(self.queue.startIndex, offsetBy: self.sentCount)]
            // What is acknowledged lets it go.
            guard isLast || self.pace.allows(bytes: queued.size, besideMessages: self.sentCount, bytes: self.sentBytes)
            else {
                return
            }
            if let due = self.pace.take(bytes: queued.size, isLast: isLast, now: now) {
                self.paceDue = due
                return
            }
            self.transmit(queued.text)
            self.sentCount += 1
            self.sentBytes += queued.size
            if self.responseDue == nil { self.responseDue = now + self.configuration.responseTimeout }
        }
    }
}
