public import NIOCore

/// Limits and times of a STOMP broker.
public struct STOMPConfiguration: Sendable, Hashable {
    /// The broker's name in the `server` header. Default `swift-webrtc`.
    public var serverName = "swift-webrtc"
    /// How often the broker can send heart-beats, and wants them; zero for never. A client says what it can and wants, and the
    /// slower of both counts. Default 10 s.
    public var heartbeatInterval: TimeAmount = .seconds(10)
    /// How long a client may take to `CONNECT`. Default 10 s.
    public var connectTimeout: TimeAmount = .seconds(10)
    /// Whether the owner is asked, by ``STOMPBroker/Output/ask(_:)``, before a client connects, subscribes or sends. Default false:
    /// everybody may do everything.
    public var asks = false
    /// Destinations that begin so are the owner's: what is sent there comes by ``STOMPBroker/Output/sent(_:)``. Default `/app/`.
    public var applicationPrefix = "/app/"
    /// The most connections. Default 10,000.
    public var maximumConnections = 10_000
    /// The largest body, in bytes. Default 256 KiB.
    public var maximumBodySize = 256 << 10
    /// The most bytes of command and headers of a frame. Default 16 KiB.
    public var maximumHeadSize = 16 << 10
    /// The most headers of a frame. Default 64.
    public var maximumHeaders = 64
    /// The most subscriptions of a connection. Default 256.
    public var maximumSubscriptions = 256
    /// The most transactions of a connection at once. Default 16.
    public var maximumTransactions = 16
    /// The most bytes in the transactions of a connection. Default 1 MiB.
    public var maximumTransactionBytes = 1 << 20
    /// The most messages of a subscription that wait to be acknowledged: of a queue no more are given to it, of a topic one more
    /// ends the connection. Default 256.
    public var maximumUnacknowledged = 256
    /// The most bytes of a connection's messages that wait to be acknowledged, with the same consequences. One message is always
    /// given. Default 4 MiB.
    public var maximumUnacknowledgedBytes = 4 << 20
    /// The most messages that wait in a queue for somebody who takes them; one more is refused. Default 1000.
    public var maximumQueuedMessages = 1000
    /// The most bytes that wait in a queue; more are refused. Default 4 MiB.
    public var maximumQueuedBytes = 4 << 20
    /// The most bytes that wait in all queues or to be acknowledged; more are refused. Default 256 MiB.
    public var maximumStoredBytes = 256 << 20
    /// The most queues that hold messages at once; more are refused. Default 1000.
    public var maximumQueues = 1000
    /// How often a message of a queue is given out before it is dropped as one that nobody can handle. Default 10.
    public var maximumDeliveries = 10
    /// The most bytes that may wait for a client that reads slowly; one more ends the connection. Queues give it no more from half
    /// of that on. Default 1 MiB.
    public var maximumUnsentBytes = 1 << 20

    /// The defaults.
    public init() {}
}
