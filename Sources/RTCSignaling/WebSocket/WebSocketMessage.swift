public import NIOCore

/// A message of a WebSocket connection (RFC 6455 section 5.6).
public enum WebSocketMessage: Sendable, Hashable {
    /// Text, valid Unicode.
    case text(String)
    /// Bytes.
    case binary(ByteBuffer)

    /// What a message takes beside its payload while it waits, in bytes: empty ones must not be free of charge.
    package static let overhead = 32

    /// The size of the payload in bytes.
    package var size: Int {
        switch self {
        case .text(let text): return text.utf8.count
        case .binary(let bytes): return bytes.readableBytes
        }
    }
}

/// How a WebSocket connection ended.
public struct WebSocketClosure: Sendable, Hashable {
    /// Who began it.
    public enum Origin: Sendable, Hashable {
        /// ``WebSocketConnection/close(code:reason:now:)`` was called.
        case local
        /// The peer sent a close frame, or its connection ended.
        case peer
        /// The peer broke a rule or a limit; the code says which kind.
        case failure
    }

    /// Who began it.
    public var origin: Origin
    /// The code that was received, or sent where this side began; ``WebSocketCloseCode/abnormal`` if there was no close frame.
    public var code: WebSocketCloseCode
    /// The reason beside the code; empty for none.
    public var reason: String

    /// An end.
    public init(origin: Origin, code: WebSocketCloseCode, reason: String) {
        self.origin = origin
        self.code = code
        self.reason = reason
    }
}
