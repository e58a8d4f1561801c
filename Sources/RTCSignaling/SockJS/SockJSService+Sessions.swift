public import NIOCore

extension SockJSService {
    // MARK: What the owner does

    /// Sends a message; does nothing if the session is over.
    public mutating func send(_ message: String, to id: SockJSSessionID, now: NIODeadline) {
        guard let key = self.table.key(of: id), self.table.sessions[key]?.end == nil else { return }
        // In place: a copy of the session would copy all that waits.
        self.table.sessions[key]?.waiting.append(message)
        self.table.sessions[key]?.waitingBytes += message.utf8.count + WebSocketMessage.overhead
        self.flush(key, now)
        let waiting = self.table.sessions[key]?.waitingBytes ?? 0
        if waiting > self.configuration.maximumUnsentBytes {
            self.end(key, .tooSlow, code: 1008, reason: "Too slow", now)
        }
    }

    /// Ends a session; does nothing if it is over.
    ///
    /// - Parameters:
    ///   - code: What the client is told: 1000, or 3000 to 4999.
    ///   - reason: Text for people.
    public mutating func close(_ id: SockJSSessionID, code: Int = 1000, reason: String = "", now: NIODeadline) {
        guard let key = self.table.key(of: id) else { return }
        self.end(key, .local, code: code, reason: reason, now)
    }

    /// Tells that an exchange is over from the client's side before its response was: the connection was closed.
    public mutating func exchangeEnded(_ exchange: ExchangeID, now: NIODeadline) {
        guard let key = self.table.detach(exchange) else { return }
        self.end(key, .disconnected, code: 1002, reason: "Connection interrupted", now)
    }

    /// Tells whether the connection of an exchange takes more now; while it does not, messages wait in the session.
    public mutating func setWritable(_ exchange: ExchangeID, _ isWritable: Bool, now: NIODeadline) {
        if let key = self.table.setWritable(exchange, isWritable) { self.flush(key, now) }
    }

    // MARK: Receiving requests

    mutating func attach(
        _ transport: SockJSTransport,
        _ request: SignalingRequest,
        key: String,
        _ exchange: ExchangeID,
        _ now: NIODeadline
    ) {
        if self.table.sessions[key] == nil {
            guard self.table.sessions.count < self.configuration.maximumSessions else {
                return self.respond(exchange, self.dressed(SignalingResponse(503), request))
            }
            self.table.open(key, request) { SockJSSession(id: SockJSSessionID(number: $0)) }
        }
        guard var session = self.table.sessions[key] else { return }
        self.begin(transport, request, exchange)
        if let end = session.end, session.waiting.isEmpty {
            return self.refuse(exchange, transport, code: end.code, reason: end.reason)
        }
        guard session.receiver == nil else {
            return self.refuse(exchange, transport, code: 2010, reason: "Another connection still open")
        }
        self.table.attach(SockJSSession.Receiver(exchange: exchange, transport: transport), to: &session, key)
        self.table.deadlines.set(now + self.configuration.heartbeatInterval, for: key)
        if !session.isOpened {
            session.isOpened = true
            self.write(.open, &session, key, now)
        }
        self.flush(&session, key, now)
        self.table.sessions[key] = session
    }

    private mutating func begin(_ transport: SockJSTransport, _ request: SignalingRequest, _ exchange: ExchangeID) {
        var response = SignalingResponse(200, headers: ["content-type": transport.contentType])
        response.headers.forbidCaching()
        // A script's text must never be taken for a page.
        response.headers.add("x-content-type-options", "nosniff")
        self.table.outputs.append(.begin(exchange, self.dressed(response, request)))
        if let prelude = transport.prelude { self.table.outputs.append(.body(exchange, prelude)) }
    }

    private mutating func refuse(_ exchange: ExchangeID, _ transport: SockJSTransport, code: Int, reason: String) {
        self.table.outputs.append(.body(exchange, transport.encode(.close(code: code, reason: reason))))
        self.table.outputs.append(.end(exchange))
    }

    // MARK: Writing

    private mutating func flush(_ key: String, _ now: NIODeadline) {
        guard var session = self.table.sessions[key], session.receiver != nil else { return }
        self.flush(&session, key, now)
        self.table.sessions[key] = session
    }

    /// Sends what waits, as far as there is somebody who takes it.
    private mutating func flush(_ session: inout SockJSSession, _ key: String, _ now: NIODeadline) {
        guard session.receiver?.isWritable == true else { return }
        if !session.waiting.isEmpty {
            let messages = session.waiting
            session.waiting = []
            session.waitingBytes = 0
            self.table.deadlines.set(now + self.configuration.heartbeatInterval, for: key)
            self.write(.messages(messages), &session, key, now)
        }
        if let end = session.end, session.receiver != nil {
            self.write(.close(code: end.code, reason: end.reason), &session, key, now)
            self.detach(&session, key, now)
        }
    }

    /// Writes a frame to the receiver, which must be there, and ends the response that has had enough.
    private mutating func write(
        _ frame: SockJSFrame,
        _ session: inout SockJSSession,
        _ key: String,
        _ now: NIODeadline
    ) {
        guard var receiver = session.receiver else { return }
        let bytes = receiver.transport.encode(frame)
        receiver.sent += bytes.readableBytes
        session.receiver = receiver
        self.table.outputs.append(.body(receiver.exchange, bytes))
        let isFull = receiver.sent >= self.configuration.responseLimit
        if !receiver.transport.isStreaming || isFull { self.detach(&session, key, now) }
    }

    /// Ends the response of the receiver; the next one must come in time.
    private mutating func detach(_ session: inout SockJSSession, _ key: String, _ now: NIODeadline) {
        guard let receiver = self.table.detach(from: &session) else { return }
        self.table.outputs.append(.end(receiver.exchange))
        self.table.deadlines.set(now + self.configuration.disconnectDelay, for: key)
    }

    // MARK: Ends

    private mutating func end(_ key: String, _ end: End, code: Int, reason: String, _ now: NIODeadline) {
        let notice = CloseNotice(code: code, reason: reason)
        // Whoever does not take it in time has it cut off: the deadline forgets the session with its receiver.
        let deadline = now + self.configuration.disconnectDelay
        guard self.table.end(key, end, notice, deadline: deadline) else { return }
        if end != .local {
            self.table.sessions[key]?.waiting = []
            self.table.sessions[key]?.waitingBytes = 0
        }
        self.flush(key, now)
    }

    mutating func sessionTimeout(_ key: String, now: NIODeadline) {
        guard var session = self.table.sessions[key] else { return }
        if session.end != nil {
            self.forget(session, key)
        } else if session.receiver != nil {
            self.table.deadlines.set(now + self.configuration.heartbeatInterval, for: key)
            if session.receiver?.isWritable == true { self.write(.heartbeat, &session, key, now) }
            self.table.sessions[key] = session
        } else {
            self.table.outputs.append(.closed(session.id, .disconnected))
            self.forget(session, key)
        }
    }

    private mutating func forget(_ session: SockJSSession, _ key: String) {
        var session = session
        if let receiver = self.table.detach(from: &session) {
            self.table.outputs.append(.end(receiver.exchange))
        }
        self.table.forget(session, key)
    }
}
