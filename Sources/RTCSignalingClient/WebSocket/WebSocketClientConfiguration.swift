public import NIOCore
public import NIOSSL
public import RTCSignaling

/// How a client opens WebSockets, and its limits.
public struct WebSocketClientConfiguration: Sendable {
    /// Subprotocols that are offered, the best first. Default none.
    public var subprotocols: [String] = []
    /// More header fields of the request: `Origin`, `Cookie`, `Authorization`. Default none.
    public var headers: SignalingHeaders = [:]
    /// How long looking up the name, connecting, TLS and the handshake may take together. Default 10 s.
    public var connectTimeout: TimeAmount = .seconds(10)
    /// TLS for `wss`: whom to trust (`trustRoots`), certificates of this side. Default: the system's roots.
    public var tls = TLSConfiguration.makeClientConfiguration()
    /// Limits and times of the connection, and whether compression is offered (`deflate`; by default it is not).
    ///
    /// Sending suspends while half of `maximumUnsentBytes` wait, which is also the largest message that is sent;
    /// the other half is for pongs.
    public var connection = WebSocketConfiguration()

    /// The defaults.
    public init() {}
}
