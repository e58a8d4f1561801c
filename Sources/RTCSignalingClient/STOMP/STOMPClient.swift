public import NIOCore
public import NIOPosix
public import RTCSignaling

/// A client of STOMP 1.0, 1.1 and 1.2: over WebSocket, SockJS, TCP, TLS or any ``RTCSignaling/SignalingChannel``.
///
/// Everything may be called from anywhere. A connection that broke is over; ``subscriptions`` says what to subscribe to on the next.
/// A client that is let go of is disconnected.
public final class STOMPClient: Sendable {
    /// The version that is spoken.
    public let version: STOMPVersion
    /// The headers of the broker's `CONNECTED`: `session`, `server`, `user-name`.
    public let serverHeaders: [STOMPFrame.Header]

    private let core: STOMPClientCore

    private init(_ core: STOMPClientCore, _ connected: STOMPFrame) {
        self.core = core
        self.version = core.version
        self.serverHeaders = connected.headers
    }

    deinit {
        let core = self.core
        Task { await core.end(.disconnected) }
    }

    // MARK: Connecting

    /// Connects to a broker.
    ///
    /// - Parameters:
    ///   - url: `ws` and `wss` for WebSocket, `http` and `https` for SockJS, `stomp` and `stomps` for TCP and TLS.
    ///   - http: Headers, TLS and limits of what is below.
    ///   - eventLoop: The loop of the connection, where it is a WebSocket, TCP or TLS.
    /// - Throws: ``STOMPClientError``.
    public static func connect(
        to url: String,
        configuration: STOMPClientConfiguration = STOMPClientConfiguration(),
        http: HTTPClientSettings = HTTPClientSettings(),
        eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any()
    ) async throws(STOMPClientError) -> STOMPClient {
        let parsed: SignalingURL
        let carrier: any ByteCarrier
        do throws(SignalingChannelError) {
            parsed = try SignalingURL(url, schemes: Set(SignalingURL.Scheme.allCases))
            carrier = try await self.open(parsed, configuration, http, eventLoop)
        } catch {
            throw STOMPClientError(error)
        }
        return try await self.connect(carrier, host: parsed.host, configuration)
    }

    /// Connects through a channel that is there, which is the client's from here on. Bodies are text there.
    public static func connect(
        through channel: any SignalingChannel,
        host: String,
        configuration: STOMPClientConfiguration = STOMPClientConfiguration()
    ) async throws(STOMPClientError) -> STOMPClient {
        try await self.connect(ChannelCarrier(channel: channel), host: host, configuration)
    }

    private static func open(
        _ url: SignalingURL,
        _ configuration: STOMPClientConfiguration,
        _ http: HTTPClientSettings,
        _ eventLoop: any EventLoop
    ) async throws(SignalingChannelError) -> any ByteCarrier {
        switch url.scheme {
        case .ws, .wss:
            var settings = WebSocketClientConfiguration()
            settings.headers = http.headers
            settings.tls = http.tls
            settings.connectTimeout = http.connectTimeout
            settings.subprotocols = configuration.versions.sorted(by: >).map(\.subprotocol)
            settings.connection.maximumMessageSize = configuration.maximumBodySize + configuration.maximumHeadSize
            settings.connection.maximumFrameSize = settings.connection.maximumMessageSize
            settings.connection.maximumUnsentBytes = 2 * configuration.sendBuffer + 1024
            let socket = try await WebSocketClient.connect(
                to: url.description,
                configuration: settings,
                eventLoop: eventLoop
            )
            return WebSocketCarrier(socket: socket)
        case .http, .https:
            var settings = SockJSClientConfiguration()
            settings.http = http
            settings.http.sendBuffer = max(http.sendBuffer, configuration.sendBuffer)
            return ChannelCarrier(channel: try await SockJSClient.connect(to: url.description, configuration: settings))
        case .stomp, .stomps:
            let dialer = try Dialer(
                host: url.host,
                port: url.port,
                tls: url.scheme.isSecure ? http.tls : nil,
                timeout: http.connectTimeout,
                eventLoop: eventLoop
            )
            return try await TCPClient.connect(dialer, sendBuffer: configuration.sendBuffer)
        }
    }

    private static func connect(
        _ carrier: any ByteCarrier,
        host: String,
        _ configuration: STOMPClientConfiguration
    ) async throws(STOMPClientError) -> STOMPClient {
        let core = STOMPClientCore(carrier, host: host, configuration)
        core.start()
        do throws(STOMPClientError) {
            return STOMPClient(core, try await core.connected())
        } catch {
            await core.end(error)
            throw error
        }
    }

    // MARK: Sending

