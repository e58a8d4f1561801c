import Logging
import NIOCore
import NIOHTTP1
import RTCSignaling

/// What the connections of a server share, confined to its event loop.
final class ServerCore {
    let configuration: SignalingServerConfiguration
    let eventLoop: any EventLoop
    /// Those to whom a response is due.
    var exchanges: [ExchangeID: any HTTPExchange] = [:]
    /// The connections that are WebSockets.
    var webSockets: [ObjectIdentifier: WebSocketHandler] = [:]
    var httpConnections: [ObjectIdentifier: HTTPConnection] = [:]
    var http2Connections: [ObjectIdentifier: HTTP2Connection] = [:]
    let connections: ConnectionRegistry
    var counters = SignalingServerCounters()
    /// Whether the server stops.
    var isDraining = false
    /// Called when the server stops and all have taken their leave.
    var whenIdle: (() -> Void)?
    /// Handlers that have not returned.
    var activeHandlers = 0

    private let routes: SignalingRoutes
    /// The drivers of services, by their routes' paths.
    private(set) var services: [String: any ServiceDriver] = [:]
    private var socketIODrivers: [ObjectIdentifier: SocketIODriver] = [:]
    private(set) var stompDrivers: [ObjectIdentifier: any STOMPServing] = [:]
    private let begin: (@escaping @Sendable () async -> Void) -> Void
    private var nextExchange: UInt64 = 0

