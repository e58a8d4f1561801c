public import NIOCore
public import NIOSSL
public import RTCSignaling

/// What clients over HTTP requests have in common.
public struct HTTPClientSettings: Sendable {
    /// Header fields of all requests: `Origin`, `Cookie`, `Authorization`. Cookies that the server sets are sent back beside them.
    /// Default none.
    public var headers: SignalingHeaders = [:]
    /// TLS for `https` and `wss`: whom to trust (`trustRoots`), certificates of this side. Default: the system's roots.
    public var tls = TLSConfiguration.makeClientConfiguration()
    /// How long opening a session may take. Default 10 s.
    public var connectTimeout: TimeAmount = .seconds(10)
    /// How long a request may take beyond the time that the server may hold it. Default 15 s.
    public var requestTimeout: TimeAmount = .seconds(15)
    /// How long a stream may say nothing. Servers show signs of life every 15 to 25 s. Default 60 s.
    public var idleTimeout: TimeAmount = .seconds(60)
    /// How long what was sent may take when the channel is closed. Default 5 s.
    public var closeTimeout: TimeAmount = .seconds(5)
    /// The bytes of messages that may wait before sending suspends; also the largest message that is sent. Default 256 KiB.
    public var sendBuffer = 256 << 10
    /// The most bytes of messages in one request, unless one message is larger. Default 64 KiB.
    public var batchSize = 64 << 10
    /// The most bytes of a response that is taken as a whole, or of one event or frame of a stream. Default 4 MiB.
    public var maximumResponseSize = 4 << 20

    /// The defaults.
    public init() {}
}

extension HTTPClientSettings {
    /// - Parameters:
    ///   - url: Where the server of all requests is.
    ///   - idleTimeout: How long a response may say nothing; nil for ``idleTimeout``.
    func makeRequester(
        for url: SignalingURL,
        idleTimeout: TimeAmount? = nil
    ) throws(SignalingChannelError) -> HTTPRequester {
        try HTTPRequester(
            host: url.host,
            headers: self.headers,
            tls: self.tls,
            connectTimeout: self.connectTimeout,
            idleTimeout: idleTimeout ?? self.idleTimeout,
            timeout: self.requestTimeout
        )
    }

    func limits(retrying: TimeAmount) -> HTTPChannel.Limits {
        HTTPChannel.Limits(
            sendBuffer: self.sendBuffer,
            batch: self.batchSize,
            retrying: retrying,
            closing: self.closeTimeout
        )
    }
}
