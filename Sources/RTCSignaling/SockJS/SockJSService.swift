public import NIOCore
public import RTCBase

/// Names a session of a ``SockJSService``. The client's own name for it is a secret and does not show.
public struct SockJSSessionID: Sendable, Hashable {
    let number: UInt64
}

/// A SockJS 0.3.3 service, as far as it goes over HTTP, doing no input or output: its pages, and sessions over XHR streaming and
/// polling, EventSource, HTML files and JSONP.
///
/// Requests go in through ``receive(_:exchange:now:)``; ``poll()`` gives responses in pieces and what happened to sessions. For
/// WebSockets only the framing is here, ``SockJSFrame``: a session there is its connection.
public struct SockJSService: Sendable {
    /// Why a session is over.
    public enum End: Sendable, Hashable {
        /// ``close(_:code:reason:now:)`` was called.
        case local
        /// The client went away: it made no request in time, or broke off one that receives.
        case disconnected
        /// More waited for the client than ``SockJSConfiguration/maximumUnsentBytes``.
        case tooSlow
    }

    /// What ``poll()`` gives.
    public enum Output: Sendable, Hashable {
        /// A whole response.
        case respond(ExchangeID, SignalingResponse)
        /// The beginning of a response whose body comes in pieces.
        case begin(ExchangeID, SignalingResponse)
        /// The next piece of a body.
        case body(ExchangeID, ByteBuffer)
        /// The end of a body.
        case end(ExchangeID)
        /// A session began, with the request that began it.
        case opened(SockJSSessionID, SignalingRequest)
        /// A message came.
        case message(SockJSSessionID, String)
        /// A session is over.
        case closed(SockJSSessionID, End)
    }

    /// The path of the service, without a slash at its end.
    public let path: String
    /// Limits and times.
    public let configuration: SockJSConfiguration

    var outputs = CircularBuffer<Output>()
    var sessions: [String: SockJSSession] = [:]
    var keys: [SockJSSessionID: String] = [:]
    /// The sessions that receive through an exchange.
    var receivers: [ExchangeID: String] = [:]
    var deadlines = DeadlineQueue<String>()
    private var nextID: UInt64 = 0
    private var random: RandomSource

    /// A service under a path.
    public init(
        path: String,
        configuration: SockJSConfiguration = SockJSConfiguration(),
        random: RandomSource = .system
    ) {
        self.path = path.hasSuffix("/") ? String(path.dropLast()) : path
        self.configuration = configuration
        self.random = random
    }

    /// How many sessions there are, with those that are over and not yet forgotten.
    public var sessionCount: Int { self.sessions.count }

    /// How many bytes wait for clients.
    public var unsentBytes: Int { self.sessions.values.reduce(0) { $0 + $1.waitingBytes } }

    // MARK: The four verbs

    /// Takes a request whose path begins with the service's; what it has nothing for gets 404.
    public mutating func receive(_ request: SignalingRequest, exchange: ExchangeID, now: NIODeadline) {
        guard let route = SockJSRoute(path: request.path, prefix: self.path) else {
            return self.respond(exchange, SignalingResponse(404))
        }
        switch route {
        case .greeting:
            self.respond(exchange, self.get(request) { SignalingResponse(200, text: SockJSPages.greeting) })
        case .iframe: self.respond(exchange, self.get(request) { self.iframe(request) })
        case .info: self.receiveInfo(request, exchange)
        case .rawWebSocket: self.respond(exchange, Self.webSocketRefusal(request))
        case .session(let key, let kind): self.receive(request, key: key, kind, exchange, now)
        }
    }

