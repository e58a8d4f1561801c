import NIOCore

/// What is known of a client, by whoever serves it.
protocol STOMPServedClient: Sendable {
    var reader: STOMPFrameReader { get set }
    var version: STOMPVersion { get set }
    var user: String? { get }
    /// The name of the session, as the client is told it.
    var session: String { get }
    /// The frame that the owner was asked about.
    var waiting: STOMPFrame? { get set }
    var unsentBytes: Int { get set }
    var liveness: STOMPLiveness { get set }

    /// Whether it has yet to be let in.
    var isConnecting: Bool { get }
    /// Whether what it sends has to wait.
    var isHeld: Bool { get }
    /// Whether what it sends counts.
    var isHeard: Bool { get }
    /// Whether it is told anything.
    var isTold: Bool { get }
}

/// What those who serve clients have to say of them.
protocol STOMPServerOutput: Sendable {
    static func transmit(_ id: STOMPConnectionID, _ bytes: ByteBuffer) -> Self
    static func ask(_ question: STOMPQuestion) -> Self
}

/// What a broker of its own and a relay have in common: how clients come in, what they may do, and how they are told that it went wrong.
protocol STOMPServer: Sendable {
    associatedtype Client: STOMPServedClient
    associatedtype Output: STOMPServerOutput

    var configuration: STOMPConfiguration { get }
    var outputs: CircularBuffer<Output> { get set }
    var clients: [STOMPConnectionID: Client] { get set }
    var clientDeadlines: DeadlineQueue<STOMPConnectionID> { get set }
    var lastConnection: UInt64 { get set }
    var slowConnections: Int { get set }

    /// A client may come in, with the frame that asked for it.
    mutating func admitted(_ id: STOMPConnectionID, user: String?, _ frame: STOMPFrame, _ now: NIODeadline)
    /// Does what a frame asks for.
    mutating func perform(_ frame: STOMPFrame, of id: STOMPConnectionID, _ now: NIODeadline)
    /// Sends bytes, by ``write(_:to:_:)``.
    mutating func transmit(_ bytes: ByteBuffer, to id: STOMPConnectionID, _ now: NIODeadline)
    mutating func end(_ id: STOMPConnectionID)
}

extension STOMPServer {
    // MARK: Connections

    /// Adds a client; nil if there are as many as allowed.
    mutating func add(
        _ now: NIODeadline,
        _ make: (STOMPConnectionID, STOMPFrameReader, STOMPLiveness) -> Client
    ) -> STOMPConnectionID? {
        guard self.clients.count < self.configuration.maximumConnections else { return nil }
        self.lastConnection += 1
        let id = STOMPConnectionID(number: self.lastConnection)
        let liveness = STOMPLiveness(setUpWithin: self.configuration.connectTimeout, now: now)
        self.clients[id] = make(id, self.makeReader(), liveness)
        self.clientDeadlines.set(liveness.nextTimeout, for: id)
        return id
    }

    func makeReader() -> STOMPFrameReader {
        var reader = STOMPFrameReader()
        reader.limits.headSize = self.configuration.maximumHeadSize
        reader.limits.headers = self.configuration.maximumHeaders
        reader.limits.bodySize = self.configuration.maximumBodySize
        return reader
    }

    mutating func clientTimeout(_ id: STOMPConnectionID, _ now: NIODeadline) {
        guard let client = self.clients[id] else { return }
        switch client.liveness.due(now: now) {
        case .setUp where client.isHeard: self.fail(id, "CONNECT did not come in time", nil, now)
        case .setUp, .silence: self.end(id)
        case .heartbeat:
            self.transmit(ByteBuffer(string: "\n"), to: id, now)
            self.updateDeadline(of: id)
        case nil: self.updateDeadline(of: id)
        }
    }

    /// Nothing is due any more for a client that is told nothing: a heart-beat that cannot go out would be due for ever.
    mutating func updateDeadline(of id: STOMPConnectionID) {
        let client = self.clients[id].flatMap { $0.isTold ? $0 : nil }
        self.clientDeadlines.set(client?.liveness.nextTimeout, for: id)
    }

    // MARK: What clients send

    /// Takes bytes that a client sent, cut anywhere.
    mutating func take(_ bytes: ByteBuffer, from id: STOMPConnectionID, _ now: NIODeadline) {
        guard self.clients[id]?.isHeard == true else { return }
        self.clients[id]?.liveness.lastReceived = now
        self.clients[id]?.reader.append(bytes)
        self.process(id, now)
    }

    /// Takes the frames of a client that are there, as long as none has to wait.
    mutating func process(_ id: STOMPConnectionID, _ now: NIODeadline) {
        while let client = self.clients[id], client.isHeard {
            guard !client.isHeld else {
                let limit = 2 * (self.configuration.maximumBodySize + self.configuration.maximumHeadSize)
                if client.reader.pendingBytes > limit { self.fail(id, "too much at once", nil, now) }
                return
            }
            switch self.clients[id]?.reader.next() ?? .needsMore {
            case .needsMore: return
            case .failure(let reason): self.fail(id, reason, nil, now)
            case .frame(let frame): self.received(frame, from: id, client, now)
            }
        }
    }

