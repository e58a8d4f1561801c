import NIOCore

/// What a service knows of a session over HTTP.
protocol HTTPSession: Sendable {
    associatedtype ID: Sendable, Hashable
    associatedtype Receiver: HTTPSessionReceiver

    var id: ID { get }
    /// The request whose response brings messages to the client.
    var receiver: Receiver? { get set }
    /// Set once the session is over; then it only tells that, until it is forgotten.
    var end: CloseNotice? { get set }
}

/// A request that receives for a session.
protocol HTTPSessionReceiver: Sendable {
    var exchange: ExchangeID { get }
    /// Whether more may be written now.
    var isWritable: Bool { get set }
}

/// What the client is told once a session is over.
struct CloseNotice: Sendable {
    var code: Int
    var reason: String
}

/// The sessions of a service over HTTP, with the names that client, owner and connections have for them, what is due for them, and what
/// there is to say of them.
struct HTTPSessionTable<Session: HTTPSession>: Sendable {
    /// The sessions by what their clients know them by, also those that are over and not yet forgotten.
    var sessions: [String: Session] = [:]
    /// What ``HTTPSessionService/poll()`` gives.
    var outputs = CircularBuffer<HTTPSessionOutput<Session.ID>>()
    var deadlines = DeadlineQueue<String>()
    private var keys: [Session.ID: String] = [:]
    private var receivers: [ExchangeID: String] = [:]
    private var lastNumber: UInt64 = 0

    /// What the client knows a session by that is not over.
    func key(of id: Session.ID) -> String? { self.keys[id] }

    /// Adds a session that a request began.
    ///
    /// - Parameter make: Makes it from a number that no other session has.
    mutating func open(_ key: String, _ request: SignalingRequest, _ make: (UInt64) -> Session) {
        self.lastNumber += 1
        let session = make(self.lastNumber)
        self.sessions[key] = session
        self.keys[session.id] = key
        self.outputs.append(.opened(session.id, request))
    }

    /// Ends a session: its owner hears of it, its client is yet to be told.
    ///
    /// - Parameter deadline: When something has to become of it.
    /// - Returns: Whether there was one that was not over.
    mutating func end(_ key: String, _ end: HTTPSessionEnd, _ notice: CloseNotice, deadline: NIODeadline) -> Bool {
        guard let session = self.sessions[key], session.end == nil else { return false }
        self.sessions[key]?.end = notice
        self.outputs.append(.closed(session.id, end))
        self.keys[session.id] = nil
        self.deadlines.set(deadline, for: key)
        return true
    }

    /// Forgets a session whose receiver is detached.
    mutating func forget(_ session: Session, _ key: String) {
        self.sessions[key] = nil
        self.keys[session.id] = nil
        self.deadlines.set(nil, for: key)
    }

    // MARK: Receivers

    mutating func attach(_ receiver: Session.Receiver, to session: inout Session, _ key: String) {
        session.receiver = receiver
        self.receivers[receiver.exchange] = key
    }

    /// Takes the receiver away, whose response is to be ended.
    mutating func detach(from session: inout Session) -> Session.Receiver? {
        guard let receiver = session.receiver else { return nil }
        session.receiver = nil
        self.receivers[receiver.exchange] = nil
        return receiver
    }

    /// Takes the receiver away whose connection was closed; gives the key of its session.
    mutating func detach(_ exchange: ExchangeID) -> String? {
        guard let key = self.receivers.removeValue(forKey: exchange), self.sessions[key] != nil else { return nil }
        self.sessions[key]?.receiver = nil
        return key
    }

    /// Notes whether a receiver takes more; gives the key of its session if it does.
    mutating func setWritable(_ exchange: ExchangeID, _ isWritable: Bool) -> String? {
        guard let key = self.receivers[exchange], self.sessions[key] != nil else { return nil }
        self.sessions[key]?.receiver?.isWritable = isWritable
        return isWritable ? key : nil
    }
}
