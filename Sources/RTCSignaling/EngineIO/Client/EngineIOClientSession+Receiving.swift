import NIOCore

// What comes.

extension EngineIOClientSession {
    /// The most bytes of a session's name.
    private static let maximumIDLength = 256
    /// What a server may ask for as a time: no pings without end, and no more than a time can be.
    private static let times: ClosedRange<Double> = 100...1_000_000_000

    // MARK: Requests

    mutating func receiveGet(_ response: Response, _ now: NIODeadline) {
        self.isGetting = false
        if case .asking(let refusal) = self.phase {
            let reason = Self.refusal(of: response)
            return self.finish(reason.isAboutRevision ? reason : .channel(refusal))
        }
        guard response.status == 200 else {
            // A server that has heard of the end knows nothing of polls.
            if self.phase == .closing { return }
            return self.finish(self.phase == .opening ? Self.refusal(of: response) : Self.loss(response))
        }
        if self.phase == .opening, response.body.readableBytesView.starts(with: "0{".utf8) {
            return self.finish(.unsupportedProtocol(reason: "the server answers as Engine.IO 4 does"))
        }
        let packets =
            response.isBinary
            ? EngineIOPayload.decode(binary: response.body) : EngineIOPayload.decode(text: response.body)
        guard let packets else { return self.violation("a response that is no payload") }
        for packet in packets { self.receive(packet, now) }
        if self.phase == .opening { self.violation("a session that is not opened") }
    }

    mutating func receivePost(_ response: Response) {
        self.isPosting = false
        guard response.status == 200 else {
            return self.finish(self.phase == .closing ? nil : Self.loss(response))
        }
        self.confirm(self.posted)
    }

    mutating func requestFailed(_ method: Method, _ error: SignalingChannelError) {
        if case .asking(let refusal) = self.phase { return self.finish(.channel(refusal)) }
        // What the server has to say does not matter any more.
        if self.phase == .closing, method == .get {
            self.isGetting = false
            return
        }
        self.finish(self.phase == .closing ? nil : SocketIOClientError(error))
    }

    /// What a refused handshake tells.
    private static func refusal(of response: Response) -> SocketIOClientError {
        let other = SocketIOClientError.channel(
            response.refusal ?? .refused(status: response.status, reason: "no session")
        )
        let text = String(buffer: response.body)
        // Servers in Python have a text for people only.
        if response.status == 400, text.contains("unsupported version") {
            return .unsupportedProtocol(reason: "the server has no Engine.IO 3")
        }
        guard let body = SocketIOValue.json(text), let code = body["code"]?.integer.flatMap(EngineIORefusal.init) else {
            return other
        }
        let message = body["message"]?.string ?? code.message
        return code == .unsupportedProtocolVersion
            ? .unsupportedProtocol(reason: message) : .refused(code: code, message: message)
    }

    /// What a refusal in the middle of a session means.
    private static func loss(_ response: Response) -> SocketIOClientError {
        guard response.status != 400, response.status != 404 else {
            return .channel(.closed(code: nil, reason: "the server does not know the session any more"))
        }
        // Trying again may help, whatever the status: this session was admitted.
        let reason = "the server answers with \(response.status)"
        return .channel(.connectionFailed(reason: reason))
    }

    // MARK: WebSockets

    mutating func receive(_ message: WebSocketMessage, _ now: NIODeadline) {
        if self.carrier == .polling {
            switch self.probe {
            case nil: break
            case .probing? where message == .text("3probe"): self.probe = .pausing
            case .connecting?, .probing?, .pausing?: self.dropProbe()
            }
            return
        }
        guard let packet = EngineIOPacket(frame: message) else { return self.violation("a message that is no packet") }
        self.receive(packet, now)
    }

    mutating func webSocketEnded(_ error: SignalingChannelError?) {
        if self.carrier == .polling {
            if self.probe != nil {
                self.inFlight = 0
                self.endProbe()
            }
            return
        }
        switch self.phase {
        case .opening:
            if let error, case .refused(400, _) = error { return self.ask(error) }
            self.finish(SocketIOClientError(error ?? .closed(code: nil, reason: "before the session was opened")))
        case .open:
            self.finish(SocketIOClientError(error ?? .closed(code: nil, reason: "the server ended the connection")))
        case .closing:
            // An orderly end may have crossed what was sent, and says nothing of it.
            self.finish(nil)
        case .asking, .closed: break
        }
    }

    /// A WebSocket's refusal has no text, and a request's has: whether the server speaks another revision.
    private mutating func ask(_ refusal: SignalingChannelError) {
        self.phase = .asking(refusal)
        self.isGetting = true
        self.perform(.get(query: self.makeQuery("polling")))
    }

    // MARK: Packets

    private mutating func receive(_ packet: EngineIOPacket, _ now: NIODeadline) {
        self.lastReceived = now
        switch (packet.kind, self.phase) {
        case (_, .closed), (_, .asking): break
        case (.open, .opening): self.open(packet, now)
        case (_, .opening): self.violation("a session that is not opened")
        case (.open, _): self.violation("a session that is opened twice")
        case (.message, _):
            guard packet.data.size <= self.configuration.maximumMessageSize else {
                return self.violation("a message is too large")
            }
            self.outputs.append(.message(packet.data))
        case (.pong, _):
            if let pinged = self.pinged.popFirst() {
                self.confirm(pinged)
            } else if self.uncountedPings > 0 {
                self.uncountedPings -= 1
            }
        case (.close, .closing): break
        case (.close, _): self.finish(.channel(.closed(code: nil, reason: "the server closed the session")))
        case (.ping, _): self.finish(.unsupportedProtocol(reason: "the server sends pings, as Engine.IO 4 does"))
        case (.noop, _): break
        case (.upgrade, _): self.ignoredPackets += 1
        }
    }

    /// The server's handshake (Engine.IO revision 3, section "open").
    private mutating func open(_ packet: EngineIOPacket, _ now: NIODeadline) {
        guard case .text(let text) = packet.data, let handshake = SocketIOValue.json(text),
            let id = handshake["sid"]?.string, (1...Self.maximumIDLength).contains(id.utf8.count),
            let interval = handshake["pingInterval"]?.number, let timeout = handshake["pingTimeout"]?.number
        else { return self.violation("a handshake that is none") }
        self.id = PercentEncoding.encode(id)
        self.pingInterval = Self.time(interval)
        self.pingTimeout = Self.time(timeout)
        self.openDeadline = nil
        self.nextPing = now + self.pingInterval
        self.phase = .open
        self.outputs.append(.opened)
        let upgrades = handshake["upgrades"]?.array ?? []
        if self.configuration.transport == .upgrading, upgrades.contains("websocket") { self.beginProbe(now) }
    }

    private static func time(_ milliseconds: Double) -> TimeAmount {
        .milliseconds(Int64(min(max(milliseconds, Self.times.lowerBound), Self.times.upperBound)))
    }
}

extension SocketIOValue {
    /// A small document of JSON; nil if it is none.
    fileprivate static func json(_ text: String) -> SocketIOValue? {
        var reader = JSONReader(text, maximumDepth: 4, allowsControlCharacters: true)
        guard let value: SocketIOValue = reader.readValue(), reader.isComplete() else { return nil }
        return value
    }
}
