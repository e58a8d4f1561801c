public import NIOCore

/// Limits and times of a SockJS service.
public struct SockJSConfiguration: Sendable, Hashable {
    /// Where pages in an iframe load the client from: an absolute URL, or a path on this server. Default the client's own CDN.
    public var clientURL = "https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js"
    /// Whether clients are told to use WebSockets. Default true.
    public var hasWebSocket = true
    /// Whether responses of sessions set a `JSESSIONID`, which some load balancers keep a client on one server by. Default
    /// false.
    public var setsCookie = false
    /// The bytes after which a streaming response ends and the client makes a new one, so that browsers can forget the old.
    /// Default 128 KiB.
    public var responseLimit = 128 << 10
    /// How often a heartbeat is sent. Default 25 s.
    public var heartbeatInterval: TimeAmount = .seconds(25)
    /// How long a session lives without a request that receives. Default 5 s.
    public var disconnectDelay: TimeAmount = .seconds(5)
    /// The largest body that is taken from one request, in bytes; a larger one gets 413. Default 256 KiB.
    public var maximumBodySize = 256 << 10
    /// The most sessions at once; a request for one more gets 503. Default 10,000.
    public var maximumSessions = 10_000
    /// The most bytes that may wait for a client, 32 more for each message; one more ends its session with 1008. Default 1 MiB.
    public var maximumUnsentBytes = 1 << 20

    /// The defaults.
    public init() {}
}
