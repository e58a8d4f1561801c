public import NIOCore

/// Where a signalling server listens, and its limits.
public struct SignalingServerConfiguration: Sendable {
    /// The address to listen on: a name or an IP literal. Default loopback.
    public var host = "127.0.0.1"
    /// The port; 0, the default, takes a free one.
    public var port = 0
    /// The most connections at once; more are closed at once. Default 10,000.
    public var maximumConnections = 10_000
    /// The largest body of a request, in bytes; a larger one gets 413. Default 256 KiB.
    public var maximumBodySize = 256 << 10
    /// How long a client may take for a request, and stay without one. Default 60 s.
    public var requestTimeout: TimeAmount = .seconds(60)
    /// The most bytes that may wait in a session for the event loop; one more ends it. Default 1 MiB.
    public var maximumUnsentBytes = 1 << 20
    /// The most messages beyond a full buffer of 32 that a client over HTTP may send before they are read. Default 256.
    public var maximumUnreadMessages = 256
    /// Called for each connection before anything else, to add handlers below HTTP: a `NIOSSLServerHandler` for TLS, for example.
    public var prepareConnection: (@Sendable (any Channel) throws -> Void)?

    /// The defaults.
    public init() {}
}
