import NIOCore
import RTCSignaling

/// STOMP in the messages of a WebSocket or of SockJS: one frame in each that goes out, anything in those that come in.
final class STOMPSession: SessionReceiver, STOMPLink {
    private let link: any SessionLink
    private weak var driver: (any STOMPServing)?
    private var id: STOMPConnectionID?

    init(_ driver: any STOMPServing, link: any SessionLink) {
        self.driver = driver
        self.link = link
        self.id = driver.open(self)
        if self.id == nil { link.close(code: 1013, reason: "Too many connections") }
    }

    func received(_ message: WebSocketMessage) {
        guard let id = self.id else { return }
        switch message {
        case .text(let text): self.driver?.receive(ByteBuffer(string: text), from: id)
        case .binary(let bytes): self.driver?.receive(bytes, from: id)
        }
    }

    func ended() {
        guard let id = self.id else { return }
        self.id = nil
        self.driver?.ended(id)
    }

    func transmit(_ bytes: ByteBuffer, whenDone: @escaping () -> Void) {
        if let text = String(validating: bytes.readableBytesView, as: UTF8.self) {
            self.link.send(.text(text))
        } else {
            self.link.send(.binary(bytes))
        }
        // What waits from here on is bounded by the session.
        whenDone()
    }

    func close() { self.link.close(code: 1000, reason: "") }
}
