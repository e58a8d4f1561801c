public import NIOCore

extension PollingService {
    // MARK: What the owner does

    /// Sends a message; does nothing if the session is over.
    public mutating func send(_ message: String, to id: PollingSessionID, now: NIODeadline) {
        guard let key = self.table.key(of: id), self.table.sessions[key]?.end == nil else { return }
        // In place: a copy of the session would copy all that waits.
        self.table.sessions[key]?.append(message)
        guard let bytes = self.table.sessions[key]?.bytes, bytes <= self.configuration.maximumUnsentBytes else {
            self.table.sessions[key]?.discard()
            return self.end(key, .tooSlow, code: 1008, reason: "Too slow", now)
        }
        self.flush(key, now)
    }

    /// Ends a session after what was sent; does nothing if it is over.
    ///
    /// - Parameters:
    ///   - code: What the client is told: 1000, or 3000 to 4999.
    ///   - reason: Text for people.
    public mutating func close(_ id: PollingSessionID, code: Int = 1000, reason: String = "", now: NIODeadline) {
        guard let key = self.table.key(of: id) else { return }
        self.end(key, .local, code: code, reason: reason, now)
    }

    /// Tells that the connection of an exchange was closed before its response was whole; the client may come back.
    public mutating func exchangeEnded(_ exchange: ExchangeID, now: NIODeadline) {
        if let key = self.table.detach(exchange) { self.touch(key, now) }
    }

    /// Tells whether the connection of an exchange takes more now; while it does not, messages wait.
    public mutating func setWritable(_ exchange: ExchangeID, _ isWritable: Bool, now: NIODeadline) {
        if let key = self.table.setWritable(exchange, isWritable) { self.flush(key, now) }
    }

    /// Clients are told to come again with what they have.
    public static var canPause: Bool { true }

    public mutating func setReading(_ isReading: Bool, of id: PollingSessionID) {
        guard let key = self.table.key(of: id) else { return }
        self.table.sessions[key]?.isReading = isReading
    }

    // MARK: Receiving requests

    /// A client asks for messages.
    mutating func attach(_ request: SignalingRequest, _ key: String, _ exchange: ExchangeID, _ now: NIODeadline) {
        guard let last = self.table.sessions[key]?.last else { return }
        let isStream = request.headers.list("accept").contains { $0.hasPrefix("text/event-stream") }
        // A browser comes back with the same query, and a newer number beside it.
        let event = isStream ? request.headers.first("last-event-id") ?? "" : ""
        guard let after = Self.number("after", in: request, absent: 0),
            let wait = Self.number("wait", in: request, absent: 0), let lastEvent = event.isEmpty ? 0 : UInt64(event),
            max(after, lastEvent) <= last
        else { return self.respond(exchange, request, 400, text: "a number that cannot be") }
        self.table.sessions[key]?.acknowledge(max(after, lastEvent))
        guard var session = self.table.sessions[key] else { return }
        // The client has given up the request before, whether this side knows or not.
        self.finish(&session, key, now)
        defer { self.table.sessions[key] = session }
        if let end = session.end, session.messages.isEmpty { return self.respondGone(exchange, request, end) }
        guard !isStream else { return self.beginStream(&session, request, key, exchange, now) }
        if session.messages.isEmpty, wait > 0 {
            let seconds = TimeAmount.seconds(Int64(min(wait, 1 << 30)))
            let receiver = PollingSession.Receiver(
                exchange: exchange,
                poll: request,
                deadline: now + min(seconds, self.configuration.maximumWait),
                next: session.first
            )
            self.table.attach(receiver, to: &session, key)
            self.table.deadlines.set(receiver.deadline, for: key)
            return
        }
        let isAnsweredEmpty = session.messages.isEmpty
        self.respond(exchange, request, session, retriesLater: isAnsweredEmpty)
        self.touch(key, now)
    }

    private mutating func beginStream(
        _ session: inout PollingSession,
        _ request: SignalingRequest,
        _ key: String,
        _ exchange: ExchangeID,
        _ now: NIODeadline
    ) {
        var response = SignalingResponse(200, headers: ["content-type": "text/event-stream"])
        response.headers.dressForPolling(request)
        // Some proxies keep a response back until it is whole, unless they are told not to.
        response.headers.add("x-accel-buffering", "no")
        self.table.outputs.append(.begin(exchange, response))
        let retry = self.configuration.retryDelay.nanoseconds / 1_000_000
        self.table.outputs.append(.body(exchange, ByteBuffer(string: "retry: \(retry)\n\n")))
        let deadline = now + self.configuration.heartbeatInterval
        let receiver = PollingSession.Receiver(exchange: exchange, deadline: deadline, next: session.first)
        self.table.attach(receiver, to: &session, key)
        self.table.deadlines.set(deadline, for: key)
        self.flush(&session, key, now)
    }