    private mutating func received(
        _ frame: STOMPFrame,
        from id: STOMPConnectionID,
        _ client: Client,
        _ now: NIODeadline
    ) {
        let isConnect = frame.command == "CONNECT" || frame.command == "STOMP"
        guard isConnect == client.isConnecting else {
            return self.fail(id, isConnect ? "connected already" : "not connected", frame, now)
        }
        var kind: STOMPQuestion.Kind?
        if isConnect {
            guard self.negotiate(frame, id, now) else { return }
            kind = .connect(login: frame["login"], passcode: frame["passcode"], host: frame["host"])
        } else if frame.command == "SEND" || frame.command == "SUBSCRIBE" {
            guard let destination = frame["destination"], destination.utf8.count <= 1024 else {
                return self.fail(id, "no destination", frame, now)
            }
            kind = frame.command == "SEND" ? .send(destination: destination) : .subscribe(destination: destination)
        }
        guard self.configuration.asks, let kind else {
            return isConnect ? self.admitted(id, user: nil, frame, now) : self.perform(frame, of: id, now)
        }
        self.clients[id]?.waiting = frame
        self.outputs.append(.ask(STOMPQuestion(connection: id, user: client.user, kind: kind)))
    }

    private mutating func negotiate(_ frame: STOMPFrame, _ id: STOMPConnectionID, _ now: NIODeadline) -> Bool {
        switch STOMPNegotiation.of(frame, heartbeatInterval: self.configuration.heartbeatInterval) {
        case .failure(let failure):
            self.fail(id, failure.reason, frame, now)
            return false
        case .success(let agreed):
            self.clients[id]?.version = agreed.version
            self.clients[id]?.reader.version = agreed.version
            self.clients[id]?.liveness.set(agreed)
            return true
        }
    }

    /// Goes on after the owner's answer to the question of a client; does nothing if it has none.
    mutating func goOn(_ id: STOMPConnectionID, after answer: STOMPAnswer, _ now: NIODeadline) {
        guard let client = self.clients[id], let frame = client.waiting else { return }
        self.clients[id]?.waiting = nil
        switch answer {
        case .deny(let reason): self.fail(id, reason, frame, now)
        case .allow(let user) where client.isConnecting: self.admitted(id, user: user, frame, now)
        case .allow: self.perform(frame, of: id, now)
        }
        self.process(id, now)
    }

    // MARK: What clients are told

    mutating func transmit(_ frame: STOMPFrame, to id: STOMPConnectionID, _ now: NIODeadline) {
        guard let version = self.clients[id]?.version else { return }
        self.transmit(frame.encoded(for: version), to: id, now)
    }

    /// Has bytes written, unless too much waits already: then the client's connection is over.
    ///
    /// - Returns: Whether they are written.
    mutating func write(_ bytes: ByteBuffer, to id: STOMPConnectionID, _ now: NIODeadline) -> Bool {
        guard let client = self.clients[id], client.isTold else { return false }
        let unsent = client.unsentBytes + bytes.readableBytes
        guard unsent <= self.configuration.maximumUnsentBytes else {
            self.slowConnections += 1
            self.end(id)
            return false
        }
        self.clients[id]?.unsentBytes = unsent
        self.clients[id]?.liveness.lastSent = now
        self.outputs.append(.transmit(id, bytes))
        return true
    }

    /// Tells a client that it is in.
    mutating func sayConnected(to id: STOMPConnectionID, _ now: NIODeadline) {
        guard let client = self.clients[id] else { return }
        let own = self.configuration.heartbeatInterval.nanoseconds / 1_000_000
        var headers: [STOMPFrame.Header] = [
            .init("version", client.version.rawValue), .init("session", client.session),
            .init("server", self.configuration.serverName),
        ]
        if client.version > .v1_0 { headers.append(.init("heart-beat", "\(own),\(own)")) }
        if let user = client.user { headers.append(.init("user-name", user)) }
        self.transmit(STOMPFrame("CONNECTED", headers), to: id, now)
        self.updateDeadline(of: id)
    }

    /// Tells a client that a frame was taken which asked for a receipt of this name.
    mutating func giveReceipt(_ receipt: String, to id: STOMPConnectionID, _ now: NIODeadline) {
        self.transmit(STOMPFrame("RECEIPT", [.init("receipt-id", receipt)]), to: id, now)
    }

    /// Sends an `ERROR`, the last that a client hears.
    mutating func fail(_ id: STOMPConnectionID, _ reason: String, _ frame: STOMPFrame?, _ now: NIODeadline) {
        guard let client = self.clients[id], client.isTold else { return }
        var headers = [STOMPFrame.Header("message", reason), .init("content-type", "text/plain")]
        if let receipt = frame?["receipt"] { headers.append(.init("receipt-id", receipt)) }
        if client.isConnecting { headers.append(.init("version", "1.0,1.1,1.2")) }
        self.transmit(STOMPFrame("ERROR", headers, body: ByteBuffer(string: reason)), to: id, now)
        self.end(id)
    }
}
