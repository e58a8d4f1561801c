import NIOCore
import RTCCore
import Synchronization

/// The way from tracks, on any thread, to a sender on its event loop. On that loop there is no detour.
final class SenderOutlet: Sendable {
    /// What is to be sent.
    enum Item: Sendable {
        case packet(RTCReceivedPacket, encoding: Int)
        case frame(RTCEncodedFrame, source: Int)
    }

    private struct Mailbox {
        var items: [Item] = []
        var isScheduled = false
        var dropped: UInt64 = 0
    }

    let id: TransceiverID
    private let eventLoop: any EventLoop
    private let driver: NIOLoopBoundBox<PeerDriver?>
    private let mailbox = Mutex(Mailbox())

    init(id: TransceiverID, eventLoop: any EventLoop, driver: NIOLoopBoundBox<PeerDriver?>) {
        self.id = id
        self.eventLoop = eventLoop
        self.driver = driver
    }

    /// What was dropped because the event loop did not keep up.
    var droppedCount: UInt64 { self.mailbox.withLock { $0.dropped } }

    /// Sends an item, at once when called on the event loop.
    func write(_ item: Item) {
        if self.eventLoop.inEventLoop {
            self.driver.value?.send(item, of: self.id)
            return
        }
        let mustWake = self.mailbox.withLock { mailbox -> Bool in
            // A loop that does not keep up loses the newest: what came before can still be used.
            guard mailbox.items.count < Self.maximumItems else {
                mailbox.dropped &+= 1
                return false
            }
            mailbox.items.append(item)
            defer { mailbox.isScheduled = true }
            return !mailbox.isScheduled
        }
        if mustWake { self.eventLoop.execute { self.drain() } }
    }

    private func drain() {
        let items = self.mailbox.withLock { mailbox -> [Item] in
            var taken: [Item] = []
            swap(&taken, &mailbox.items)
            mailbox.isScheduled = false
            return taken
        }
        guard let driver = self.driver.value else { return }
        for item in items { driver.send(item, of: self.id) }
    }

    private static let maximumItems = 4096
}
