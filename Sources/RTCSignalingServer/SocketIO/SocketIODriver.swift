import NIOCore
import RTCBase
import RTCSignaling

/// Drives a ``SocketIOBroker`` for a server, confined to its event loop.
final class SocketIODriver: ServiceDriver, EngineDriver {
    typealias AcknowledgementHandler = (Result<[SocketIOValue], SocketIOError>) -> Void

    /// What the application has of a socket.
    private struct Receiver {
        var inbox: Inbox<SocketIOEvent>
        var acknowledgements: [UInt64: AcknowledgementHandler] = [:]
    }

    let eventLoop: any EventLoop
    var engine: SocketIOBroker
    let pump: EnginePump
    private let service: SocketIOService
    private unowned let core: ServerCore
    private var links: [EngineIOWebSocketID: any SessionLink] = [:]
    private var receivers: [SocketIOSocketID: Receiver] = [:]
    /// The sockets of a session whose events nobody has room for.
    private var paused: [EngineIOSessionID: Set<SocketIOSocketID>] = [:]

    init(_ service: SocketIOService, core: ServerCore) {
        self.service = service
        self.core = core
        self.eventLoop = core.eventLoop
        self.pump = EnginePump(eventLoop: core.eventLoop)
        self.engine = SocketIOBroker(configuration: service.brokerConfiguration)
        service.attach(self)
    }

    // MARK: Connections

    func receive(_ request: SignalingRequest, exchange: ExchangeID) {
        if request.path.hasSuffix("/socket.io.js") {
            self.core.exchanges[exchange]?.respond(SocketIOClientScript.response(to: request))
        } else {
            self.drive { $0.receive(request, exchange: exchange, now: .now()) }
        }
    }

    func exchangeEnded(_ exchange: ExchangeID) {
        self.drive { $0.exchangeEnded(exchange, now: .now()) }
    }

    /// Responses are whole, and bounded by what may wait for a poll.
    func setWritable(_ exchange: ExchangeID, _ isWritable: Bool) {}

    /// Whether a handshake of a WebSocket is for a session.
    func accepts(_ request: SignalingRequest) -> Bool {
        request.queryValue("transport") == "websocket" && self.engine.refusal(for: request) == nil
    }

    /// A WebSocket was opened; nil if it is for no session.
    func open(_ request: SignalingRequest, _ link: any SessionLink) -> EngineIOWebSocketID? {
        guard let webSocket = self.engine.openWebSocket(request, now: .now()) else { return nil }
        self.links[webSocket] = link
        self.pumpOutputs()
        return webSocket
    }

    func receive(_ message: WebSocketMessage, from webSocket: EngineIOWebSocketID) {
        self.drive { $0.receive(message, from: webSocket, now: .now()) }
    }

    func ended(_ webSocket: EngineIOWebSocketID) {
        self.links[webSocket] = nil
        self.drive { $0.webSocketEnded(webSocket, now: .now()) }
    }

    var unsentBytes: Int { self.engine.unsentBytes }

    func shutdown() {
        self.drive { $0.closeAll(now: .now()) }
        self.pump.cancel()
        self.service.detach()
    }

    // MARK: The application

    func emit(_ name: String, _ arguments: [SocketIOValue], to id: SocketIOSocketID) {
        self.drive { $0.emit(name, arguments, to: id, now: .now()) }
    }

    func emit(
        _ name: String,
        _ arguments: [SocketIOValue],
        to id: SocketIOSocketID,
        timeout: TimeAmount,
        acknowledged: @escaping AcknowledgementHandler
    ) {
        let deadline = NIODeadline.now() + timeout
        let number = self.engine.emit(name, arguments, to: id, acknowledgedBy: deadline, now: .now())
        if let number, self.receivers[id] != nil {
            self.receivers[id]?.acknowledgements[number] = acknowledged
        } else {
            acknowledged(.failure(self.receivers[id] == nil ? .disconnected : .tooManyAcknowledgements))
        }
        self.pumpOutputs()
    }

    func emit(_ name: String, _ arguments: [SocketIOValue], to audience: SocketIOAudience) {
        self.drive { $0.emit(name, arguments, to: audience, now: .now()) }
    }

    func acknowledge(_ number: UInt64, _ arguments: [SocketIOValue], to id: SocketIOSocketID) {
        self.drive { $0.acknowledge(number, arguments, to: id, now: .now()) }
    }

