import NIOCore
public import RTCSignaling
import Synchronization

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
        /// Plain HTTP requests: polling, long polling or server-sent events.
        case polling
    }

    private struct Outgoing {
        var messages: [WebSocketMessage] = []
        var bytes = 0
        var close: (code: Int, reason: String)?
        var isWoken = false
        var isEnded = false
    }

    /// The request that began it: its headers and cookies tell who the client is.
    public let request: SignalingRequest
    /// How the client is connected.
    public let transport: Transport
    /// The WebSocket subprotocol that was agreed upon; nil for none.
    public let subprotocol: String?
    /// What the client sends, in its order, to be read by one reader; ends with the session.
    ///
    /// A WebSocket whose messages are not read is not read from, and a client that polls is told to try again later; a client of
    /// SockJS over HTTP that sends more than the server's limit of unread messages is cut off.
    public let messages: SignalingMessages

    private let eventLoop: any EventLoop
    private let link: NIOLoopBound<any SessionLink>
    private let outgoing = Mutex(Outgoing())
    private let maximumUnsentBytes: Int

    init(
        request: SignalingRequest,
        transport: Transport,
        subprotocol: String?,
        messages: SignalingMessages,
        eventLoop: any EventLoop,
        link: any SessionLink,
        maximumUnsentBytes: Int
    ) {
        self.request = request
        self.transport = transport
        self.subprotocol = subprotocol
        self.messages = messages
        self.eventLoop = eventLoop
        self.link = NIOLoopBound(link, eventLoop: eventLoop)
        self.maximumUnsentBytes = maximumUnsentBytes
    }

    /// Whether the session is over.
    public var isEnded: Bool { self.outgoing.withLock { $0.isEnded || $0.close != nil } }

    /// Sends text; does nothing when the session is over.
    ///
    /// Messages that a client does not take are kept up to a limit of bytes; then the session ends.
    public func send(_ text: String) { self.send(.text(text)) }

    /// Sends a message; does nothing when the session is over. SockJS and polling have text only, so there bytes are not sent.
    public func send(_ message: WebSocketMessage) {
        self.enqueue { outgoing in
            outgoing.bytes += message.size
            guard outgoing.bytes <= self.maximumUnsentBytes else {
                outgoing.messages = []
                outgoing.close = (1008, "Too slow")
                return
            }
            outgoing.messages.append(message)
        }
    }

    /// Ends the session after what was sent; does nothing when it is over.
    ///
    /// - Parameters:
    ///   - code: What the client is told (``WebSocketCloseCode``): 1000, or 3000 to 4999 for reasons of its own.
    ///   - reason: Text for people, up to 123 bytes.
    public func close(code: Int = 1000, reason: String = "") {
        self.enqueue { $0.close = (code, reason) }
    }

    /// Many messages cross to the event loop in one hop.
    private func enqueue(_ change: (inout Outgoing) -> Void) {
        let wakes = self.outgoing.withLock { outgoing in
            guard !outgoing.isEnded, outgoing.close == nil else { return false }
            change(&outgoing)
            defer { outgoing.isWoken = true }
            return !outgoing.isWoken
        }
        if wakes { self.eventLoop.execute { self.flush() } }
    }

    private func flush() {
        let (messages, close) = self.outgoing.withLock { outgoing in
            defer {
                outgoing.messages = []
                outgoing.bytes = 0
                outgoing.isWoken = false
            }
            return (outgoing.messages, outgoing.close)
        }
        let link = self.link.value
        for message in messages { link.send(message) }
        if let close { link.close(code: close.code, reason: close.reason) }
    }

    /// On the event loop: the session is over.
    func end() { self.outgoing.withLock { $0.isEnded = true } }
}
