import NIOCore
import RTCBase
import RTCSignaling

/// Drives a ``SockJSService`` with the requests of a server.
final class SockJSDriver: ServiceDriver {
    private var service: SockJSService
    private let serving: SignalingRoutes.Serving
    private unowned let core: ServerCore
    private let timer: LoopTimer
    private var receivers: [SockJSSessionID: any SessionReceiver] = [:]
    private var isPumping = false

    init(_ service: SockJSService, core: ServerCore, serving: SignalingRoutes.Serving) {
        self.service = service
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

    func send(_ text: String, to session: SockJSSessionID) {
        self.service.send(text, to: session, now: .now())
        self.pump()
    }

    func close(_ session: SockJSSessionID, code: Int, reason: String) {
        self.service.close(session, code: code, reason: reason, now: .now())
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

    private func perform(_ output: SockJSService.Output) {
        switch output {
        case .respond(let exchange, let response): self.core.exchanges[exchange]?.respond(response)
        case .begin(let exchange, let response): self.core.exchanges[exchange]?.begin(response, streamedBy: self)
        case .body(let exchange, let bytes): self.core.exchanges[exchange]?.write(bytes)
        case .end(let exchange): self.core.exchanges[exchange]?.end()
        case .opened(let session, let request):
            let opening = SessionOpening(request: request, transport: .sockJSHTTP, subprotocol: nil)
            let link = SockJSLink(driver: self, session: session)
            self.receivers[session] = self.core.open(opening, link: link, serving: self.serving)
        case .message(let session, let text): self.receivers[session]?.received(.text(text))
        case .closed(let session, let end):
            if end == .tooSlow { self.core.counters.slowClients += 1 }
            self.receivers.removeValue(forKey: session)?.ended()
        }
    }
}

/// The way to a client of SockJS over HTTP.
private final class SockJSLink: SessionLink {
    private weak var driver: SockJSDriver?
    private let session: SockJSSessionID

    init(driver: SockJSDriver, session: SockJSSessionID) {
        self.driver = driver
        self.session = session
    }

    func send(_ message: WebSocketMessage) {
        if case .text(let text) = message { self.driver?.send(text, to: self.session) }
    }

    func close(code: Int, reason: String) { self.driver?.close(self.session, code: code, reason: reason) }

    /// Requests come whether one wants them or not.
    var canPause: Bool { false }

    func setReading(_ isReading: Bool) {}
}
