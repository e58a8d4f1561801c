import NIOCore
import RTCBase
import Testing

@testable import RTCSignaling

/// A client and a broker that exchange requests and messages without a network, in virtual time.
struct SocketIOClientBench {
    typealias Session = SocketIOClientSession

    /// What goes on of one session of the client.
    private struct Link {
        var poll: ExchangeID?
        var webSocket: EngineIOWebSocketID?
    }

    var client: Session
    var broker: SocketIOBroker
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    /// Whether the server is there.
    var isServing = true
    /// Whether WebSockets come through.
    var passesWebSockets = true
    /// Whether anything comes through; what is sent meanwhile is lost.
    var isCut = false

    var heard: [Session.SocketOutput] = []
    var states: [Session.State] = []
    var answers: [UInt64: Result<[SocketIOValue], SocketIOClientError>] = [:]
    var served: [(socket: SocketIOSocketID, event: SocketIOEvent)] = []
    var sockets: [SocketIOSocketID] = []
    /// What the client did, in words.
    var actions: [String] = []
    /// What it sent over a WebSocket while nothing came through.
    var lost: [WebSocketMessage] = []

    private var links: [Int: Link] = [:]
    private var exchanges: [ExchangeID: (link: Int, method: EngineIOClientSession.Method)] = [:]
    private var webSockets: [EngineIOWebSocketID: Int] = [:]
    private var count: UInt64 = 0

    init(
        seed: UInt64 = 7,
        query: String? = nil,
        server: (inout SocketIOConfiguration) -> Void = { _ in },
        client: (inout SocketIOClientConfiguration) -> Void = { _ in }
    ) {
        var serverConfiguration = SocketIOConfiguration()
        serverConfiguration.namespaces = ["/", "/chat"]
        server(&serverConfiguration)
        var clientConfiguration = SocketIOClientConfiguration()
        client(&clientConfiguration)
        self.broker = SocketIOBroker(configuration: serverConfiguration, random: .seeded(seed))
        self.client = Session(query: query, configuration: clientConfiguration, random: .seeded(seed))
    }

    // MARK: What a test does

    mutating func open(_ namespace: String = "/", query: String = "") throws -> Session.SocketID {
        let id = try self.client.openSocket(namespace, query: query, now: self.now)
        self.drain()
        // A poll that is late for the upgrade is answered so soon.
        self.pass(.milliseconds(100))
        return id
    }

    mutating func emit(_ name: String, _ arguments: SocketIOValue..., to id: Session.SocketID) throws {
        try self.client.emit(name, arguments, to: id, now: self.now)
        self.drain()
    }

    mutating func ask(
        _ name: String,
        to id: Session.SocketID,
        within timeout: TimeAmount = .seconds(10)
    ) throws -> UInt64 {
        let number = try self.client.emit(name, [], to: id, acknowledgedBy: self.now + timeout, now: self.now)
        self.drain()
        return try #require(number)
    }

    /// Hears texts over the WebSocket of the first session.
    mutating func hear(_ texts: String...) {
        for text in texts {
            self.client.receive(.webSocketMessage(.text(text)), from: 1, now: self.now)
            self.drain()
        }
    }

    mutating func close() {
        self.client.close(now: self.now)
        self.drain()
    }

    /// Lets time pass, for both.
    mutating func pass(_ time: TimeAmount) {
        let end = self.now + time
        while true {
            let next = [self.client.nextTimeout, self.broker.nextTimeout].compactMap { $0 }.min()
            self.now = max(self.now, min(next ?? end, end))
            self.client.handleTimeout(now: self.now)
            self.broker.handleTimeout(now: self.now)
            self.drain()
            guard let next, next < end else { break }
        }
        self.now = end
    }

    /// The server dies, and all that it knew.
    mutating func kill() {
        self.isServing = false
        self.sockets = []
        self.broker = SocketIOBroker(configuration: self.broker.configuration, random: .seeded(9))
        for link in self.links.keys.sorted() { self.breakLink(link) }
        self.drain()
    }

    /// Connections break, and the server does not know it.
    mutating func breakLinks() {
        for link in self.links.keys.sorted() { self.breakLink(link) }
        self.drain()
    }

    private mutating func breakLink(_ number: Int) {
        let broken = SignalingChannelError.connectionFailed(reason: "broken")
        let link = self.links.removeValue(forKey: number)
        self.exchanges = self.exchanges.filter { $0.value.link != number }
        if let webSocket = link?.webSocket { self.webSockets[webSocket] = nil }
        if link?.poll != nil { self.client.receive(.failed(.get, broken), from: number, now: self.now) }
        if link?.webSocket != nil { self.client.receive(.webSocketEnded(broken), from: number, now: self.now) }
    }

    // MARK: Between them

    mutating func drain() {
        while true {
            if let output = self.client.poll() {
                self.perform(output)
            } else if let output = self.broker.poll() {
                self.perform(output)
            } else {
                return
            }
        }
    }

