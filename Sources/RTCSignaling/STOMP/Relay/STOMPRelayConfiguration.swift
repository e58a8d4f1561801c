public import NIOCore

/// The external broker behind a ``STOMPRelay``.
public struct STOMPRelayConfiguration: Sendable, Hashable {
    /// The broker's name or address.
    public var host: String
    /// Its port for STOMP over TCP.
    public var port: Int
    /// Who clients are for the broker; their own `login` is for this server only. Default `guest`.
    public var clientLogin = "guest"
    /// Their password there. Default `guest`.
    public var clientPasscode = "guest"
    /// Who the server is for the broker, with what it sends itself. Default `guest`.
    public var systemLogin = "guest"
    /// Its password there. Default `guest`.
    public var systemPasscode = "guest"
    /// The value of `host` in `CONNECT`: RabbitMQ's virtual host. Default `/`.
    public var virtualHost = "/"
    /// How often heart-beats are sent to the broker and wanted from it; zero for never. Default 10 s.
    public var heartbeatInterval: TimeAmount = .seconds(10)
    /// How long connecting to the broker may take. Default 10 s.
    public var connectTimeout: TimeAmount = .seconds(10)
    /// The longest wait before the first new attempt to reach a broker that is away; twice as long before each next. Between the half
    /// and the whole of it, so that not all nodes come at once. Default 1 s.
    public var firstRetry: TimeAmount = .seconds(1)
    /// The longest wait between attempts. Default 30 s.
    public var longestRetry: TimeAmount = .seconds(30)
    /// What destinations of clients begin with; nothing else of the broker can be reached by them. Default `/topic/` and `/queue/`.
    public var destinationPrefixes = ["/topic/", "/queue/"]
    /// Where messages for users and sessions go at the broker, before a name that is made of the user's and the destination's: something
    /// that takes a message to all who subscribe now. Default RabbitMQ's direct exchange.
    public var userDestinationPrefix = "/exchange/amq.direct/"
    /// Headers of clients that are passed on though a broker may act on them: those that begin with `x-`, `durable`, `auto-delete`,
    /// `exclusive` and `reply-to` in a `SEND`, and all but those of STOMP, `prefetch-count`, `selector` and `requeue` elsewhere. With
    /// some of RabbitMQ's a client reaches any of its queues and exchanges. Default none.
    public var passedHeaders: Set<String> = []
    /// Whether messages to `/queue/…` are marked as persistent unless the client says otherwise, so that RabbitMQ writes them to disk
    /// before it gives a receipt. Default true.
    public var marksPersistent = true
    /// The most messages of the server itself that wait for the broker or for its receipt; one more is dropped. Default 1000.
    public var maximumPendingMessages = 1000
    /// The most bytes of them. Default 4 MiB.
    public var maximumPendingBytes = 4 << 20
    /// The most bytes of one client that may wait for the broker; one more ends its connection. Those of the server itself count in
    /// ``maximumPendingBytes`` only. Default 4 MiB.
    public var maximumUnsentBytes = 4 << 20

    /// A broker somewhere.
    public init(host: String, port: Int = 61_613) {
        self.host = host
        self.port = port
    }
}
