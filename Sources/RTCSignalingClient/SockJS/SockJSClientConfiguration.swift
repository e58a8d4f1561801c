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
    /// What all clients over HTTP have. `connectTimeout` counts for each transport anew.
    public var http = HTTPClientSettings()

    /// The defaults.
    public init() {}
}
