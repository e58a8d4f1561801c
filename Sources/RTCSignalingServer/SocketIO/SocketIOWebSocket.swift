import RTCSignaling

/// A WebSocket that carries a session of Socket.IO, or is to take one over.
final class SocketIOWebSocket: SessionReceiver {
    private weak var driver: SocketIODriver?
    private var id: EngineIOWebSocketID?

    init(_ driver: SocketIODriver, _ request: SignalingRequest, link: any SessionLink) {
        self.driver = driver
        self.id = driver.open(request, link)
        if self.id == nil { link.close(code: 1008, reason: "No such session") }
    }

    func received(_ message: WebSocketMessage) {
        if let id = self.id { self.driver?.receive(message, from: id) }
    }

    func ended() {
        guard let id = self.id else { return }
        self.id = nil
        self.driver?.ended(id)
    }
}
