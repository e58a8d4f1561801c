import NIOCore
import RTCSignaling
import Synchronization

/// What goes to a client, from anywhere: many messages cross to the event loop in one hop.
final class SessionOutbox: Sendable {
    private struct Outgoing {
        var messages: [WebSocketMessage] = []
        var bytes = 0
        var close: (code: Int, reason: String)?
        var isWoken = false
        var isEnded = false
    }

    private let eventLoop: any EventLoop
    private let link: NIOLoopBound<any SessionLink>
    private let outgoing = Mutex(Outgoing())
    private let maximumUnsentBytes: Int

    /// To be made on the event loop.
    init(eventLoop: any EventLoop, link: any SessionLink, maximumUnsentBytes: Int) {
        self.eventLoop = eventLoop
        self.link = NIOLoopBound(link, eventLoop: eventLoop)
        self.maximumUnsentBytes = maximumUnsentBytes
    }

    /// Whether nothing can be sent any more.
    var isEnded: Bool { self.outgoing.withLock { $0.isEnded || $0.close != nil } }

    /// Sends a message; does nothing after the end. Too many bytes that wait are the end.
    func send(_ message: WebSocketMessage) {
        self.enqueue { outgoing in
            outgoing.bytes += message.size + WebSocketMessage.overhead
            guard outgoing.bytes <= self.maximumUnsentBytes else {
                outgoing.messages = []
                outgoing.close = (1008, "Too slow")
                return
            }
            outgoing.messages.append(message)
        }
    }

    /// Ends the session after what was sent.
    func close(code: Int, reason: String) {
        self.enqueue { $0.close = (code, reason) }
    }

    /// On the event loop: the session is over.
    func end() { self.outgoing.withLock { $0.isEnded = true } }

    private func enqueue(_ change: (inout Outgoing) -> Void) {
        let wakes = self.outgoing.withLock { outgoing in
            guard !outgoing.isEnded, outgoing.close == nil else { return false }
            change(&outgoing)
            defer { outgoing.isWoken = true }
            return !outgoing.isWoken
        }
        if wakes { self.eventLoop.execute { self.flush() } }
    }

    private func flush() {
        let (messages, close) = self.outgoing.withLock { outgoing in
            defer {
                outgoing.messages = []
                outgoing.bytes = 0
                outgoing.isWoken = false
            }
            return (outgoing.messages, outgoing.close)
        }
        let link = self.link.value
        for message in messages { link.send(message) }
        if let close { link.close(code: close.code, reason: close.reason) }
    }
}
