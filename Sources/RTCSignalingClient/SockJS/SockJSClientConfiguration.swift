public import NIOCore
public import RTCSignaling

/// How a client of SockJS connects.
public struct SockJSClientConfiguration: Sendable {
    /// A way of carrying SockJS's frames.
    public enum Transport: String, Sendable, Hashable, CaseIterable {
        /// One WebSocket.
        case webSocket = "websocket"
        /// One long response, and requests that send.
        case xhrStreaming = "xhr_streaming"
        /// A response for each batch of messages, and requests that send.
        case xhr = "xhr"
    }

    /// The transports that are tried, one after the other. Default all.
    public var transports = Transport.allCases
    /// The name of the server in URLs, by which load balancers choose; nil, the default, for a random one of three digits.
    public var serverName: String?
    /// Limits and times of a WebSocket.
    public var webSocket = WebSocketConfiguration()
    /// What all clients over HTTP have. `connectTimeout` counts for the question what the service has, and for the last transport.
    public var http = HTTPClientSettings()
    /// How long a transport with another behind it gets at least to open the session; more where the service answered slowly, as in the
    /// JavaScript client: twice 300 ms and the answer's time, or eight times that from 100 ms on; never more than
    /// `http.connectTimeout`. Default 1 s.
    public var minimumTransportTimeout: TimeAmount = .seconds(1)

    /// The defaults.
    public init() {}
}

extension SockJSClientConfiguration {
    /// How long a transport may take, which needs two round trips.
    ///
    /// - Parameter roundTrip: How long the service took to answer.
    func transportTimeout(roundTrip: TimeAmount) -> TimeAmount {
        let once = roundTrip > .milliseconds(100) ? roundTrip * 4 : .milliseconds(300) + roundTrip
        return min(self.http.connectTimeout, max(self.minimumTransportTimeout, once * 2))
    }
}
