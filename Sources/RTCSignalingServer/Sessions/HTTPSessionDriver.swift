import NIOCore
import RTCBase
import RTCSignaling

typealias SockJSDriver = HTTPSessionDriver<SockJSService>
typealias PollingDriver = HTTPSessionDriver<PollingService>

/// Drives a service of sessions over HTTP with the requests of a server.
final class HTTPSessionDriver<Service: HTTPSessionService>: ServiceDriver {
    private var service: Service
    private let transport: SignalingSession.Transport
    private let serving: SignalingRoutes.Serving
    private unowned let core: ServerCore
    private let timer: LoopTimer
    private var receivers: [Service.SessionID: any SessionReceiver] = [:]
    private var isPumping = false

    init(
        _ service: Service,
        _ transport: SignalingSession.Transport,
        core: ServerCore,
        serving: SignalingRoutes.Serving
    ) {
        self.service = service
        self.transport = transport
        self.core = core
        self.serving = serving
        self.timer = LoopTimer(eventLoop: core.eventLoop)
    }

    var unsentBytes: Int { self.service.unsentBytes }

    func receive(_ request: SignalingRequest, exchange: ExchangeID) {
        self.service.receive(request, exchange: exchange, now: .now())
        self.pump()
    }

    func exchangeEnded(_ exchange: ExchangeID) {
        self.service.exchangeEnded(exchange, now: .now())
        self.pump()
    }

    func setWritable(_ exchange: ExchangeID, _ isWritable: Bool) {
        self.service.setWritable(exchange, isWritable, now: .now())
        self.pump()
    }

    func send(_ text: String, to session: Service.SessionID) {
        self.service.send(text, to: session, now: .now())
        self.pump()
    }

    func close(_ session: Service.SessionID, code: Int, reason: String) {
        self.service.close(session, code: code, reason: reason, now: .now())
        self.pump()
    }

    func setReading(_ isReading: Bool, of session: Service.SessionID) {
        self.service.setReading(isReading, of: session)
        self.pump()
    }

    /// Closes all sessions.
    func shutdown() {
        for session in self.receivers.keys {
            self.service.close(session, code: 1001, reason: "Going away", now: .now())
        }
        self.pump()
        self.timer.cancel()
    }

    private func pump() {
        // Receivers may send while they are told of something; the outer loop takes it.
        guard !self.isPumping else { return }
        self.isPumping = true
        defer { self.isPumping = false }
        while let output = self.service.poll() { self.perform(output) }
        self.timer.set(self.service.nextTimeout) { [weak self] in
            self?.service.handleTimeout(now: .now())
            self?.pump()
        }
    }

    private func perform(_ output: HTTPSessionOutput<Service.SessionID>) {
        switch output {
        case .respond(let exchange, let response): self.core.exchanges[exchange]?.respond(response)
        case .begin(let exchange, let response): self.core.exchanges[exchange]?.begin(response, streamedBy: self)
        case .body(let exchange, let bytes): self.core.exchanges[exchange]?.write(bytes)
        case .end(let exchange): self.core.exchanges[exchange]?.end()
        case .opened(let session, let request):
            let opening = SessionOpening(request: request, transport: self.transport, subprotocol: nil)
            let link = HTTPSessionLink(driver: self, session: session)
            self.receivers[session] = self.core.open(opening, link: link, serving: self.serving)
        case .message(let session, let text): self.receivers[session]?.received(.text(text))
        case .closed(let session, let end):
            if end == .tooSlow { self.core.counters.slowClients += 1 }
            self.receivers.removeValue(forKey: session)?.ended()
        }
    }
}

/// The way to a client over HTTP.
private final class HTTPSessionLink<Service: HTTPSessionService>: SessionLink {
    private weak var driver: HTTPSessionDriver<Service>?
    private let session: Service.SessionID

    init(driver: HTTPSessionDriver<Service>, session: Service.SessionID) {
        self.driver = driver
        self.session = session
    }

    func send(_ message: WebSocketMessage) {
        if case .text(let text) = message { self.driver?.send(text, to: self.session) }
    }

    func close(code: Int, reason: String) { self.driver?.close(self.session, code: code, reason: reason) }

    var canPause: Bool { Service.canPause }

    func setReading(_ isReading: Bool) { self.driver?.setReading(isReading, of: self.session) }
}