    // MARK: Writing

    private mutating func flush(_ key: String, _ now: NIODeadline) {
        guard var session = self.table.sessions[key], session.receiver != nil else { return }
        self.flush(&session, key, now)
        self.table.sessions[key] = session
    }

    /// Gives what there is to the receiver, if there is one.
    private mutating func flush(_ session: inout PollingSession, _ key: String, _ now: NIODeadline) {
        guard var receiver = session.receiver else { return }
        guard receiver.isStream else {
            guard !session.messages.isEmpty || session.end != nil else { return }
            return self.finish(&session, key, now)
        }
        // A client acknowledges what it got from a stream with the next one at the latest, so there has to be a next one in time.
        let limit = min(self.configuration.responseLimit, self.configuration.maximumUnsentBytes / 2)
        while receiver.isWritable, receiver.sent < limit, receiver.next <= session.last {
            let number = max(receiver.next, session.first)
            let message = session.messages(from: number, limit: 0).first ?? ""
            let event = ByteBuffer(string: "id: \(number)\ndata: \(JSONStrings.encode(message))\n\n")
            receiver.sent += event.readableBytes
            receiver.next = number + 1
            self.table.outputs.append(.body(receiver.exchange, event))
        }
        session.receiver = receiver
        let isOver = session.end != nil && receiver.next > session.last
        if let end = session.end, isOver {
            self.table.outputs.append(
                .body(receiver.exchange, ByteBuffer(string: "event: close\ndata: \(end.json)\n\n"))
            )
        }
        if isOver || receiver.sent >= limit { self.finish(&session, key, now) }
    }

    /// Ends the response of the receiver, if there is one, with what there is.
    private mutating func finish(_ session: inout PollingSession, _ key: String, _ now: NIODeadline) {
        guard let receiver = self.table.detach(from: &session) else { return }
        if receiver.isStream {
            self.table.outputs.append(.end(receiver.exchange))
        } else if let request = receiver.poll {
            if let end = session.end, session.messages.isEmpty {
                self.respondGone(receiver.exchange, request, end)
            } else {
                self.respond(receiver.exchange, request, session, retriesLater: false)
            }
        }
        self.table.deadlines.set(now + self.configuration.sessionTimeout, for: key)
    }

    /// Answers a poll.
    private mutating func respond(
        _ exchange: ExchangeID,
        _ request: SignalingRequest,
        _ session: PollingSession,
        retriesLater: Bool
    ) {
        let messages = session.messages(from: session.first, limit: self.configuration.responseLimit)
        let last = session.first + UInt64(messages.count) - 1
        self.respond(
            exchange,
            request,
            200,
            headers: retriesLater ? ["retry-after": self.configuration.retryAfter] : [:],
            json: "{\"last\":\(last),\"messages\":\(JSONStrings.encode(messages))}"
        )
    }

    // MARK: Ends

    /// A client showed that it is there.
    mutating func touch(_ key: String, _ now: NIODeadline) {
        guard let session = self.table.sessions[key], session.receiver == nil else { return }
        self.table.deadlines.set(now + self.configuration.sessionTimeout, for: key)
    }

    private mutating func end(_ key: String, _ end: HTTPSessionEnd, code: Int, reason: String, _ now: NIODeadline) {
        let notice = CloseNotice(code: code, reason: reason)
        let deadline = now + self.configuration.sessionTimeout
        if self.table.end(key, end, notice, deadline: deadline) { self.flush(key, now) }
    }

    /// The client takes its leave.
    mutating func leave(_ key: String) {
        guard let session = self.table.sessions[key] else { return }
        if session.end == nil { self.table.outputs.append(.closed(session.id, .disconnected)) }
        self.forget(session, key)
    }

    mutating func sessionTimeout(_ key: String, now: NIODeadline) {
        guard var session = self.table.sessions[key] else { return }
        guard let receiver = session.receiver, session.end == nil else { return self.leave(key) }
        if receiver.isStream {
            if receiver.isWritable { self.table.outputs.append(.body(receiver.exchange, ByteBuffer(string: ":\n\n"))) }
            session.receiver?.deadline = now + self.configuration.heartbeatInterval
            self.table.deadlines.set(session.receiver?.deadline, for: key)
        } else {
            self.finish(&session, key, now)
        }
        self.table.sessions[key] = session
    }

    private mutating func forget(_ session: PollingSession, _ key: String) {
        var session = session
        if let receiver = self.table.detach(from: &session) {
            if receiver.isStream {
                self.table.outputs.append(.end(receiver.exchange))
            } else if let request = receiver.poll {
                self.respond(receiver.exchange, request, 404, text: "no such session")
            }
        }
        self.table.forget(session, key)
    }
}
