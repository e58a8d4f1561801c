public import NIOCore
public import RTCBase

/// Names a session of a ``PollingService``. What the client knows it by is a secret and does not show.
public struct PollingSessionID: Sendable, Hashable {
    let number: UInt64
}

/// Sessions for clients that have nothing but HTTP requests, doing no input or output: polling, long polling and a stream of
/// server-sent events. `Documentation/Signaling.md` has the wire format.
///
/// Each side numbers its messages from 1, and keeps them until the other has acknowledged them: nothing is lost or taken twice,
/// whichever request or response gets lost.
public struct PollingService: HTTPSessionService {
    /// The path of the service, without a slash at its end.
    public let path: String
    /// Limits and times.
    public let configuration: PollingConfiguration

    var table = HTTPSessionTable<PollingSession>()
    private var random: RandomSource

    /// A service under a path.
    public init(
        path: String,
        configuration: PollingConfiguration = PollingConfiguration(),
        random: RandomSource = .system
    ) {
        self.path = path.hasSuffix("/") ? String(path.dropLast()) : path
        self.configuration = configuration
        self.random = random
    }

    /// How many sessions there are, with those that are over and not yet forgotten.
    public var sessionCount: Int { self.table.sessions.count }

    /// Bytes of messages that wait for clients.
    public var unsentBytes: Int { self.table.sessions.values.reduce(0) { $0 + $1.bytes } }

    // MARK: The four verbs

    /// Takes a request whose path begins with the service's; what it has nothing for gets 404.
    public mutating func receive(_ request: SignalingRequest, exchange: ExchangeID, now: NIODeadline) {
        guard request.path.hasPrefix(self.path) else { return self.respond(exchange, request, 404) }
        let rest = request.path.dropFirst(self.path.count)
        if rest.isEmpty || rest == "/" {
            switch request.method {
            case "POST": self.open(request, exchange, now)
            case "OPTIONS": self.table.outputs.append(.respond(exchange, .preflight(request, allowing: "POST")))
            default: self.refuseMethod(exchange, request, allowed: "OPTIONS, POST")
            }
            return
        }
        if request.method == "OPTIONS" {
            return self.table.outputs.append(.respond(exchange, .preflight(request, allowing: "GET, POST, DELETE")))
        }
        let key = String(rest.dropFirst())
        guard rest.first == "/", self.table.sessions[key] != nil else {
            return self.respond(exchange, request, 404, text: "no such session")
        }
        switch request.method {
        case "GET": self.attach(request, key, exchange, now)
        case "POST": self.receiveMessages(request, key, exchange, now)
        case "DELETE":
            self.leave(key)
            self.respond(exchange, request, 204)
        default: self.refuseMethod(exchange, request, allowed: "OPTIONS, GET, POST, DELETE")
        }
    }

