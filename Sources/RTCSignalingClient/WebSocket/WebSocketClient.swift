public import NIOCore
public import NIOPosix
public import RTCSignaling
import Synchronization

/// A client's WebSocket (RFC 6455), by `ws` and `wss`.
///
/// Everything may be called from anywhere, but one task at a time receives. While nobody receives, nothing more is read from the
/// socket. A client that is let go of is closed.
public final class WebSocketClient: SignalingChannel {
    /// The subprotocol that the server chose; nil for none.
    public let subprotocol: String?
    /// The header fields of the server's response: its cookies, for example.
    public let responseHeaders: SignalingHeaders

    private let eventLoop: any EventLoop
    private let handler: NIOLoopBound<WebSocketClientHandler>
    private let inbox: Inbox<WebSocketMessage>
    private let outbox: Outbox<WebSocketMessage>
    private let closed: EventLoopFuture<WebSocketClosure>

    init(
        _ opening: WebSocketClientHandshake.Opening,
        _ handler: WebSocketClientHandler,
        eventLoop: any EventLoop,
        closed: EventLoopFuture<WebSocketClosure>
    ) {
        self.subprotocol = opening.subprotocol
        self.responseHeaders = opening.headers
        self.eventLoop = eventLoop
        self.handler = NIOLoopBound(handler, eventLoop: eventLoop)
        self.inbox = handler.inbox
        self.outbox = handler.outbox
        self.closed = closed
    }

    deinit {
        let handler = self.handler
        self.eventLoop.execute { handler.value.close(code: .goingAway, reason: "") }
    }

    /// Opens a WebSocket.
    ///
    /// - Parameters:
    ///   - url: `ws://…` or `wss://…`.
    ///   - eventLoop: The loop of the connection; one of the process's own by default.
    /// - Throws: ``SignalingChannelError``: `invalidArgument` for what cannot be asked for, `connectionFailed` when nobody is
    ///   reached or answers in time, `refused` for a status other than 101 (redirects are not followed), `protocolViolation` for
    ///   an answer that is none to this handshake, `cancelled`.
    public static func connect(
        to url: String,
        configuration: WebSocketClientConfiguration = WebSocketClientConfiguration(),
        eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any()
    ) async throws(SignalingChannelError) -> WebSocketClient {
        let url = try SignalingURL(url, schemes: [.ws, .wss])
        let handshake = try WebSocketClientHandshake(
            url: url,
            subprotocols: configuration.subprotocols,
            deflate: configuration.connection.deflate,
            headers: configuration.headers
        )
        let dialer = try Dialer(
            host: url.host,
            port: url.port,
            tls: url.scheme.isSecure ? configuration.tls : nil,
            timeout: configuration.connectTimeout,
            eventLoop: eventLoop
        )
        return try await dialer.dial { channel, opened in
            let handler = WebSocketClientHandler(handshake, configuration.connection, opened: opened)
            try channel.pipeline.syncOperations.addHandler(handler)
        }
    }

    // MARK: Sending

    /// Sends text; suspends while too much waits to be sent.
    public func send(_ text: String) async throws(SignalingChannelError) { try await self.send(.text(text)) }

    /// Sends a message of either kind; suspends while too much waits to be sent.
    ///
    /// - Throws: ``SignalingChannelError``: `closed`, `messageTooLarge`, and `cancelled` when the task was cancelled while it
    ///   waited; then the message is not sent.
    public func send(_ message: WebSocketMessage) async throws(SignalingChannelError) {
        try await self.outbox.send(message, size: message.size) {
            self.eventLoop.execute { self.handler.value.flush() }
        }
    }

    // MARK: Receiving

    /// The next message as text; nil after an orderly end (``receiveMessage()``).
    ///
    /// Bytes that are UTF-8 count as text: some servers send all they have to say so. Others close the connection with 1003.
    public func receive() async throws(SignalingChannelError) -> String? {
        switch try await self.receiveMessage() {
        case nil: return nil
        case .text(let text)?: return text
        case .binary(let bytes)?:
            if let text = String(validating: bytes.readableBytesView, as: UTF8.self) { return text }
            let reason = "bytes that are no text"
            self.eventLoop.execute { self.handler.value.close(code: .unsupportedData, reason: reason) }
            throw .protocolViolation(reason: reason)
        }
    }

    /// The next message of either kind; nil after an orderly end: a close of this side, or of the server's with 1000, 1001 or
    /// without a code.
    ///
    /// - Throws: ``SignalingChannelError``: `closed` with what else the server said, `connectionFailed` when the connection broke
    ///   or was silent for too long, `protocolViolation`, of which a message larger than `maximumMessageSize` is one, `cancelled`.
    public func receiveMessage() async throws(SignalingChannelError) -> WebSocketMessage? {
        try await self.inbox.next {
            self.eventLoop.execute { self.handler.value.setReading(true) }
        }
    }

    // MARK: Closing

    /// Closes with 1000 after what was sent, and waits for the server's answer, at most the configuration's `closeTimeout`.
    public func close() async { await self.close(code: .normal) }

    /// Closes after what was sent, and waits for the server's answer, at most the configuration's `closeTimeout`.
    ///
    /// - Parameters:
    ///   - code: What the server is told; one that may not be sent becomes ``RTCSignaling/WebSocketCloseCode/normal``.
    ///   - reason: Text for people, cut to 123 bytes.
    /// - Returns: How the connection ended.
    @discardableResult
    public func close(code: WebSocketCloseCode, reason: String = "") async -> WebSocketClosure {
        self.eventLoop.execute { self.handler.value.close(code: code, reason: reason) }
        do {
            return try await self.closed.get()
        } catch {
            return WebSocketClosure(origin: .failure, code: .abnormal, reason: "\(error)")
        }
    }
}