    func join(_ room: String, _ id: SocketIOSocketID) { self.engine.join(room, id) }

    func leave(_ room: String, _ id: SocketIOSocketID) { self.engine.leave(room, id) }

    func disconnect(_ id: SocketIOSocketID, closesSession: Bool) {
        self.drive { $0.disconnect(id, closesSession: closesSession, now: .now()) }
    }

    /// Whether a socket's client can be made to stop.
    func canPause(_ id: SocketIOSocketID) -> Bool { self.engine.webSocket(of: id) != nil }

    /// A socket's events have a reader with room again, or not.
    func setReading(_ id: SocketIOSocketID, _ isReading: Bool) {
        if isReading {
            self.paused[id.session]?.remove(id)
            if self.paused[id.session]?.isEmpty == true { self.paused[id.session] = nil }
        } else {
            guard self.receivers[id] != nil else { return }
            self.paused[id.session, default: []].insert(id)
        }
        guard let webSocket = self.engine.webSocket(of: id) else { return }
        self.links[webSocket]?.setReading(self.paused[id.session] == nil)
    }

    // MARK: What the broker says

    func perform(_ output: SocketIOBroker.Output) {
        switch output {
        case .respond(let exchange, let response): self.core.exchanges[exchange]?.respond(response)
        case .transmit(let webSocket, let message): self.links[webSocket]?.send(message)
        case .close(let webSocket): self.links.removeValue(forKey: webSocket)?.close(code: 1000, reason: "")
        case .ask(let question): self.ask(question)
        case .connected(let question): self.connected(question)
        case .event(let id, let event): self.receivers[id]?.inbox.yield(event)
        case .acknowledged(let id, let number, let arguments):
            self.receivers[id]?.acknowledgements.removeValue(forKey: number)?(.success(arguments))
        case .unacknowledged(let id, let number):
            self.receivers[id]?.acknowledgements.removeValue(forKey: number)?(.failure(.timedOut))
        case .disconnected(let id, let reason):
            if reason == .session(.tooSlow), id.namespace == "/" { self.core.counters.slowClients += 1 }
            self.disconnected(id)
        }
    }

    private func ask(_ question: SocketIOQuestion) {
        guard let admit = self.service.namespace(question.id.namespace)?.admit else { return }
        let connecting = SocketIOConnecting(question)
        self.eventLoop.makeFutureWithTask { await admit(connecting) }.assumeIsolated().whenComplete { result in
            var refusal = SocketIOValue?.some("nobody decided")
            if case .success(let decided) = result { refusal = decided }
            self.drive { $0.answer(question, refusal: refusal, now: .now()) }
        }
    }

    private func connected(_ question: SocketIOQuestion) {
        guard let handler = self.service.namespace(question.id.namespace)?.handler else { return }
        let reading = SocketIOReading(driver: self, id: question.id)
        let inbox = Inbox<SocketIOEvent>(
            owner: reading,
            eventLoop: self.eventLoop,
            maximumUnread: self.core.configuration.maximumUnreadMessages
        )
        self.receivers[question.id] = Receiver(inbox: inbox)
        let socket = SocketIOSocket(
            question,
            service: self.service,
            events: SocketIOEvents(producer: inbox.sequence, driver: self, id: question.id),
            driver: self
        )
        self.core.serve {
            await handler(socket)
            socket.disconnect()
        }
    }

    private func disconnected(_ id: SocketIOSocketID) {
        self.setReading(id, true)
        guard let receiver = self.receivers.removeValue(forKey: id) else { return }
        receiver.inbox.finish()
        for acknowledged in receiver.acknowledgements.values { acknowledged(.failure(.disconnected)) }
    }
}

/// The way back from the reader of a socket's events.
private final class SocketIOReading: InboxOwner {
    private weak var driver: SocketIODriver?
    private let id: SocketIOSocketID

    init(driver: SocketIODriver, id: SocketIOSocketID) {
        self.driver = driver
        self.id = id
    }

    var canPause: Bool { self.driver?.canPause(self.id) ?? false }

    func setReading(_ isReading: Bool) { self.driver?.setReading(self.id, isReading) }

    func close(code: Int, reason: String) { self.driver?.disconnect(self.id, closesSession: code != 1000) }
}

extension SocketIOBroker: DrivenEngine {}
