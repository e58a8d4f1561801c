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
public struct SockJSService: HTTPSessionService {
    /// Why a session is over.
    public typealias End = HTTPSessionEnd
    /// What ``poll()`` gives.
    public typealias Output = HTTPSessionOutput<SockJSSessionID>

    /// The path of the service, without a slash at its end.
    public let path: String
    /// Limits and times.
    public let configuration: SockJSConfiguration

    var table = HTTPSessionTable<SockJSSession>()
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
    public var sessionCount: Int { self.table.sessions.count }

    /// How many bytes wait for clients.
    public var unsentBytes: Int { self.table.sessions.values.reduce(0) { $0 + $1.waitingBytes } }

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
        while let key = self.table.deadlines.popDue(now: now) { self.sessionTimeout(key, now: now) }
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> Output? { self.table.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due at the latest; nil when nothing is pending.
    public var nextTimeout: NIODeadline? { self.table.deadlines.next }

    /// Its clients send when they like.
    public static var canPause: Bool { false }

    public mutating func setReading(_ isReading: Bool, of session: SockJSSessionID) {}

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
        guard let session = self.table.sessions[key], session.end == nil else {
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
        for message in messages { self.table.outputs.append(.message(session.id, message)) }
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

    // MARK: Responses

    mutating func respond(_ exchange: ExchangeID, _ response: SignalingResponse) {
        self.table.outputs.append(.respond(exchange, response))
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
