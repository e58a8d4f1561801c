import NIOCore
import NIOHTTP1
import RTCSignaling

/// What the connections of a server share, confined to its event loop.
final class ServerCore {
    let configuration: SignalingServerConfiguration
    let eventLoop: any EventLoop
    /// The connections that a response is due on.
    var exchanges: [ExchangeID: HTTPConnection] = [:]
    /// The connections that are WebSockets.
    var webSockets: [ObjectIdentifier: WebSocketHandler] = [:]

    private let routes: SignalingRoutes
    /// The drivers of services, by their routes' paths.
    private var services: [String: any ServiceDriver] = [:]
    private var stompDrivers: [ObjectIdentifier: STOMPDriver] = [:]
    private let begin: (SignalingSession, @escaping SignalingRoutes.SessionHandler) -> Void
    private var connections: [ObjectIdentifier: any Channel] = [:]
    private var nextExchange: UInt64 = 0
    private var isShutDown = false

    init(
        _ routes: SignalingRoutes,
        _ configuration: SignalingServerConfiguration,
        eventLoop: any EventLoop,
        begin: @escaping (SignalingSession, @escaping SignalingRoutes.SessionHandler) -> Void
    ) {
        self.routes = routes
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.begin = begin
        for service in routes.stompServices {
            let driver = STOMPDriver(service, eventLoop: eventLoop)
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
            case .webSocket, .http: break
            }
        }
    }

    // MARK: Connections

    /// Makes a new connection ready.
    func accept(_ channel: any Channel) throws {
        guard self.add(channel) else { return channel.close(promise: nil) }
        try self.configuration.prepareConnection?(channel)
        let http = HTTPConnection(core: self)
        let upgrader = WebSocketUpgrader(core: self, eventLoop: self.eventLoop)
        let bound = NIOLoopBound(http, eventLoop: self.eventLoop)
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: true,
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                }
            ),
            withErrorHandling: true
        )
        try channel.pipeline.syncOperations.addHandler(http)
    }

    /// Makes a new connection of plain STOMP ready.
    func acceptSTOMP(_ channel: any Channel, _ service: STOMPService) throws {
        guard self.add(channel), let driver = self.stomp(service) else { return channel.close(promise: nil) }
        try self.configuration.prepareConnection?(channel)
        try channel.pipeline.syncOperations.addHandler(STOMPHandler(driver))
    }

    private func stomp(_ service: STOMPService) -> STOMPDriver? { self.stompDrivers[ObjectIdentifier(service)] }

    /// Notes a connection until it is closed; false if there are as many as allowed.
    private func add(_ channel: any Channel) -> Bool {
        guard !self.isShutDown, self.connections.count < self.configuration.maximumConnections else { return false }
        let name = ObjectIdentifier(channel)
        self.connections[name] = channel
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.connections[name] = nil }
        return true
    }

    func makeExchange(_ connection: HTTPConnection) -> ExchangeID {
        self.nextExchange += 1
        let exchange = ExchangeID(rawValue: self.nextExchange)
        self.exchanges[exchange] = connection
        return exchange
    }

    /// Closes everything, sessions in their own words.
    func shutdown() {
        self.isShutDown = true
        for driver in self.stompDrivers.values { driver.shutdown() }
        for service in self.services.values { service.shutdown() }
        for webSocket in Array(self.webSockets.values) { webSocket.close(code: 1001, reason: "Going away") }
        let webSockets = self.webSockets.count
        guard webSockets > 0 else { return self.closeConnections() }
        // The closing handshakes take as long as they are given, then what is left goes.
        self.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.closeConnections() }
    }

    private func closeConnections() {
        for channel in self.connections.values { channel.close(promise: nil) }
    }

    // MARK: Requests

    /// Asks the application whether a request is admitted: nil if it is.
    func admit(_ request: SignalingRequest) -> EventLoopFuture<SignalingResponse?> {
        guard let admit = self.routes.admit else { return self.eventLoop.makeSucceededFuture(nil) }
        return self.eventLoop.makeFutureWithTask { await admit(request) }
    }

    func receive(_ request: SignalingRequest, exchange: ExchangeID) {
        if let target = self.routes.exact[request.path], !self.isForService(request) {
            switch target {
            case .http(let handler): self.respond(to: exchange) { await handler(request) }
            case .webSocket, .sockJS, .polling: self.refuseWebSocket(request, exchange)
            }
        } else if let (driver, _) = self.service(for: request.path) {
            guard self.routes.admit != nil else { return self.receive(request, exchange, driver) }
            self.admit(request).assumeIsolated().whenComplete { result in
                if case .success(nil) = result { return self.receive(request, exchange, driver) }
                self.exchanges[exchange]?.respond((try? result.get()) ?? SignalingResponse(403))
            }
        } else {
            self.exchanges[exchange]?.respond(SignalingResponse(404, text: "There is nothing under this path."))
        }
    }

    /// Whether a request to a path that has a WebSocket is for the service that is there, too.
    private func isForService(_ request: SignalingRequest) -> Bool {
        self.services[request.path] != nil && request.headers.list("upgrade").isEmpty
    }

    private func receive(_ request: SignalingRequest, _ exchange: ExchangeID, _ driver: any ServiceDriver) {
        // Nobody is left to answer if the connection was closed while the application decided.
        guard let connection = self.exchanges[exchange] else { return }
        connection.setOwner(driver)
        driver.receive(request, exchange: exchange)
    }

    private func respond(
        to exchange: ExchangeID,
        with response: @escaping @Sendable () async -> SignalingResponse
    ) {
        self.eventLoop.makeFutureWithTask { await response() }.assumeIsolated().whenComplete { result in
            self.exchanges[exchange]?.respond((try? result.get()) ?? SignalingResponse(500))
        }
    }

    /// Says why a request to a WebSocket's path is not one.
    private func refuseWebSocket(_ request: SignalingRequest, _ exchange: ExchangeID) {
        self.admit(request).assumeIsolated().whenComplete { result in
            let refusal = (try? result.get()) ?? nil
            var response = refusal ?? SignalingResponse(403)
            if refusal == nil {
                do throws(WebSocketHandshake.Refusal) {
                    _ = try WebSocketHandshake(request)
                } catch {
                    response = error.response
                }
            }
            self.exchanges[exchange]?.respond(response)
        }
    }

    // MARK: Routes

    /// What a handshake opens; throws if nothing.
    func webSocket(for request: SignalingRequest) throws(WebSocketHandshake.Refusal) -> WebSocketAcceptance {
        if case .webSocket(let configuration, let subprotocols, let serving)? = self.routes.exact[request.path] {
            let handshake = try WebSocketHandshake(request, subprotocols: subprotocols)
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
        guard let (_, route) = self.service(for: request.path),
            case .sockJS(let configuration, var webSocket, let serving) = route.target, configuration.hasWebSocket,
            let framing = SockJSService.webSocketFraming(path: request.path, servicePath: route.path)
        else { throw .notAnUpgrade }
        let handshake = try WebSocketHandshake(request)
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
        for route in self.routes.prefixes where path == route.path || path.hasPrefix(route.path + "/") {
            if let driver = self.services[route.path] { return (driver, route) }
        }
        return nil
    }

    /// Begins a session.
    func open(
        _ opening: SessionOpening,
        link: any SessionLink,
        serving: SignalingRoutes.Serving
    ) -> (any SessionReceiver)? {
        switch serving {
        case .application(let handler): return self.open(opening, link: link, handler: handler)
        case .stomp(let service): return self.stomp(service).map { STOMPSession($0, link: link) }
        }
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
        self.begin(receiver.session, handler)
        return receiver
    }
}
