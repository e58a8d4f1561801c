public import RTCRooms
public import RTCSignaling

/// What a signalling server has under which path.
///
/// A path is compared as it stands in the request, percent-encoded. Of services with prefixes, the longest that fits is taken.
public struct SignalingRoutes: Sendable {
    /// Serves one client, until it returns.
    public typealias SessionHandler = @Sendable (SignalingSession) async -> Void
    /// Responds to one request.
    public typealias RequestHandler = @Sendable (SignalingRequest) async -> SignalingResponse

    /// Who serves the sessions of a route.
    enum Serving: Sendable {
        case application(SessionHandler)
        case stomp(STOMPService)
        case rooms(RoomService)
        case socketIO(SocketIOService)
    }

    enum Target: Sendable {
        case webSocket(configuration: WebSocketConfiguration, subprotocols: [String], Serving)
        case sockJS(configuration: SockJSConfiguration, webSocket: WebSocketConfiguration, Serving)
        case socketIO(SocketIOService, webSocket: WebSocketConfiguration)
        case http(RequestHandler)
        case files(StaticFiles)
    }

    /// Decides on every request to a route of sessions before anything else, of WebSocket handshakes as of each request of SockJS and Socket.IO:
    /// nil admits it, a response refuses it. Look here at `Origin`, cookies and tokens. By default everybody is admitted.
    public var admit: (@Sendable (SignalingRequest) async -> SignalingResponse?)?

    private(set) var exact: [String: Target] = [:]
    private(set) var prefixes: [(path: String, target: Target)] = []
    private(set) var stompServices: [STOMPService] = []
    private(set) var stompListeners: [(service: STOMPService, host: String, port: Int)] = []

    /// No routes.
    public init() {}

    /// Serves WebSockets under a path.
    ///
    /// - Parameters:
    ///   - path: The path.
    ///   - subprotocols: The subprotocols that are spoken, which clients may choose from.
    ///   - configuration: Limits and times.
    ///   - handler: Called for each client; the session is closed when it returns.
    public mutating func webSocket(
        _ path: String,
        subprotocols: [String] = [],
        configuration: WebSocketConfiguration = WebSocketConfiguration(),
        handler: @escaping SessionHandler
    ) {
        self.exact[path] = .webSocket(configuration: configuration, subprotocols: subprotocols, .application(handler))
    }

    /// Serves SockJS under a path, with all its transports.
    ///
    /// - Parameters:
    ///   - path: The base URL's path.
    ///   - configuration: Limits and times of sessions over HTTP; the interval of heartbeats is that of WebSockets too.
    ///   - webSocket: Limits and times of those over WebSockets.
    ///   - handler: Called for each client; the session is closed when it returns.
    public mutating func sockJS(
        _ path: String,
        configuration: SockJSConfiguration = SockJSConfiguration(),
        webSocket: WebSocketConfiguration = WebSocketConfiguration(),
        handler: @escaping SessionHandler
    ) {
        self.addPrefix(path, .sockJS(configuration: configuration, webSocket: webSocket, .application(handler)))
    }

    /// Serves STOMP, over WebSockets and over SockJS.
    ///
    /// - Parameters:
    ///   - service: The broker; clients of all its routes meet in it.
    ///   - webSocket: The path for WebSockets, with the subprotocols of all versions; nil for none.
    ///   - sockJS: The path for SockJS; nil for none.
    ///   - configuration: Limits and times of WebSockets. STOMP's heart-beats are beside WebSocket's pings.
    public mutating func stomp(
        _ service: STOMPService,
        webSocket: String?,
        sockJS: String? = nil,
        configuration: WebSocketConfiguration = WebSocketConfiguration()
    ) {
        self.add(service)
        if let webSocket {
            let subprotocols = STOMPVersion.allCases.reversed().map(\.subprotocol)
            let target = Target.webSocket(configuration: configuration, subprotocols: subprotocols, .stomp(service))
            self.exact[webSocket] = target
        }
        if let sockJS {
            self.addPrefix(
                sockJS,
                .sockJS(configuration: SockJSConfiguration(), webSocket: configuration, .stomp(service))
            )
        }
    }

    /// Serves STOMP on a TCP port of its own; ``SignalingServer/tcpAddresses`` has the real one.
    ///
    /// - Parameters:
    ///   - service: The broker.
    ///   - host: The address to listen on.
    ///   - port: The port; 0 takes a free one.
    public mutating func stompTCP(_ service: STOMPService, host: String = "127.0.0.1", port: Int = 61_613) {
        self.add(service)
        self.stompListeners.append((service, host, port))
    }

    /// Serves rooms, over WebSockets and over SockJS.
    ///
    /// - Parameters:
    ///   - service: The rooms; clients of all its routes meet in them.
    ///   - webSocket: The path for WebSockets; nil for none.
    ///   - sockJS: The path for SockJS; nil for none.
    ///   - configuration: Limits and times of WebSockets, whose pings tell which clients are still there.
    public mutating func rooms(
        _ service: RoomService,
        webSocket: String?,
        sockJS: String? = nil,
        configuration: WebSocketConfiguration = WebSocketConfiguration()
    ) {
        if let webSocket {
            self.exact[webSocket] = .webSocket(configuration: configuration, subprotocols: [], .rooms(service))
        }
        if let sockJS {
            self.addPrefix(
                sockJS,
                .sockJS(configuration: SockJSConfiguration(), webSocket: configuration, .rooms(service))
            )
        }
    }

    /// Serves Socket.IO 2, over polling and WebSockets, and a client for browsers under `PATH/socket.io.js`.
    ///
    /// - Parameters:
    ///   - service: The service; clients of all its routes meet in it.
    ///   - path: The path that clients are told, `/socket.io/` if they are told none.
    ///   - webSocket: Limits and times of WebSockets. Their pings are beside those of Engine.IO.
    public mutating func socketIO(
        _ service: SocketIOService,
        path: String = "/socket.io/",
        webSocket: WebSocketConfiguration = WebSocketConfiguration()
    ) {
        self.addPrefix(path, .socketIO(service, webSocket: webSocket))
    }

    private mutating func add(_ service: STOMPService) {
        if !self.stompServices.contains(where: { $0 === service }) { self.stompServices.append(service) }
    }

    private mutating func addPrefix(_ path: String, _ target: Target) {
        self.prefixes.append((path.hasSuffix("/") ? String(path.dropLast()) : path, target))
        self.prefixes.sort { $0.path.utf8.count > $1.path.utf8.count }
    }

    /// Responds to requests under a path.
    public mutating func http(_ path: String, handler: @escaping RequestHandler) { self.exact[path] = .http(handler) }

    /// Responds to requests under a path and all paths below it, whatever their method.
    public mutating func http(prefix path: String, handler: @escaping RequestHandler) {
        self.addPrefix(path, .http(handler))
    }

    /// Serves the files of a folder under a path: `GET` and `HEAD`, with `ETag`.
    ///
    /// A path that ends with a slash has the `index.html` of that folder. What begins with a dot is not there, nor is what a link leads
    /// to outside of the folder.
    ///
    /// - Parameters:
    ///   - path: The path; `/` for all that nothing else is under.
    ///   - folder: The folder's path on this machine.
    ///   - maximumFileSize: The largest file that is served, in bytes; a larger one is as if it were not there.
    public mutating func files(_ path: String, folder: String, maximumFileSize: Int = 16 << 20) {
        let path = path.hasSuffix("/") ? String(path.dropLast()) : path
        self.addPrefix(path, .files(StaticFiles(path: path, folder: folder, maximumFileSize: maximumFileSize)))
    }
}
