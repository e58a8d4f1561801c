public import NIOCore

/// A STOMP broker for versions 1.0, 1.1 and 1.2, doing no input or output.
///
/// Bytes of connections go in through ``receive(_:from:now:)``; ``poll()`` gives what is to be written and what is asked.
///
/// | Destination | A message there goes to |
/// |---|---|
/// | `/topic/…` | all who subscribe now |
/// | `/queue/…` | one subscriber in turn; it waits while there is none, and comes back if it is not acknowledged |
/// | `/user/NAME/…` | all connections of the user, or the one session, of that name that subscribe to `/user/…` |
/// | ``STOMPConfiguration/applicationPrefix`` | the owner, by ``Output/sent(_:)`` |
public struct STOMPBroker: Sendable {
    /// What ``poll()`` gives.
    public enum Output: Sendable, Hashable {
        /// Bytes to write to a connection: one frame, or one heart-beat. ``didTransmit(_:to:)`` is told when they are out.
        case transmit(STOMPConnectionID, ByteBuffer)
        /// A connection is over: close it after what is to be written. Nothing comes after this.
        case close(STOMPConnectionID)
        /// The owner must decide; only where ``STOMPConfiguration/asks``.
        case ask(STOMPQuestion)
        /// A client is connected.
        case connected(STOMPConnectionID, user: String?)
        /// A client sent something to the owner.
        case sent(Sent)
    }

    /// What a client sent to a destination of the owner's.
    public struct Sent: Sendable, Hashable {
        /// The client's connection, to answer with ``send(to:destination:headers:body:now:)``.
        public let connection: STOMPConnectionID
        /// Who the client is.
        public let user: String?
        /// The destination.
        public let destination: String
        /// The headers that the client added.
        public let headers: [STOMPFrame.Header]
        /// The body.
        public let body: ByteBuffer
        /// The name of the receipt that is given by ``STOMPBroker/confirm(_:now:)`` or ``STOMPRelay/confirm(_:now:)``; nil for none,
        /// and of what was part of a transaction.
        public internal(set) var receipt: String?
    }

    /// Limits and times.
    public let configuration: STOMPConfiguration
    /// Messages that nobody took: no subscriber of a user, or given out too often.
    public internal(set) var droppedMessages = 0
    /// Connections that were cut off because they did not read.
    public internal(set) var slowConnections = 0

    var outputs = CircularBuffer<Output>()
    var clients: [STOMPConnectionID: STOMPConnection] = [:]
    var topics: [String: [STOMPSubscriptionKey]] = [:]
    var queues: [String: STOMPQueue] = [:]
    var users: [String: Set<STOMPConnectionID>] = [:]
    var sessions: [String: STOMPConnectionID] = [:]
    /// Queues whose messages or subscribers changed.
    var changedQueues: Set<String> = []
    /// Bytes of messages in queues and of such that are to be acknowledged.
    var storedBytes = 0
    /// Connections that ended and have not been taken out yet.
    var ended: [STOMPConnectionID] = []
    var clientDeadlines = DeadlineQueue<STOMPConnectionID>()
    var lastConnection: UInt64 = 0
    var nextMessage: UInt64 = 0

    /// A broker without connections.
    public init(configuration: STOMPConfiguration = STOMPConfiguration()) { self.configuration = configuration }

    /// How many connections there are.
    public var connectionCount: Int { self.clients.count }

    /// How many messages wait in queues.
    public var queuedMessages: Int { self.queues.values.reduce(0) { $0 + $1.waiting.count } }

    /// How many bytes wait for clients that do not read them.
    public var unsentBytes: Int { self.clients.values.reduce(0) { $0 + $1.unsentBytes } }

    // MARK: Connections

    /// A new connection; nil if there are as many as allowed.
    public mutating func open(now: NIODeadline) -> STOMPConnectionID? {
        let id = self.add(now) { id, reader, liveness in
            STOMPConnection(reader: reader, session: "session-\(id.number)", liveness: liveness)
        }
        if let id, let session = self.clients[id]?.session { self.sessions[session] = id }
        return id
    }

    /// A connection was closed from the other side.
    public mutating func connectionEnded(_ id: STOMPConnectionID, now: NIODeadline) {
        self.end(id)
        self.settle(now)
    }

