public import NIOCore
public import RTCBase

/// A server of Engine.IO, protocol revision 3, doing no input or output: sessions over polling requests, by XHR and JSONP, and over
/// WebSockets, and the change from one to the other.
///
/// Requests go in through ``receive(_:exchange:now:)`` and what WebSockets bring through ``receive(_:from:now:)``; ``poll()`` gives
/// responses, messages for WebSockets and what happened to sessions. The owner does WebSockets' own protocol.
public struct EngineIOService: Sendable {
    /// Why a session is over.
    public enum End: Sendable, Hashable {
        /// ``close(_:now:)`` was called.
        case local
        /// The client said so.
        case remote
        /// The session's WebSocket ended.
        case transportClosed
        /// The client broke the protocol, or broke off a poll.
        case transportError
        /// No packet came for too long.
        case pingTimeout
        /// More waited for the client than ``EngineIOConfiguration/maximumUnsentBytes``.
        case tooSlow
    }

    /// What ``poll()`` gives.
    public enum Output: Sendable, Hashable {
        /// A response.
        case respond(ExchangeID, SignalingResponse)
        /// A message to send over a WebSocket.
        case transmit(EngineIOWebSocketID, WebSocketMessage)
        /// A WebSocket to close after what is to be sent over it. Nothing comes after this for it.
        case close(EngineIOWebSocketID)
        /// A session began, with the request that began it.
        case opened(EngineIOSessionID, SignalingRequest)
        /// A message came.
        case message(EngineIOSessionID, WebSocketMessage)
        /// A WebSocket has taken a session over from requests.
        case upgraded(EngineIOSessionID)
        /// A session is over.
        case closed(EngineIOSessionID, End)
    }

    /// Limits and times.
    public let configuration: EngineIOConfiguration

    var outputs = CircularBuffer<Output>()
    var sessions: [EngineIOSessionID: EngineIOSession] = [:]
    /// The sessions whose polls wait.
    var polls: [ExchangeID: EngineIOSessionID] = [:]
    /// The sessions of WebSockets, also of those that are only to take them over.
    var webSockets: [EngineIOWebSocketID: EngineIOSessionID] = [:]
    var deadlines = DeadlineQueue<EngineIOSessionID>()
    private var nextWebSocket: UInt64 = 0
    private var random: RandomSource

    /// A service without sessions.
    public init(configuration: EngineIOConfiguration = EngineIOConfiguration(), random: RandomSource = .system) {
        self.configuration = configuration
        self.random = random
    }

    /// How many sessions there are, with those that are over and not yet forgotten.
    public var sessionCount: Int { self.sessions.count }

    /// Bytes that wait for polls.
    public var unsentBytes: Int { self.sessions.values.reduce(0) { $0 + $1.waitingBytes } }

    /// The WebSocket that carries a session; nil if requests do, or if the session is over.
    public func webSocket(of id: EngineIOSessionID) -> EngineIOWebSocketID? { self.sessions[id]?.webSocket }

    // MARK: The four verbs

    /// Takes a request.
    public mutating func receive(_ request: SignalingRequest, exchange: ExchangeID, now: NIODeadline) {
        if request.method == "OPTIONS" {
            return self.respond(exchange, .preflight(request, allowing: "GET, POST"))
        }
        if let refusal = self.refusal(for: request) {
            return self.respond(exchange, refusal.response(to: request))
        }
        // A good handshake that comes here: whoever owns the connections does not upgrade it.
        guard request.queryValue("transport") == "polling" else {
            return self.respond(exchange, EngineIORefusal.badRequest.response(to: request))
        }
        guard let id = self.sessionID(of: request) else {
            self.begin(request, webSocket: nil, exchange: exchange, now)
            return
        }
        switch request.method {
        case "GET": self.receivePoll(request, of: id, exchange, now)
        case "POST": self.receivePackets(request, of: id, exchange, now)
        default: self.respond(exchange, EngineIORefusal.badRequest.response(to: request))
        }
    }

    /// Takes a message that came over a WebSocket.
    public mutating func receive(_ message: WebSocketMessage, from webSocket: EngineIOWebSocketID, now: NIODeadline) {
        guard let id = self.webSockets[webSocket], let session = self.sessions[id] else { return }
        let packet = EngineIOPacket(frame: message)
        if session.webSocket != webSocket { return self.receiveProbe(packet, webSocket, of: id, now) }
        guard let packet else { return self.end(id, .transportError, now) }
        self.receive(packet, of: id, now)
    }

