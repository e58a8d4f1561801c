import NIOCore
import RTCSignaling

/// Hands what a client sends to the application, which reads somewhere else.
final class ApplicationReceiver: SessionReceiver {
    let session: SignalingSession
    private let inbox: Inbox<WebSocketMessage>

    init(
        _ opening: SessionOpening,
        link: any SessionLink,
        eventLoop: any EventLoop,
        limits: SignalingServerConfiguration
    ) {
        self.inbox = Inbox(owner: link, eventLoop: eventLoop, maximumUnread: limits.maximumUnreadMessages)
        self.session = SignalingSession(
            request: opening.request,
            transport: opening.transport,
            subprotocol: opening.subprotocol,
            messages: SignalingMessages(producer: self.inbox.sequence),
            outbox: SessionOutbox(
                eventLoop: eventLoop,
                link: link,
                maximumUnsentBytes: limits.maximumUnsentBytes
            )
        )
    }

    func received(_ message: WebSocketMessage) { self.inbox.yield(message) }

    func ended() {
        self.session.end()
        self.inbox.finish()
    }
}

/// How a session begins.
struct SessionOpening {
    var request: SignalingRequest
    var transport: SignalingSession.Transport
    var subprotocol: String?
}