    init(
        _ routes: SignalingRoutes,
        _ configuration: SignalingServerConfiguration,
        eventLoop: any EventLoop,
        begin: @escaping (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.routes = routes
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.begin = begin
        self.connections = ConnectionRegistry(configuration)
        for service in routes.stompServices {
            let driver = service.makeDriver(eventLoop: eventLoop, logger: configuration.logger)
            self.stompDrivers[ObjectIdentifier(service)] = driver
            service.attach(driver, eventLoop: eventLoop)
        }
        for (path, target) in routes.prefixes {
            switch target {
            case .sockJS(let configuration, _, let serving):
                let service = SockJSService(path: path, configuration: configuration)
                self.services[path] = SockJSDriver(service, .sockJSHTTP, core: self, serving: serving)
            case .polling(let configuration, let serving):
                let service = PollingService(path: path, configuration: configuration)
                self.services[path] = PollingDriver(service, .polling, core: self, serving: serving)
            case .socketIO(let service, _): self.services[path] = self.makeDriver(of: service)
            case .webSocket, .http, .files: break
            }
        }
    }

    func stomp(_ service: STOMPService) -> (any STOMPServing)? { self.stompDrivers[ObjectIdentifier(service)] }

    func makeExchange(_ connection: any HTTPExchange) -> ExchangeID {
        self.nextExchange += 1
        let exchange = ExchangeID(rawValue: self.nextExchange)
        self.exchanges[exchange] = connection
        return exchange
    }

    /// Counts what was refused.
    func refused(_ refusal: ServerRefusal) {
        self.counters.refusals[refusal.rawValue, default: 0] += 1
        self.configuration.logger.debug("refused", metadata: ["reason": "\(refusal.rawValue)"])
    }

    // MARK: Requests

    /// Asks the application whether a request is admitted: nil if it is.
    func admit(_ request: SignalingRequest) -> EventLoopFuture<SignalingResponse?> {
        guard let admit = self.routes.admit else { return self.eventLoop.makeSucceededFuture(nil) }
        return self.eventLoop.makeFutureWithTask { await admit(request) }
    }

    func receive(_ request: SignalingRequest, exchange: ExchangeID) {
        guard !self.isDraining else { return self.refuse(exchange, .draining) }
        if let target = self.routes.exact[request.path], !self.isForService(request) {
            switch target {
            case .http(let handler): self.respond(to: exchange) { await handler(request) }
            case .webSocket, .sockJS, .socketIO, .polling, .files: self.refuseWebSocket(request, exchange)
            }
        } else if case .http(let handler)? = self.prefix(of: request.path)?.target {
            self.respond(to: exchange) { await handler(request) }
        } else if let (driver, _) = self.service(for: request.path) {
            guard self.routes.admit != nil else { return self.receive(request, exchange, driver) }
            self.admit(request).assumeIsolated().whenComplete { result in
                if case .success(nil) = result { return self.receive(request, exchange, driver) }
                self.refuse(exchange, .notAdmitted, (try? result.get()) ?? nil)
            }
        } else if case .files(let files)? = self.prefix(of: request.path)?.target {
            self.respond(to: exchange, withFile: { await files.response(to: request) })
        } else {
            self.refuse(exchange, .notFound)
        }
    }

    /// Whether a request to a path that has a WebSocket is for the service that is there, too.
    private func isForService(_ request: SignalingRequest) -> Bool {
        self.services[request.path] != nil && request.headers.list("upgrade").isEmpty
    }

    private func receive(_ request: SignalingRequest, _ exchange: ExchangeID, _ driver: any ServiceDriver) {
        // Nobody is left to answer if the connection was closed while the application decided.
        guard let connection = self.exchanges[exchange] else { return }
        connection.hold(for: driver)
        driver.receive(request, exchange: exchange)
    }

    private func refuse(_ exchange: ExchangeID, _ refusal: ServerRefusal, _ response: SignalingResponse? = nil) {
        self.refused(refusal)
        self.exchanges[exchange]?.respond(response ?? refusal.response)
    }

    private func respond(
        to exchange: ExchangeID,
        with response: @escaping @Sendable () async -> SignalingResponse
    ) {
        self.eventLoop.makeFutureWithTask { await response() }.assumeIsolated().whenComplete { result in
            self.exchanges[exchange]?.respond((try? result.get()) ?? SignalingResponse(500))
        }
    }

    private func respond(
        to exchange: ExchangeID,
        withFile response: @escaping @Sendable () async -> (SignalingResponse, ResponseBody)
    ) {
        self.eventLoop.makeFutureWithTask { await response() }.assumeIsolated().whenComplete { result in
            let (head, body) = (try? result.get()) ?? (SignalingResponse(500), .bytes(ByteBuffer()))
            self.exchanges[exchange]?.respond(head, body: body)
        }
    }

    /// Says why a request to a WebSocket's path is not one.
    private func refuseWebSocket(_ request: SignalingRequest, _ exchange: ExchangeID) {
        self.admit(request).assumeIsolated().whenComplete { result in
            guard case .success(nil) = result else {
                return self.refuse(exchange, .notAdmitted, (try? result.get()) ?? nil)
            }
            var response = SignalingResponse(403)
            do throws(WebSocketHandshake.Refusal) {
                _ = try WebSocketHandshake(request)
            } catch {
                response = error.response
            }
            self.refuse(exchange, .notAHandshake, response)
        }
    }

    // MARK: Routes

    /// What a handshake opens; throws if nothing.
    ///
    /// - Parameter isExtendedConnect: Whether it came by HTTP/2.
    func webSocket(
        for request: SignalingRequest,
        isExtendedConnect: Bool = false
    ) throws(WebSocketHandshake.Refusal) -> WebSocketAcceptance {
        guard !self.isDraining else { throw .notAnUpgrade }
        if case .webSocket(let configuration, let subprotocols, let serving)? = self.routes.exact[request.path] {
            let handshake = try WebSocketHandshake(
                request,
                subprotocols: subprotocols,
                deflate: configuration.deflate,
                isExtendedConnect: isExtendedConnect
            )
            let opening = SessionOpening(
                request: request,
                transport: .webSocket,
                subprotocol: handshake.subprotocol
            )
            return WebSocketAcceptance(
                handshake: handshake,
                configuration: configuration,
                isSockJS: false,
                opening: opening,
                serving: serving
            )
        }
        guard let (_, route) = self.service(for: request.path) else { throw .notAnUpgrade }
        if case .socketIO(let service, let configuration) = route.target {
            return try self.socketIOWebSocket(for: request, service, configuration, isExtendedConnect)
        }
        guard case .sockJS(let configuration, var webSocket, let serving) = route.target, configuration.hasWebSocket,
            let framing = SockJSService.webSocketFraming(path: request.path, servicePath: route.path)
        else { throw .notAnUpgrade }
        let handshake = try WebSocketHandshake(
            request,
            deflate: webSocket.deflate,
            isExtendedConnect: isExtendedConnect
        )
        if framing == .sockJS {
            webSocket.pingInterval = configuration.heartbeatInterval
            webSocket.heartbeatText = SockJSFrame.heartbeat.text
        }
        let opening = SessionOpening(
            request: request,
            transport: framing == .sockJS ? .sockJSWebSocket : .webSocket,
            subprotocol: nil
        )
        return WebSocketAcceptance(
            handshake: handshake,
            configuration: webSocket,
            isSockJS: framing == .sockJS,
            opening: opening,
            serving: serving
        )
    }

    private func service(
        for path: String
    ) -> (any ServiceDriver, route: (path: String, target: SignalingRoutes.Target))? {
        guard let route = self.prefix(of: path), let driver = self.services[route.path] else { return nil }
        return (driver, route)
    }

    /// The longest prefix that a path is under.
    private func prefix(of path: String) -> (path: String, target: SignalingRoutes.Target)? {
        self.routes.prefixes.first { path == $0.path || path.hasPrefix($0.path + "/") }
    }

    /// Begins a session.
    func open(
        _ opening: SessionOpening,
        link: any SessionLink,
        serving: SignalingRoutes.Serving
    ) -> (any SessionReceiver)? {
        let meter = SessionMeter(opening.transport, link: link, core: self)
        switch serving {
        case .application(let handler): meter.receiver = self.open(opening, link: meter, handler: handler)
        case .stomp(let service): meter.receiver = self.stomp(service).map { STOMPSession($0, link: meter) }
        case .socketIO(let service):
            meter.receiver = self.socketIODrivers[ObjectIdentifier(service)].map {
                SocketIOWebSocket($0, opening.request, link: meter)
            }
        case .rooms(let service):
            let outbox = SessionOutbox(
                eventLoop: self.eventLoop,
                link: meter,
                maximumUnsentBytes: self.configuration.maximumUnsentBytes
            )
            meter.receiver = RoomReceiver(service, outbox: outbox, request: opening.request)
        }
        return meter
    }

    private func open(
        _ opening: SessionOpening,
        link: any SessionLink,
        handler: @escaping SignalingRoutes.SessionHandler
    ) -> any SessionReceiver {
        let receiver = ApplicationReceiver(
            opening,
            link: link,
            eventLoop: self.eventLoop,
            limits: self.configuration
        )
        let session = receiver.session
        self.serve {
            await handler(session)
            session.close()
        }
        return receiver
    }

    /// Has a handler run beside the event loop; the server waits for it when it stops.
    func serve(_ work: @escaping @Sendable () async -> Void) {
        self.activeHandlers += 1
        self.begin(work)
    }

    // MARK: Socket.IO

    /// One driver for a service, under however many paths it is.
    private func makeDriver(of service: SocketIOService) -> SocketIODriver {
        let name = ObjectIdentifier(service)
        if let driver = self.socketIODrivers[name] { return driver }
        let driver = SocketIODriver(service, core: self)
        self.socketIODrivers[name] = driver
        return driver
    }

    private func socketIOWebSocket(
        for request: SignalingRequest,
        _ service: SocketIOService,
        _ configuration: WebSocketConfiguration,
        _ isExtendedConnect: Bool
    ) throws(WebSocketHandshake.Refusal) -> WebSocketAcceptance {
        let handshake = try WebSocketHandshake(
            request,
            deflate: configuration.deflate,
            isExtendedConnect: isExtendedConnect
        )
        // What is refused goes on as a request, which gets the reason.
        guard self.socketIODrivers[ObjectIdentifier(service)]?.accepts(request) == true else { throw .notAnUpgrade }
        return WebSocketAcceptance(
            handshake: handshake,
            configuration: configuration,
            isSockJS: false,
            opening: SessionOpening(request: request, transport: .webSocket, subprotocol: nil),
            serving: .socketIO(service)
        )
    }
}
