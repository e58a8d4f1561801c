import RTCSignaling

/// Serves all requests under a path, confined to the server's event loop.
protocol ServiceDriver: ExchangeStreamer {
    func receive(_ request: SignalingRequest, exchange: ExchangeID)
    /// Closes all sessions.
    func shutdown()
    /// Bytes that wait for clients.
    var unsentBytes: Int { get }
}
