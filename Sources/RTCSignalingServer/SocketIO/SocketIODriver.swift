import NIOCore
import RTCBase
import RTCSignaling

/// Drives a ``SocketIOBroker`` for a server, confined to its event loop.
final class SocketIODriver: ServiceDriver {
    typealias AcknowledgementHandler = (Result<[SocketIOValue], SocketIOError>) -> Void

    /// What the application has of a socket.
    private struct Receiver {
        var inbox: Inbox<SocketIOEvent>
        var acknowledgements: [UInt64: AcknowledgementHandler] = [:]
    }

    let eventLoop: any EventLoop
    private var broker: SocketIOBroker
    private let service: SocketIOService
    private unowned let core: ServerCore
    private let timer: LoopTimer
    private var links: [EngineIOWebSocketID: any SessionLink] = [:]
    private var receivers: [SocketIOSocketID: Receiver] = [:]
    /// The sockets of a session whose events nobody has room for.
    private var paused: [EngineIOSessionID: Set<SocketIOSocketID>] = [:]
    private var isPumping = false

    init(_ service: SocketIOService, core: ServerCore) {
        self.service = service
        self.core = core
        self.eventLoop = core.eventLoop
        self.timer = LoopTimer(eventLoop: core.eventLoop)
        self.broker = SocketIOBroker(configuration: service.brokerConfiguration)
        service.attach(self)
    }

    // MARK: Connections

    func receive(_ request: SignalingRequest, exchange: ExchangeID) {
        if request.path.hasSuffix("/socket.io.js") {
            self.core.exchanges[exchange]?.respond(SocketIOClientScript.response(to: request))
        } else {
            self.broker.receive(request, exchange: exchange, now: .now())
            self.pump()
        }
    }

    func exchangeEnded(_ exchange: ExchangeID) {
        self.broker.exchangeEnded(exchange, now: .now())
        self.pump()
    }

    /// Responses are whole, and bounded by what may wait for a poll.
    func setWritable(_ exchange: ExchangeID, _ isWritable: Bool) {}

    /// Whether a handshake of a WebSocket is for a session.
    func accepts(_ request: SignalingRequest) -> Bool {
        request.queryValue("transport") == "websocket" && self.broker.refusal(for: request) == nil
    }

    /// A WebSocket was opened; nil if it is for no session.
    func open(_ request: SignalingRequest, _ link: any SessionLink) -> EngineIOWebSocketID? {
        guard let webSocket = self.broker.openWebSocket(request, now: .now()) else { return nil }
        self.links[webSocket] = link
        self.pump()
        return webSocket
    }

    func receive(_ message: WebSocketMessage, from webSocket: EngineIOWebSocketID) {
        self.broker.receive(message, from: webSocket, now: .now())
        self.pump()
    }

    func ended(_ webSocket: EngineIOWebSocketID) {
        self.links[webSocket] = nil
        self.broker.webSocketEnded(webSocket, now: .now())
        self.pump()
    }

    var unsentBytes: Int { self.broker.unsentBytes }

    func shutdown() {
        self.broker.closeAll(now: .now())
        self.pump()
        self.timer.cancel()
        self.service.detach()
    }

    // MARK: The application

    func emit(_ name: String, _ arguments: [SocketIOValue], to id: SocketIOSocketID) {
        self.broker.emit(name, arguments, to: id, now: .now())
        self.pump()
    }

    func emit(
        _ name: String,
        _ arguments: [SocketIOValue],
        to id: SocketIOSocketID,
        timeout: TimeAmount,
        acknowledged: @escaping AcknowledgementHandler
    ) {
        let deadline = NIODeadline.now() + timeout
        let number = self.broker.emit(name, arguments, to: id, acknowledgedBy: deadline, now: .now())
        if let number, self.receivers[id] != nil {
            self.receivers[id]?.acknowledgements[number] = acknowledged
        } else {
            acknowledged(.failure(self.receivers[id] == nil ? .disconnected : .tooManyAcknowledgements))
        }
        self.pump()
    }

    func emit(_ name: String, _ arguments: [SocketIOValue], to audience: SocketIOAudience) {
        self.broker.emit(name, arguments, to: audience, now: .now())
        self.pump()
    }

    func acknowledge(_ number: UInt64, _ arguments: [SocketIOValue], to id: SocketIOSocketID) {
        self.broker.acknowledge(number, arguments, to: id, now: .now())
        self.pump()
    }

    func join(_ room: String, _ id: SocketIOSocketID) { self.broker.join(room, id) }

    func leave(_ room: String, _ id: SocketIOSocketID) { self.broker.leave(room, id) }

    func disconnect(_ id: SocketIOSocketID, closesSession: Bool) {
        self.broker.disconnect(id, closesSession: closesSession, now: .now())
        self.pump()
    }

    /// Whether a socket's client can be made to stop.
    func canPause(_ id: SocketIOSocketID) -> Bool { self.broker.webSocket(of: id) != nil }

    /// A socket's events have a reader with room again, or not.
    func setReading(_ id: SocketIOSocketID, _ isReading: Bool) {
        if isReading {
            self.paused[id.session]?.remove(id)
            if self.paused[id.session]?.isEmpty == true { self.paused[id.session] = nil }
        } else {
            guard self.receivers[id] != nil else { return }
            self.paused[id.session, default: []].insert(id)
        }
        guard let webSocket = self.broker.webSocket(of: id) else { return }
        self.links[webSocket]?.setReading(self.paused[id.session] == nil)
    }

    // MARK: Driving

    private func pump() {
        // Links may report while they write; the outer loop takes it.
        guard !self.isPumping else { return }
        self.isPumping = true
        defer { self.isPumping = false }
        while let output = self.broker.poll() { self.perform(output) }
        self.timer.set(self.broker.nextTimeout) { [weak self] in
            self?.broker.handleTimeout(now: .now())
            self?.pump()
        }
    }

    private func perform(_ output: SocketIOBroker.Output) {
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
            self.broker.answer(question, refusal: refusal, now: .now())
            self.pump()
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
