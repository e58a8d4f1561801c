import RTCSignaling

/// Who must know what becomes of an exchange before its response is whole, confined to the server's event loop.
protocol ExchangeOwner: AnyObject {
    /// The connection was closed.
    func exchangeEnded(_ exchange: ExchangeID)
    /// Whether the connection takes more now.
    func setWritable(_ exchange: ExchangeID, _ isWritable: Bool)
}

/// Serves all requests under a path, confined to the server's event loop.
protocol ServiceDriver: ExchangeOwner {
    func receive(_ request: SignalingRequest, exchange: ExchangeID)
    /// Closes all sessions.
    func shutdown()
}
