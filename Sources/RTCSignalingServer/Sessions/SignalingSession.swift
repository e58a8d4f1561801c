public import RTCSignaling

/// One client of a route, over whatever transport it came.
///
/// Everything may be called from anywhere. The session ends when either side closes it, and when the handler of its route returns.
public final class SignalingSession: Sendable {
    /// How a client is connected.
    public enum Transport: Sendable, Hashable {
        /// A WebSocket.
        case webSocket
        /// SockJS over a WebSocket.
        case sockJSWebSocket
        /// SockJS over HTTP requests.
        case sockJSHTTP
    }

    /// The request that began it: its headers and cookies tell who the client is.
    public let request: SignalingRequest
    /// How the client is connected.
    public let transport: Transport
    /// The WebSocket subprotocol that was agreed upon; nil for none.
    public let subprotocol: String?
    /// What the client sends, in its order, to be read by one reader; ends with the session.
    ///
    /// A WebSocket whose messages are not read is not read from; a client over HTTP that sends more than the server's limit of
    /// unread messages is cut off.
    public let messages: SignalingMessages

    private let outbox: SessionOutbox

    init(
        request: SignalingRequest,
        transport: Transport,
        subprotocol: String?,
        messages: SignalingMessages,
        outbox: SessionOutbox
    ) {
        self.request = request
        self.transport = transport
        self.subprotocol = subprotocol
        self.messages = messages
        self.outbox = outbox
    }

    /// Whether the session is over.
    public var isEnded: Bool { self.outbox.isEnded }

    /// Sends text; does nothing when the session is over.
    ///
    /// Messages that a client does not take are kept up to a limit of bytes; then the session ends.
    public func send(_ text: String) { self.send(.text(text)) }

    /// Sends a message; does nothing when the session is over. SockJS has text only, so there bytes are not sent.
    public func send(_ message: WebSocketMessage) { self.outbox.send(message) }

    /// Ends the session after what was sent; does nothing when it is over.
    ///
    /// - Parameters:
    ///   - code: What the client is told (``WebSocketCloseCode``): 1000, or 3000 to 4999 for reasons of its own.
    ///   - reason: Text for people, up to 123 bytes.
    public func close(code: Int = 1000, reason: String = "") {
        self.outbox.close(code: code, reason: reason)
    }

    /// On the event loop: the session is over.
    func end() { self.outbox.end() }
}