    /// Does what is due: heartbeats, and the end of sessions whose clients are gone.
    public mutating func handleTimeout(now: NIODeadline) {
        while let key = self.deadlines.popDue(now: now) { self.sessionTimeout(key, now: now) }
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> Output? { self.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due at the latest; nil when nothing is pending.
    public var nextTimeout: NIODeadline? { self.deadlines.next }

    // MARK: Requests

    private mutating func receive(
        _ request: SignalingRequest,
        key: String,
        _ kind: SockJSRoute.Kind,
        _ exchange: ExchangeID,
        _ now: NIODeadline
    ) {
        if request.method == "OPTIONS", kind != .webSocket {
            return self.respond(exchange, .preflight(request, allowing: kind.method))
        }
        if kind == .webSocket { return self.respond(exchange, Self.webSocketRefusal(request)) }
        guard request.method == kind.method else {
            return self.respond(exchange, Self.methodNotAllowed("OPTIONS, " + kind.method))
        }
        switch kind {
        case .xhrSend, .jsonpSend: self.receiveMessages(request, key: key, kind, exchange)
        case .xhr: self.attach(.xhr, request, key: key, exchange, now)
        case .xhrStreaming: self.attach(.xhrStreaming, request, key: key, exchange, now)
        case .eventSource: self.attach(.eventSource, request, key: key, exchange, now)
        case .htmlFile, .jsonp:
            guard let callback = request.queryValue("c") ?? request.queryValue("callback"), !callback.isEmpty else {
                return self.respond(exchange, SignalingResponse(500, text: "\"callback\" parameter required"))
            }
            guard Self.isCallback(callback) else {
                return self.respond(exchange, SignalingResponse(500, text: "invalid \"callback\" parameter"))
            }
            self.attach(
                kind == .htmlFile ? .htmlFile(callback: callback) : .jsonp(callback: callback),
                request,
                key: key,
                exchange,
                now
            )
        case .webSocket: break
        }
    }

    private mutating func receiveMessages(
        _ request: SignalingRequest,
        key: String,
        _ kind: SockJSRoute.Kind,
        _ exchange: ExchangeID
    ) {
        guard let session = self.sessions[key], session.end == nil else {
            return self.respond(exchange, SignalingResponse(404))
        }
        guard request.body.readableBytes <= self.configuration.maximumBodySize else {
            return self.respond(exchange, SignalingResponse(413))
        }
        var payload = request.body
        let type = request.headers.first("content-type") ?? ""
        if kind == .jsonpSend, type.hasPrefix("application/x-www-form-urlencoded") {
            payload = ByteBuffer(string: FormFields.value("d", in: String(buffer: payload)) ?? "")
        }
        guard payload.readableBytes > 0 else {
            return self.respond(exchange, SignalingResponse(500, text: "Payload expected."))
        }
        guard let messages = JSONStrings.decode(payload.readableBytesView) else {
            return self.respond(exchange, SignalingResponse(500, text: "Broken JSON encoding."))
        }
        for message in messages { self.outputs.append(.message(session.id, message)) }
        var response = SignalingResponse(kind == .xhrSend ? 204 : 200)
        if kind == .jsonpSend { response.body = ByteBuffer(string: "ok") }
        // With 204 too: some browsers take a response without a type for broken XML.
        response.headers.add("content-type", "text/plain; charset=UTF-8")
        response.headers.forbidCaching()
        self.respond(exchange, self.dressed(response, request))
    }

    private mutating func receiveInfo(_ request: SignalingRequest, _ exchange: ExchangeID) {
        switch request.method {
        case "OPTIONS": self.respond(exchange, .preflight(request, allowing: "GET"))
        case "GET":
            let entropy = UInt32(truncatingIfNeeded: self.random.next())
            let json = """
                {"websocket":\(self.configuration.hasWebSocket),"origins":["*:*"],\
                "cookie_needed":\(self.configuration.setsCookie),"entropy":\(entropy)}
                """
            var response = SignalingResponse(
                200,
                headers: ["content-type": "application/json; charset=UTF-8"],
                text: json
            )
            response.headers.forbidCaching()
            response.headers.allowOrigin(of: request)
            self.respond(exchange, response)
        default: self.respond(exchange, Self.methodNotAllowed("OPTIONS, GET"))
        }
    }

    // MARK: Sessions

    /// A number for a new session.
    mutating func makeID() -> SockJSSessionID {
        self.nextID += 1
        return SockJSSessionID(number: self.nextID)
    }

    mutating func respond(_ exchange: ExchangeID, _ response: SignalingResponse) {
        self.outputs.append(.respond(exchange, response))
    }

    /// The response with what all responses of sessions have.
    func dressed(_ response: SignalingResponse, _ request: SignalingRequest) -> SignalingResponse {
        var response = response
        response.headers.allowOrigin(of: request)
        if self.configuration.setsCookie {
            let value = request.cookie("JSESSIONID") ?? "dummy"
            response.headers.add("set-cookie", "JSESSIONID=\(value); path=/")
        }
        return response
    }
}