    /// Sends a message; suspends while too much waits to be sent.
    ///
    /// - Parameters:
    ///   - destination: Where to.
    ///   - headers: More headers, `content-type` among them.
    ///   - transaction: What it belongs to.
    ///   - confirmed: Whether to wait until the broker confirms that it has it.
    public func send(
        to destination: String,
        headers: [STOMPFrame.Header] = [],
        body: ByteBuffer,
        transaction: Transaction? = nil,
        confirmed: Bool = false
    ) async throws(STOMPClientError) {
        var all = [STOMPFrame.Header("destination", destination)]
        if let transaction { all.append(.init("transaction", transaction.id)) }
        try await self.core.send(STOMPFrame("SEND", all + headers, body: body), confirmed: confirmed)
    }

    /// Sends text, as `text/plain` unless the headers say something else.
    public func send(
        to destination: String,
        headers: [STOMPFrame.Header] = [],
        text: String,
        transaction: Transaction? = nil,
        confirmed: Bool = false
    ) async throws(STOMPClientError) {
        let type =
            headers.contains { $0.name == "content-type" } ? [] : [STOMPFrame.Header("content-type", "text/plain")]
        try await self.send(
            to: destination,
            headers: type + headers,
            body: ByteBuffer(string: text),
            transaction: transaction,
            confirmed: confirmed
        )
    }

    // MARK: Receiving

    /// Subscribes to a destination.
    ///
    /// - Parameter confirmed: Whether to wait until the broker confirms it; some brokers confirm before it holds for others.
    public func subscribe(
        _ request: SubscriptionRequest,
        confirmed: Bool = false
    ) async throws(STOMPClientError) -> Subscription {
        guard request.ackMode != .clientIndividual || self.version > .v1_0 else {
            throw .invalidArgument(reason: "1.0 acknowledges no single messages")
        }
        return try await self.core.subscribe(request, confirmed: confirmed)
    }

    /// Subscribes to a destination.
    public func subscribe(
        to destination: String,
        ackMode: SubscriptionRequest.AckMode = .auto,
        headers: [STOMPFrame.Header] = [],
        confirmed: Bool = false
    ) async throws(STOMPClientError) -> Subscription {
        try await self.subscribe(
            SubscriptionRequest(destination, ackMode: ackMode, headers: headers),
            confirmed: confirmed
        )
    }

    /// Ends a subscription; what came before can still be read.
    public func unsubscribe(_ subscription: Subscription) async throws(STOMPClientError) {
        try await self.core.unsubscribe(subscription)
    }

    /// What is subscribed to, in its order, also when the connection is over: subscribe to it on the next.
    public var subscriptions: [SubscriptionRequest] { self.core.requests }

    /// Says that a message was handled.
    public func ack(_ message: Message, transaction: Transaction? = nil) async throws(STOMPClientError) {
        try await self.acknowledge("ACK", message, transaction)
    }

    /// Says that a message was not handled: the broker gives it to another or drops it. Not in 1.0.
    public func nack(_ message: Message, transaction: Transaction? = nil) async throws(STOMPClientError) {
        guard self.version > .v1_0 else { throw .invalidArgument(reason: "1.0 has no NACK") }
        try await self.acknowledge("NACK", message, transaction)
    }

    private func acknowledge(
        _ command: String,
        _ message: Message,
        _ transaction: Transaction?
    ) async throws(STOMPClientError) {
        var headers: [STOMPFrame.Header] = []
        if self.version == .v1_2 {
            guard let ack = message["ack"] else {
                throw .invalidArgument(reason: "the message is not to be acknowledged")
            }
            headers.append(.init("id", ack))
        } else {
            guard let id = message["message-id"] else {
                throw .invalidArgument(reason: "the message is not to be acknowledged")
            }
            headers.append(.init("message-id", id))
            if let subscription = message["subscription"] { headers.append(.init("subscription", subscription)) }
        }
        if let transaction { headers.append(.init("transaction", transaction.id)) }
        try await self.core.send(STOMPFrame(command, headers))
    }

    // MARK: Transactions

    /// Begins a transaction: what is sent and acknowledged in it happens with ``commit(_:)``, or not at all.
    public func begin() async throws(STOMPClientError) -> Transaction {
        let transaction = Transaction(id: self.core.makeName("transaction"))
        try await self.core.send(STOMPFrame("BEGIN", [.init("transaction", transaction.id)]))
        return transaction
    }

    /// Makes a transaction happen, and waits until the broker confirms it.
    public func commit(_ transaction: Transaction) async throws(STOMPClientError) {
        try await self.core.send(STOMPFrame("COMMIT", [.init("transaction", transaction.id)]), confirmed: true)
    }

    /// Forgets a transaction.
    public func abort(_ transaction: Transaction) async throws(STOMPClientError) {
        try await self.core.send(STOMPFrame("ABORT", [.init("transaction", transaction.id)]))
    }

    // MARK: Leaving

    /// Disconnects once the broker has confirmed all that was sent, at most the configuration's `disconnectTimeout`.
    public func disconnect() async { await self.core.disconnect() }
}
