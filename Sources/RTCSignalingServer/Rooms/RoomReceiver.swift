import RTCRooms
import RTCSignaling

/// A client of a ``RoomService``.
final class RoomReceiver: SessionReceiver {
    private let service: RoomService
    private let outbox: SessionOutbox
    private let id: RoomConnectionID?

    init(_ service: RoomService, outbox: SessionOutbox, request: SignalingRequest) {
        self.service = service
        self.outbox = outbox
        self.id = service.open(OutboxRoomLink(outbox: outbox), request: request)
        if self.id == nil { outbox.close(code: 1013, reason: "Too many connections") }
    }

    func received(_ message: WebSocketMessage) {
        guard let id = self.id else { return }
        switch message {
        case .text(let text): self.service.receive(text, from: id)
        case .binary: self.outbox.close(code: 1003, reason: "Text only")
        }
    }

    func ended() {
        self.outbox.end()
        if let id = self.id { self.service.ended(id) }
    }
}

/// The way from the rooms to a client.
private final class OutboxRoomLink: RoomLink {
    private let outbox: SessionOutbox

    init(outbox: SessionOutbox) { self.outbox = outbox }

    func send(_ text: String) { self.outbox.send(.text(text)) }

    func close() { self.outbox.close(code: 1000, reason: "") }
}
