public import NIOCore

/// Limits and times of a WebSocket connection.
public struct WebSocketConfiguration: Sendable, Hashable {
    /// The largest payload of one frame that is taken, in bytes; a larger one closes with 1009. Default 256 KiB.
    public var maximumFrameSize = 256 << 10
    /// The largest message that is taken, in bytes, over all its fragments and decompressed; a larger one closes with 1009. Default
    /// 256 KiB.
    public var maximumMessageSize = 256 << 10
    /// The most bytes that may wait for a peer that reads slowly; one more ends the connection. Default 1 MiB.
    public var maximumUnsentBytes = 1 << 20
    /// A ping is sent when nothing came for so long; nil for no pings. Default 25 s.
    public var pingInterval: TimeAmount? = .seconds(25)
    /// A text message that is sent with every ping, for clients that expect a heartbeat of their own protocol. Default nil.
    public var heartbeatText: String?
    /// The connection ends when nothing came for so long, not even a pong; nil for never. Default 60 s.
    public var idleTimeout: TimeAmount? = .seconds(60)
    /// How long the peer may take to answer a close frame, and how long a server keeps messages that are not wanted yet after their
    /// client is gone. Default 5 s.
    public var closeTimeout: TimeAmount = .seconds(5)

    /// How messages are compressed where the other side can; nil, the default, for never.
    public var deflate: WebSocketDeflateConfiguration?

    /// The defaults.
    public init() {}
}
