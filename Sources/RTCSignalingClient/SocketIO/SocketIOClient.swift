public import NIOCore
public import NIOPosix
public import RTCSignaling

/// A client of Socket.IO 2 (protocol 4 over Engine.IO 3): over HTTP requests, a WebSocket, or the one and then the other. It comes back
/// by itself after its session was lost.
///
/// ```swift
/// let client = try await SocketIOClient.connect(to: "https://app.example")
/// try await client.socket.emit("say", "hello", ["count": 3])
/// let answer = try await client.socket.emitWithAck("ready?")
/// for try await event in client.socket.events {
///     if case .received(let received) = event { print(received.name, received.arguments) }
/// }
/// ```
///
/// Everything may be called from anywhere. Servers of Socket.IO 3 and later are refused with
/// ``RTCSignaling/SocketIOClientError/unsupportedProtocol(reason:)``. A client is closed when it and all its sockets are let go of.
public final class SocketIOClient: Sendable {
    /// What carries a session.
    public enum Carrier: Sendable, Hashable {
        /// HTTP requests.
        case polling
        /// A WebSocket.
        case webSocket
    }

    /// How a client is connected.
    public enum State: Sendable, Hashable {
        /// There is a session; said again when a WebSocket has taken it over.
        case connected(Carrier)
        /// There is none; the client tries to come back after `delay`.
        case waiting(SocketIOClientError, attempt: Int, delay: TimeAmount)
        /// The client is over; nil if it was closed by this side, or has no namespace any more. So many events and acknowledgements of
        /// all namespaces were accepted and may not have arrived.
        case over(SocketIOClientError?, unconfirmed: Int)
    }

    /// The namespace that the client was connected to.
    public let socket: Socket

    private let lifetime: Lifetime

    private init(_ socket: Socket, _ lifetime: Lifetime) {
        self.socket = socket
        self.lifetime = lifetime
    }

    // MARK: Connecting

    /// Connects to a server, in one attempt, and to one of its namespaces.
    ///
    /// - Parameters:
    ///   - url: `http`, `https`, `ws` or `wss`, with the path of the service; `/socket.io/` if there is none. Its query goes with every
    ///     request. The names that Engine.IO has there (`EIO`, `transport`, `sid`, `t`, `j`, `b64`) are not allowed.
    ///   - namespace: The namespace, with a slash at its beginning. What the server says in others is not heard.
    ///   - query: What the server is told when it is asked for the namespace; not for `/`, which every client has without asking.
    ///   - http: Headers, TLS and limits of what is below; `maximumResponseSize` bounds what a response to a poll may be.
    ///   - eventLoop: The loop of timers and WebSockets.
    /// - Throws: ``RTCSignaling/SocketIOClientError``.
    public static func connect(
        to url: String,
        namespace: String = "/",
        query: String = "",
        configuration: SocketIOClientConfiguration = SocketIOClientConfiguration(),
        http: HTTPClientSettings = HTTPClientSettings(),
        eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any()
    ) async throws(SocketIOClientError) -> SocketIOClient {
        let target: SignalingURL
        do throws(SignalingChannelError) {
            target = try Self.target(url)
        } catch {
            throw SocketIOClientError(error)
        }
        let driver = SocketIOClientDriver(target, http, configuration, eventLoop: eventLoop)
        let lifetime = Lifetime(driver)
        let (id, inbox) = try await driver.open(namespace, query: query)
        return SocketIOClient(Socket(namespace, id, inbox, lifetime), lifetime)
    }

    private static func target(_ url: String) throws(SignalingChannelError) -> SignalingURL {
        var target = try SignalingURL(url, schemes: [.http, .https, .ws, .wss])
        target = target.with(target.scheme.isSecure ? .https : .http)
        if target.path == "/" { target.path = "/socket.io/" }
        if !target.path.hasSuffix("/") { target.path += "/" }
        let reserved: Set<Substring> = ["EIO", "transport", "sid", "t", "j", "b64"]
        for field in (target.query ?? "").split(separator: "&") {
            let name = field.prefix { $0 != "=" }
            guard !reserved.contains(name) else { throw .invalidArgument(reason: "the protocol's \(name) in a query") }
        }
        if target.query?.isEmpty == true { target.query = nil }
        return target
    }

    /// Connects to one more namespace over the same session, at most the configuration's `openTimeout`.
    ///
    /// - Parameters:
    ///   - namespace: The namespace, with a slash at its beginning; one that this side does not have.
    ///   - query: What the server is told when it is asked for the namespace.
    /// - Throws: ``RTCSignaling/SocketIOClientError``: `namespaceRefused` with what the server says, for example.
    public func open(_ namespace: String, query: String = "") async throws(SocketIOClientError) -> Socket {
        let (id, inbox) = try await self.lifetime.driver.open(namespace, query: query)
        return Socket(namespace, id, inbox, self.lifetime)
    }

    // MARK: State

    /// How the client is connected, each time that changes, for one reader; ends with ``State/over(_:unconfirmed:)``. Who does not read
    /// misses what came first.
    public var states: AsyncStream<State> { self.lifetime.driver.states }

    /// What carries the session now; nil while there is none.
    public var carrier: Carrier? { self.lifetime.driver.carrier }

    // MARK: Closing

    /// Leaves all namespaces and ends the session after what was sent, which may take the configuration's `closeTimeout`. What waits for
    /// a session that there is not is dropped.
    ///
    /// - Returns: How many events and acknowledgements were accepted and may not have arrived.
    @discardableResult
    public func close() async -> Int { await self.lifetime.driver.close() }
}

extension SocketIOClient {
    /// Closes the client when nobody has it, or one of its sockets, any more.
    final class Lifetime: Sendable {
        let driver: SocketIOClientDriver

        init(_ driver: SocketIOClientDriver) { self.driver = driver }

        deinit {
            let driver = self.driver
            Task { await driver.close() }
        }
    }
}
