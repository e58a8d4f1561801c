import NIOCore
import RTCBase
import RTCSignaling

typealias SockJSDriver = HTTPSessionDriver<SockJSService>
typealias PollingDriver = HTTPSessionDriver<PollingService>

extension SockJSService: DrivenEngine {}
extension PollingService: DrivenEngine {}

/// Drives a service of sessions over HTTP with the requests of a server.
final class HTTPSessionDriver<Service: HTTPSessionService & DrivenEngine>: ServiceDriver, EngineDriver
where Service.Output == HTTPSessionOutput<Service.SessionID> {
    var engine: Service
    let pump: EnginePump
    private let transport: SignalingSession.Transport
    private let serving: SignalingRoutes.Serving
    private unowned let core: ServerCore
    private var receivers: [Service.SessionID: any SessionReceiver] = [:]

    init(
        _ service: Service,
        _ transport: SignalingSession.Transport,
        core: ServerCore,
        serving: SignalingRoutes.Serving
    ) {
        self.engine = service
        self.transport = transport
        self.core = core
        self.serving = serving
        self.pump = EnginePump(eventLoop: core.eventLoop)
    }

    var unsentBytes: Int { self.engine.unsentBytes }

    func receive(_ request: SignalingRequest, exchange: ExchangeID) {
        self.drive { $0.receive(request, exchange: exchange, now: .now()) }
    }

    func exchangeEnded(_ exchange: ExchangeID) {
        self.drive { $0.exchangeEnded(exchange, now: .now()) }
    }

    func setWritable(_ exchange: ExchangeID, _ isWritable: Bool) {
        self.drive { $0.setWritable(exchange, isWritable, now: .now()) }
    }

    func send(_ text: String, to session: Service.SessionID) {
        self.drive { $0.send(text, to: session, now: .now()) }
    }

    func close(_ session: Service.SessionID, code: Int, reason: String) {
        self.drive { $0.close(session, code: code, reason: reason, now: .now()) }
    }

    func setReading(_ isReading: Bool, of session: Service.SessionID) {
        self.drive { $0.setReading(isReading, of: session) }
    }

    /// Closes all sessions.
    func shutdown() {
        for session in self.receivers.keys {
            self.engine.close(session, code: 1001, reason: "Going away", now: .now())
        }
        self.pumpOutputs()
        self.pump.cancel()
    }

    func perform(_ output: HTTPSessionOutput<Service.SessionID>) {
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
private final class HTTPSessionLink<Service: HTTPSessionService & DrivenEngine>: SessionLink
where Service.Output == HTTPSessionOutput<Service.SessionID> {
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