    /// Tells that bytes of ``Output/transmit(_:_:)`` were written.
    public mutating func didTransmit(_ count: Int, to id: STOMPConnectionID, now: NIODeadline) {
        guard let connection = self.clients[id] else { return }
        self.clients[id]?.unsentBytes = max(0, connection.unsentBytes - count)
        guard self.reads(connection) != self.clients[id].map({ self.reads($0) }) else { return }
        for subscription in connection.subscriptions.values where subscription.destination.hasPrefix("/queue/") {
            self.changedQueues.insert(subscription.destination)
        }
        self.settle(now)
    }

    // MARK: The four verbs

    /// Takes bytes that a client sent, cut anywhere.
    public mutating func receive(_ bytes: ByteBuffer, from id: STOMPConnectionID, now: NIODeadline) {
        self.take(bytes, from: id, now)
        self.settle(now)
    }

    /// Does what is due: heart-beats, and the end of connections that are silent.
    public mutating func handleTimeout(now: NIODeadline) {
        while let id = self.clientDeadlines.popDue(now: now) { self.clientTimeout(id, now) }
        self.settle(now)
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> Output? { self.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due at the latest; nil when nothing is pending.
    public var nextTimeout: NIODeadline? { self.clientDeadlines.next }

    // MARK: The owner

    /// Answers the question of a connection, which then goes on; does nothing if it has none.
    public mutating func answer(_ id: STOMPConnectionID, _ answer: STOMPAnswer, now: NIODeadline) {
        self.goOn(id, after: answer, now)
        self.settle(now)
    }

    /// Sends to a topic, a queue or `/user/NAME/…`, as a client would.
    ///
    /// - Returns: Whether there is such a destination and it takes more.
    @discardableResult
    public mutating func publish(
        to destination: String,
        headers: [STOMPFrame.Header] = [],
        body: ByteBuffer,
        now: NIODeadline
    ) -> Bool {
        let message = STOMPMessage(destination: destination, headers: headers, body: body)
        let isTaken = self.route(message, now) == nil
        self.settle(now)
        return isTaken
    }

    /// Sends to one connection that subscribes to `destination`: for `/queue/x` the client subscribes to `/user/queue/x`.
    public mutating func send(
        to id: STOMPConnectionID,
        destination: String,
        headers: [STOMPFrame.Header] = [],
        body: ByteBuffer,
        now: NIODeadline
    ) {
        let message = STOMPMessage(destination: "/user" + destination, headers: headers, body: body)
        self.deliver(message, toUserDestinationOf: id, now)
        self.settle(now)
    }

    /// Tells that the owner has taken a message of ``Output/sent(_:)``: its client gets the receipt if it wants one.
    public mutating func confirm(_ sent: Sent, now: NIODeadline) {
        if let receipt = sent.receipt { self.giveReceipt(receipt, to: sent.connection, now) }
        self.settle(now)
    }

    /// Ends a connection with an `ERROR`.
    public mutating func close(_ id: STOMPConnectionID, reason: String, now: NIODeadline) {
        self.fail(id, reason, nil, now)
        self.settle(now)
    }

    // MARK: Ends

    /// Ends a connection; what that means for others is done by ``settle(_:)``.
    mutating func end(_ id: STOMPConnectionID) {
        guard let phase = self.clients[id]?.phase, phase != .ending else { return }
        self.clients[id]?.phase = .ending
        self.clients[id]?.waiting = nil
        self.clientDeadlines.set(nil, for: id)
        self.outputs.append(.close(id))
        self.ended.append(id)
    }

    mutating func transmit(_ bytes: ByteBuffer, to id: STOMPConnectionID, _ now: NIODeadline) {
        _ = self.write(bytes, to: id, now)
    }

    /// Takes out connections that ended and hands out what queues have, until nothing changes any more.
    ///
    /// Here and not where it happens: a client that is cut off for being slow gives its messages to the next, which may be slow
    /// too.
    mutating func settle(_ now: NIODeadline) {
        while true {
            if let id = self.ended.popLast() {
                self.remove(id)
            } else if let queue = self.changedQueues.popFirst() {
                self.dispatch(queue, now)
            } else {
                return
            }
        }
    }

    private mutating func remove(_ id: STOMPConnectionID) {
        guard let connection = self.clients.removeValue(forKey: id) else { return }
        self.sessions[connection.session] = nil
        if let user = connection.user {
            self.users[user]?.remove(id)
            if self.users[user]?.isEmpty == true { self.users[user] = nil }
        }
        for (name, subscription) in connection.subscriptions {
            self.unsubscribed(STOMPSubscriptionKey(connection: id, id: name), subscription)
        }
    }
}

extension STOMPBroker: STOMPServer {}

extension STOMPBroker.Output: STOMPServerOutput {}
