import NIOCore
import RTCSignaling

/// Hands what a client sends to the application, which reads somewhere else.
final class ApplicationReceiver: SessionReceiver {
    /// Messages that wait for the reader before the client is asked to stop, and those at which it may go on.
    private static let watermarks = (low: 8, high: 32)

    let session: SignalingSession
    private let source: SignalingMessages.Producer.Source
    private let link: any SessionLink
    private let maximumUnread: Int
    /// Messages since the reader had no room, which a client over HTTP can go on sending.
    private var excess = 0

    init(
        _ opening: SessionOpening,
        link: any SessionLink,
        eventLoop: any EventLoop,
        limits: SignalingServerConfiguration
    ) {
        let delegate = SignalingMessages.Delegate(
            eventLoop: eventLoop,
            link: NIOLoopBound(link, eventLoop: eventLoop)
        )
        let producer = SignalingMessages.Producer.makeSequence(
            elementType: WebSocketMessage.self,
            backPressureStrategy: .init(lowWatermark: Self.watermarks.low, highWatermark: Self.watermarks.high),
            finishOnDeinit: true,
            delegate: delegate
        )
        self.source = producer.source
        self.link = link
        self.maximumUnread = limits.maximumUnreadMessages
        self.session = SignalingSession(
            request: opening.request,
            transport: opening.transport,
            subprotocol: opening.subprotocol,
            messages: SignalingMessages(producer: producer.sequence),
            outbox: SessionOutbox(
                eventLoop: eventLoop,
                link: link,
                maximumUnsentBytes: limits.maximumUnsentBytes
            )
        )
    }

    func received(_ message: WebSocketMessage) {
        switch self.source.yield(message) {
        case .produceMore: self.excess = 0
        case .stopProducing:
            self.excess += 1
            // What one read from a socket brought may be many small messages; those are there already.
            if !self.link.canPause, self.excess > self.maximumUnread {
                self.link.close(code: 1008, reason: "Too many messages")
            } else {
                self.link.setReading(false)
            }
        case .dropped: break
        }
    }

    func ended() {
        self.session.end()
        self.source.finish()
    }
}

/// How a session begins.
struct SessionOpening {
    var request: SignalingRequest
    var transport: SignalingSession.Transport
    var subprotocol: String?
}