    /// Does what is due: polls that got nothing, signs of life, and the end of sessions whose clients are gone.
    public mutating func handleTimeout(now: NIODeadline) {
        while let key = self.table.deadlines.popDue(now: now) { self.sessionTimeout(key, now: now) }
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> HTTPSessionOutput<PollingSessionID>? { self.table.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due at the latest; nil when nothing is pending.
    public var nextTimeout: NIODeadline? { self.table.deadlines.next }

    // MARK: Requests

    private mutating func open(_ request: SignalingRequest, _ exchange: ExchangeID, _ now: NIODeadline) {
        guard self.table.sessions.count < self.configuration.maximumSessions else {
            return self.respond(
                exchange,
                request,
                503,
                headers: ["retry-after": self.configuration.retryAfter],
                text: "too many sessions"
            )
        }
        let key = Base64.encodeForURL(self.random.bytes(count: 18))
        self.table.open(key, request) { PollingSession(id: PollingSessionID(number: $0)) }
        self.table.deadlines.set(now + self.configuration.sessionTimeout, for: key)
        let seconds = { (time: TimeAmount) in time.nanoseconds / 1_000_000_000 }
        self.respond(
            exchange,
            request,
            201,
            headers: ["location": self.path + "/" + key],
            json: """
                {"session":\(JSONStrings.encode(key)),"wait":\(seconds(self.configuration.maximumWait)),\
                "timeout":\(seconds(self.configuration.sessionTimeout))}
                """
        )
    }

    private mutating func receiveMessages(
        _ request: SignalingRequest,
        _ key: String,
        _ exchange: ExchangeID,
        _ now: NIODeadline
    ) {
        guard var session = self.table.sessions[key] else { return }
        if let end = session.end { return self.respondGone(exchange, request, end) }
        guard request.body.readableBytes <= self.configuration.maximumBodySize else {
            return self.respond(exchange, request, 413, text: "the body is too large")
        }
        guard let messages = Self.messages(in: request), let after = Self.number("after", in: request, absent: 0),
            let number = Self.number("id", in: request, absent: session.received + 1), number > 0,
            after <= session.last
        else {
            return self.respond(exchange, request, 400, text: "not text, or a number that cannot be")
        }
        session.acknowledge(after)
        self.table.sessions[key] = session
        self.touch(key, now)
        guard number <= session.received + 1 else { return self.acknowledge(exchange, request, session, status: 409) }
        // What was taken already is acknowledged again.
        let known = Int(clamping: session.received + 1 - number)
        let new = messages.dropFirst(known)
        guard session.isReading || new.isEmpty else {
            return self.acknowledge(exchange, request, session, status: 429)
        }
        session.received += UInt64(new.count)
        self.table.sessions[key] = session
        self.acknowledge(exchange, request, session, status: 200)
        for message in new { self.table.outputs.append(.message(session.id, message)) }
    }

    /// The messages of a body: an array of strings in JSON, or one message of any other text; none if it is empty.
    private static func messages(in request: SignalingRequest) -> [String]? {
        let bytes = request.body.readableBytesView
        guard !bytes.isEmpty else { return [] }
        let type = request.headers.first("content-type")?.prefix { $0 != ";" }.trimmingSpaces().lowercased()
        if type == "application/json" { return JSONStrings.decode(bytes) }
        return String(validating: bytes, as: UTF8.self).map { [$0] }
    }

    /// A number in the query: nil if it is none, `absent` if it is not there.
    static func number(_ name: String, in request: SignalingRequest, absent: UInt64) -> UInt64? {
        guard let text = request.queryValue(name) else { return absent }
        // Far from where counting on would overflow.
        return UInt64(text).flatMap { $0 < 1 << 53 ? $0 : nil }
    }

    // MARK: Responses

    private mutating func acknowledge(
        _ exchange: ExchangeID,
        _ request: SignalingRequest,
        _ session: PollingSession,
        status: Int
    ) {
        self.respond(
            exchange,
            request,
            status,
            headers: status == 429 ? ["retry-after": self.configuration.retryAfter] : [:],
            json: "{\"received\":\(session.received)}"
        )
    }

    mutating func respondGone(_ exchange: ExchangeID, _ request: SignalingRequest, _ end: CloseNotice) {
        self.respond(exchange, request, 410, json: end.json)
    }

    private mutating func refuseMethod(_ exchange: ExchangeID, _ request: SignalingRequest, allowed: String) {
        self.respond(exchange, request, 405, headers: ["allow": allowed], text: "allowed are \(allowed)")
    }

    mutating func respond(
        _ exchange: ExchangeID,
        _ request: SignalingRequest,
        _ status: Int,
        headers: SignalingHeaders = [:],
        json: String? = nil,
        text: String? = nil
    ) {
        var response = SignalingResponse(status, headers: headers)
        if let body = json ?? text {
            let type = json == nil ? "text/plain; charset=utf-8" : "application/json"
            response.headers.add("content-type", type)
            response.body.writeString(body)
        }
        response.headers.dressForPolling(request)
        self.table.outputs.append(.respond(exchange, response))
    }
}

extension CloseNotice {
    var json: String { "{\"code\":\(self.code),\"reason\":\(JSONStrings.encode(self.reason))}" }
}

extension SignalingHeaders {
    /// What all responses of sessions have.
    mutating func dressForPolling(_ request: SignalingRequest) {
        self.forbidCaching()
        self.allowOrigin(of: request)
        self.set("access-control-expose-headers", "location, retry-after")
        // A script's or page's text in a message must never be taken for one.
        self.set("x-content-type-options", "nosniff")
    }
}