    private mutating func perform(_ output: Session.Output) {
        switch output {
        case .perform(let number, let action): self.perform(action, number)
        case .end(let number):
            guard let link = self.links.removeValue(forKey: number) else { return }
            if let poll = link.poll {
                self.exchanges[poll] = nil
                self.broker.exchangeEnded(poll, now: self.now)
            }
            if let webSocket = link.webSocket { self.broker.webSocketEnded(webSocket, now: self.now) }
        case .socket(_, let output): self.heard.append(output)
        case .acknowledged(let number, let answer):
            #expect(self.answers[number] == nil, "answered twice")
            self.answers[number] = answer
        case .state(let state): self.states.append(state)
        }
    }

    private mutating func perform(_ action: EngineIOClientSession.Action, _ number: Int) {
        guard !self.isCut else {
            if case .transmit(let message) = action { self.lost.append(message) }
            return
        }
        switch action {
        case .get(let query): self.request("GET", .get, query, nil, number)
        case .post(let query, let body): self.request("POST", .post, query, body, number)
        case .openWebSocket(let query):
            self.actions.append("open")
            let request = SignalingRequest(method: "GET", target: "/socket.io/?" + query)
            guard self.isServing, self.passesWebSockets else {
                let error = SignalingChannelError.connectionFailed(reason: "nobody there")
                return self.client.receive(.webSocketEnded(error), from: number, now: self.now)
            }
            guard let webSocket = self.broker.openWebSocket(request, now: self.now) else {
                let error = SignalingChannelError.refused(status: 400, reason: "Bad Request")
                return self.client.receive(.webSocketEnded(error), from: number, now: self.now)
            }
            self.links[number, default: Link()].webSocket = webSocket
            self.webSockets[webSocket] = number
            self.client.receive(.webSocketOpened, from: number, now: self.now)
        case .transmit(let message):
            if case .text(let text) = message { self.actions.append(text) }
            guard let webSocket = self.links[number]?.webSocket else { return }
            self.client.receive(.transmitted(message.size), from: number, now: self.now)
            self.broker.receive(message, from: webSocket, now: self.now)
        case .closeWebSocket:
            self.actions.append("close")
            guard let webSocket = self.links[number]?.webSocket else { return }
            self.links[number]?.webSocket = nil
            self.webSockets[webSocket] = nil
            self.broker.webSocketEnded(webSocket, now: self.now)
            self.client.receive(.webSocketEnded(nil), from: number, now: self.now)
        }
    }

    private mutating func request(
        _ name: String,
        _ method: EngineIOClientSession.Method,
        _ query: String,
        _ body: WebSocketMessage?,
        _ number: Int
    ) {
        self.actions.append(name)
        guard self.isServing else {
            let error = SignalingChannelError.connectionFailed(reason: "nobody there")
            return self.client.receive(.failed(method, error), from: number, now: self.now)
        }
        self.count += 1
        let exchange = ExchangeID(rawValue: self.count)
        self.exchanges[exchange] = (number, method)
        if method == .get { self.links[number, default: Link()].poll = exchange }
        var request = SignalingRequest(method: name, target: "/socket.io/?" + query)
        switch body {
        case .text(let text)?: request.body = ByteBuffer(string: text)
        case .binary(let bytes)?:
            request.body = bytes
            request.headers.add("content-type", "application/octet-stream")
        case nil: break
        }
        self.broker.receive(request, exchange: exchange, now: self.now)
    }

    private mutating func perform(_ output: SocketIOBroker.Output) {
        switch output {
        case .respond(let exchange, let response):
            guard let (number, method) = self.exchanges.removeValue(forKey: exchange) else { return }
            guard !self.isCut else { return }
            if method == .get { self.links[number]?.poll = nil }
            let isBinary = response.headers.first("content-type") == "application/octet-stream"
            let answer = EngineIOClientSession.Response(
                status: response.status,
                isBinary: isBinary,
                body: response.body
            )
            self.client.receive(.response(method, answer), from: number, now: self.now)
        case .transmit(let webSocket, let message):
            guard let number = self.webSockets[webSocket], !self.isCut else { return }
            self.client.receive(.webSocketMessage(message), from: number, now: self.now)
        case .close(let webSocket):
            guard let number = self.webSockets.removeValue(forKey: webSocket) else { return }
            self.links[number]?.webSocket = nil
            self.client.receive(.webSocketEnded(nil), from: number, now: self.now)
        case .ask(let question): self.broker.answer(question, refusal: "not you", now: self.now)
        case .connected(let question): self.sockets.append(question.id)
        case .event(let socket, let event):
            self.served.append((socket, event))
            if let number = event.acknowledgementID, event.name != "silence" {
                self.broker.acknowledge(number, ["got", .string(event.name)], to: socket, now: self.now)
            }
        case .acknowledged, .unacknowledged: break
        case .disconnected(let socket, _): self.sockets.removeAll { $0 == socket }
        }
    }
}
