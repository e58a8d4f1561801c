public import NIOCore

/// Limits and times of an Engine.IO service.
public struct EngineIOConfiguration: Sendable, Hashable {
    /// How often clients are told to send a ping. Default 25 s.
    public var pingInterval: TimeAmount = .seconds(25)
    /// How long clients are told to wait for the answer; a session from which no packet came for this and `pingInterval` is over.
    /// Default 20 s: pages in the background are late with what they do.
    public var pingTimeout: TimeAmount = .seconds(20)
    /// How long a WebSocket that is to take a session over may take for that. Default 10 s.
    public var upgradeTimeout: TimeAmount = .seconds(10)
    /// How long a session that was closed waits for a poll that takes the news. Default 5 s.
    public var closeTimeout: TimeAmount = .seconds(5)
    /// Whether sessions may be over HTTP requests. Default true.
    public var hasPolling = true
    /// Whether sessions may be over WebSockets, from the beginning or later. Default true.
    public var hasWebSocket = true
    /// The name of the cookie that says the session's name, which some load balancers keep a client on one server by; nil for no
    /// cookie. Default `io`, as existing servers have it.
    public var cookieName: String? = "io"
    /// The largest body that is taken from one request, in bytes; a larger one ends the session. Default 256 KiB.
    public var maximumBodySize = 256 << 10
    /// The most sessions at once; one more is refused. Default 10,000.
    public var maximumSessions = 10_000
    /// The most bytes that may wait for a poll, 32 more for each packet; one more ends the session. Default 1 MiB.
    public var maximumUnsentBytes = 1 << 20

    /// The defaults.
    public init() {}
}
