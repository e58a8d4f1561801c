public import Logging
public import NIOCore

/// Where a signalling server listens, and its limits.
public struct SignalingServerConfiguration: Sendable {
    /// The address to listen on: a name or an IP literal. Default loopback.
    public var host = "127.0.0.1"
    /// The port; 0, the default, takes a free one.
    public var port = 0
    /// Certificates and keys for TLS, with HTTP/2 and HTTP/1.1 by ALPN; nil, the default, serves HTTP/1.1 in the clear.
    public var tls: SignalingTLS?
    /// Limits of HTTP/2, which is spoken over TLS only.
    public var http2 = SignalingHTTP2Configuration()

    /// The most connections at once; more are closed at once. Default 10,000.
    public var maximumConnections = 10_000
    /// The most connections at once from one IP address; more are closed at once. Default 1000. Behind a load balancer all come from
    /// its address: there it should be ``maximumConnections``.
    public var maximumConnectionsPerAddress = 1000
    /// The most bytes of a request's path and query; a longer one gets 414. Default 8 KiB.
    public var maximumTargetSize = 8 << 10
    /// The most bytes of a request's line and header fields; more get 431. Default 16 KiB.
    public var maximumHeadSize = 16 << 10
    /// The largest body of a request, in bytes; a larger one gets 413. Default 256 KiB.
    public var maximumBodySize = 256 << 10
    /// How long a client may take for TLS's handshake and a request's head, from its first byte on; then the connection is closed.
    /// Default 10 s.
    public var headTimeout: TimeAmount = .seconds(10)
    /// How long a client may take for a request's body, from when it is read; then the connection is closed, or the stream. Default 30 s.
    public var bodyTimeout: TimeAmount = .seconds(30)
    /// How long a client may stay without a request, or take nothing of a whole response; then the connection is closed. Default
    /// 60 s, for each 32 KiB of a response anew.
    public var idleTimeout: TimeAmount = .seconds(60)
    /// How long clients get to take their leave when the server stops, and handlers to return; then they are cut off. Default 5 s.
    public var drainTimeout: TimeAmount = .seconds(5)
    /// The most bytes that may wait in a session for the event loop, 32 more for each message; one more ends it. Default 1 MiB.
    public var maximumUnsentBytes = 1 << 20
    /// The most messages beyond a full buffer of 32 that a client over HTTP may send before they are read. Default 256.
    public var maximumUnreadMessages = 256

    /// Where the server tells what happens to it: refusals at the level of `debug`, and its end. What clients send does not show, nor their
    /// addresses. Default nowhere.
    public var logger = Logger(label: "signaling-server") { _ in SwiftLogNoOpLogHandler() }
    /// Called for each connection before anything else, to add handlers below TLS and HTTP.
    public var prepareConnection: (@Sendable (any Channel) throws -> Void)?

    /// The defaults.
    public init() {}
}

/// Limits of HTTP/2 (RFC 9113).
public struct SignalingHTTP2Configuration: Sendable, Hashable {
    /// Whether it is offered. Default true.
    public var isEnabled = true
    /// The most streams of a connection at once. Default 100. A stream that waits for messages counts.
    public var maximumConcurrentStreams = 100
    /// The most streams that a client may reset within 30 seconds; one more ends the connection (CVE-2023-44487). Default 200.
    public var maximumStreamResets = 200
    /// The most PING, SETTINGS and PRIORITY frames within 30 seconds; one more ends the connection. Default 200.
    public var maximumControlFrames = 200
    /// The most bytes of responses and WebSockets that may be written and wait for the client on all streams of a connection; one that
    /// takes less ends, with a GOAWAY (`ENHANCE_YOUR_CALM`). Files and whole responses, however large, are written as the client takes
    /// them, no more than 128 KiB ahead; for them there are `idleTimeout` and ``maximumHeldBytes``. Default 16 MiB.
    public var maximumUnsentBytes = 16 << 20
    /// The most bytes of whole responses, files aside, that may be there and not written yet on all streams of a connection. A response
    /// that would be more is not kept: its stream gets a 503 in its place, and the others go on; one alone is always kept. Default 64 MiB.
    public var maximumHeldBytes = 64 << 20
    /// The most bytes of requests' bodies on all streams of a connection, from the first of them until the response begins; streams
    /// beyond that are not read from until there is room. Each of them may hold a window more, 64 KiB. Default 4 MiB.
    public var maximumRequestBytes = 4 << 20
    /// Whether clients may open WebSockets on streams (RFC 8441). Default true.
    public var hasWebSockets = true

    /// The defaults.
    public init() {}
}