    /// Does what is due: the end of silent sessions and of upgrades that take too long.
    public mutating func handleTimeout(now: NIODeadline) {
        while let id = self.deadlines.popDue(now: now) { self.sessionTimeout(id, now) }
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> Output? { self.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due at the latest; nil when nothing is pending.
    public var nextTimeout: NIODeadline? { self.deadlines.next }

    // MARK: Handshakes

    /// Why a request for a session is refused, whether it is a WebSocket's handshake or not; nil if it is not.
    public func refusal(for request: SignalingRequest) -> EngineIORefusal? {
        guard [nil, "3"].contains(request.queryValue("EIO")) else { return .unsupportedProtocolVersion }
        let isWebSocket: Bool
        switch request.queryValue("transport") {
        case "polling" where self.configuration.hasPolling: isWebSocket = false
        case "websocket" where self.configuration.hasWebSocket: isWebSocket = true
        default: return .unknownTransport
        }
        if let id = self.sessionID(of: request) {
            guard let session = self.sessions[id] else { return .unknownSession }
            if session.endDeadline != nil, isWebSocket { return .unknownSession }
            return session.webSocket != nil || (isWebSocket && session.probe != nil) ? .badRequest : nil
        }
        guard request.method == "GET" else { return .badHandshakeMethod }
        return self.sessions.count < self.configuration.maximumSessions ? nil : .forbidden
    }

    /// A WebSocket was opened, for a new session or to take one over; nil if the request is refused.
    public mutating func openWebSocket(_ request: SignalingRequest, now: NIODeadline) -> EngineIOWebSocketID? {
        guard request.queryValue("transport") == "websocket", self.refusal(for: request) == nil else { return nil }
        self.nextWebSocket += 1
        let webSocket = EngineIOWebSocketID(number: self.nextWebSocket)
        if let id = self.sessionID(of: request) {
            self.webSockets[webSocket] = id
            self.sessions[id]?.probe = EngineIOSession.Probe(
                webSocket: webSocket,
                supportsBinary: !Self.wantsBase64(request),
                deadline: now + self.configuration.upgradeTimeout
            )
            self.updateDeadline(of: id)
        } else {
            self.begin(request, webSocket: webSocket, exchange: nil, now)
        }
        return webSocket
    }

    private func sessionID(of request: SignalingRequest) -> EngineIOSessionID? {
        request.queryValue("sid").map(EngineIOSessionID.init(text:))
    }

    private mutating func begin(
        _ request: SignalingRequest,
        webSocket: EngineIOWebSocketID?,
        exchange: ExchangeID?,
        _ now: NIODeadline
    ) {
        let id = EngineIOSessionID(text: Base64.encodeForURL(self.random.bytes(count: 15)))
        self.sessions[id] = EngineIOSession(
            id: id,
            webSocket: webSocket,
            supportsBinary: !Self.wantsBase64(request),
            lastReceived: now
        )
        let open = EngineIOPacket(.open, .text(self.handshake(of: id, isUpgradable: webSocket == nil)))
        if let webSocket {
            self.webSockets[webSocket] = id
            self.outputs.append(.transmit(webSocket, open.frame()))
        } else if let exchange {
            var response = Self.response(to: request, carrying: [open], supportsBinary: true)
            if let name = self.configuration.cookieName {
                response.headers.add("set-cookie", "\(name)=\(id.text); Path=/; HttpOnly; SameSite=Lax")
            }
            self.respond(exchange, response)
        }
        self.outputs.append(.opened(id, request))
        self.updateDeadline(of: id)
    }

    private func handshake(of id: EngineIOSessionID, isUpgradable: Bool) -> String {
        let upgrades = isUpgradable && self.configuration.hasWebSocket ? "[\"websocket\"]" : "[]"
        let interval = self.configuration.pingInterval.nanoseconds / 1_000_000
        let timeout = self.configuration.pingTimeout.nanoseconds / 1_000_000
        return """
            {"sid":"\(id.text)","upgrades":\(upgrades),"pingInterval":\(interval),"pingTimeout":\(timeout)}
            """
    }

    static func wantsBase64(_ request: SignalingRequest) -> Bool {
        !["", "0"].contains(request.queryValue("b64") ?? "") || request.queryValue("j") != nil
    }
}
