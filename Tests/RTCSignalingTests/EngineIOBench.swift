import NIOCore
import RTCBase
import Testing

@testable import RTCSignaling

/// A service with its clients, in virtual time; what the application would do is in the test's hands.
struct EngineIOBench {
    var service: EngineIOService
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var responses: [ExchangeID: SignalingResponse] = [:]
    var sent: [EngineIOWebSocketID: [WebSocketMessage]] = [:]
    var closedWebSockets: Set<EngineIOWebSocketID> = []
    var opened: [EngineIOSessionID] = []
    var upgraded: [EngineIOSessionID] = []
    var messages: [WebSocketMessage] = []
    var closed: [EngineIOService.End] = []
    private var count: UInt64 = 0

    init(seed: UInt64 = 7, _ change: (inout EngineIOConfiguration) -> Void = { _ in }) {
        var configuration = EngineIOConfiguration()
        change(&configuration)
        self.service = EngineIOService(configuration: configuration, random: .seeded(seed))
    }

    @discardableResult
    mutating func request(
        _ method: String,
        _ query: String,
        headers: SignalingHeaders = [:],
        _ body: ByteBuffer = ByteBuffer()
    ) -> ExchangeID {
        self.count += 1
        let exchange = ExchangeID(rawValue: self.count)
        let request = SignalingRequest(
            method: method,
            target: "/socket.io/?" + query,
            headers: headers,
            body: body
        )
        self.service.receive(request, exchange: exchange, now: self.now)
        self.drain()
        return exchange
    }

    func status(_ exchange: ExchangeID) -> Int? { self.responses[exchange]?.status }

    func text(_ exchange: ExchangeID) -> String? { self.responses[exchange].map { String(buffer: $0.body) } }

    /// Begins a session over requests.
    mutating func open(_ query: String = "") -> EngineIOSessionID {
        self.request("GET", "EIO=3&transport=polling" + query)
        return self.opened.last ?? EngineIOSessionID(text: "none")
    }

    @discardableResult
    mutating func get(_ id: EngineIOSessionID, _ query: String = "") -> ExchangeID {
        self.request("GET", "EIO=3&transport=polling&sid=\(id.text)\(query)")
    }

    @discardableResult
    mutating func post(_ id: EngineIOSessionID, _ body: String, headers: SignalingHeaders = [:]) -> ExchangeID {
        let query = "EIO=3&transport=polling&sid=\(id.text)"
        return self.request("POST", query, headers: headers, ByteBuffer(string: body))
    }

    mutating func openWebSocket(_ id: EngineIOSessionID? = nil) throws -> EngineIOWebSocketID {
        let opened = self.tryToOpenWebSocket(id)
        return try #require(opened)
    }

    /// Polls, and checks what comes at once.
    mutating func get(
        _ id: EngineIOSessionID,
        _ query: String = "",
        text: String? = nil,
        status: Int = 200,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let exchange = self.get(id, query)
        self.check(exchange, text, status, sourceLocation)
    }

    /// Sends packets, and checks the response.
    mutating func post(
        _ id: EngineIOSessionID,
        _ body: String,
        text: String? = nil,
        status: Int = 200,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let exchange = self.post(id, body)
        self.check(exchange, text, status, sourceLocation)
    }

    private func check(_ exchange: ExchangeID, _ text: String?, _ status: Int, _ sourceLocation: SourceLocation) {
        if let text { #expect(self.text(exchange) == text, sourceLocation: sourceLocation) }
        if text == nil || status != 200 { #expect(self.status(exchange) == status, sourceLocation: sourceLocation) }
    }

    mutating func tryToOpenWebSocket(_ id: EngineIOSessionID? = nil) -> EngineIOWebSocketID? {
        let session = id.map { "&sid=" + $0.text } ?? ""
        let request = SignalingRequest(method: "GET", target: "/socket.io/?EIO=3&transport=websocket" + session)
        defer { self.drain() }
        return self.service.openWebSocket(request, now: self.now)
    }

    mutating func receive(_ message: WebSocketMessage, _ webSocket: EngineIOWebSocketID) {
        self.service.receive(message, from: webSocket, now: self.now)
        self.drain()
    }

    mutating func send(_ message: WebSocketMessage, _ id: EngineIOSessionID) {
        self.service.send(message, to: id, now: self.now)
        self.drain()
    }

    mutating func pass(_ time: TimeAmount) {
        self.now = self.now + time
        self.service.handleTimeout(now: self.now)
        self.drain()
    }

    mutating func drain() {
        while let output = self.service.poll() {
            switch output {
            case .respond(let exchange, let response):
                #expect(self.responses[exchange] == nil, "responded twice")
                self.responses[exchange] = response
            case .transmit(let webSocket, let message):
                #expect(!self.closedWebSockets.contains(webSocket), "a message after the end")
                self.sent[webSocket, default: []].append(message)
            case .close(let webSocket):
                let isNew = self.closedWebSockets.insert(webSocket).inserted
                #expect(isNew, "closed twice")
            case .opened(let id, _): self.opened.append(id)
            case .message(_, let message): self.messages.append(message)
            case .upgraded(let id): self.upgraded.append(id)
            case .closed(_, let end): self.closed.append(end)
            }
        }
    }
}
