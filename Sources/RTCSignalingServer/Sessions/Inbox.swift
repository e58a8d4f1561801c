import NIOCore

/// Who gives an ``Inbox`` its elements, confined to the server's event loop.
protocol InboxOwner: AnyObject {
    /// Whether the client can be made to stop: of one that cannot, too many elements are the end.
    var canPause: Bool { get }
    /// Whether more elements are wanted.
    func setReading(_ isReading: Bool)
    /// Ends the session.
    func close(code: Int, reason: String)
}

/// Hands elements from the server's event loop to one reader somewhere else, who may be slow.
final class Inbox<Element: Sendable> {
    typealias Producer = NIOAsyncSequenceProducer<
        Element, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, InboxDelegate
    >

    /// Elements that wait for the reader before the client is asked to stop, and those at which it may go on.
    private static var watermarks: (low: Int, high: Int) { (low: 8, high: 32) }

    /// What the reader reads.
    let sequence: Producer
    private let source: Producer.Source
    private let owner: any InboxOwner
    private let maximumUnread: Int
    /// Elements since the reader had no room, which a client over HTTP can go on sending.
    private var excess = 0

    init(owner: any InboxOwner, eventLoop: any EventLoop, maximumUnread: Int) {
        let producer = Producer.makeSequence(
            elementType: Element.self,
            backPressureStrategy: .init(lowWatermark: Self.watermarks.low, highWatermark: Self.watermarks.high),
            finishOnDeinit: true,
            delegate: InboxDelegate(eventLoop: eventLoop, owner: NIOLoopBound(owner, eventLoop: eventLoop))
        )
        self.sequence = producer.sequence
        self.source = producer.source
        self.owner = owner
        self.maximumUnread = maximumUnread
    }

    func yield(_ element: Element) {
        switch self.source.yield(element) {
        case .produceMore: self.excess = 0
        case .stopProducing:
            self.excess += 1
            // What one read from a socket brought may be many small messages; those are there already.
            if !self.owner.canPause, self.excess > self.maximumUnread {
                self.owner.close(code: 1008, reason: "Too many messages")
            } else {
                self.owner.setReading(false)
            }
        case .dropped: break
        }
    }

    /// Nothing comes any more.
    func finish() { self.source.finish() }
}

/// Tells the event loop when there is room again, or nobody who reads.
struct InboxDelegate: NIOAsyncSequenceProducerDelegate {
    let eventLoop: any EventLoop
    let owner: NIOLoopBound<any InboxOwner>

    func produceMore() { self.eventLoop.execute { self.owner.value.setReading(true) } }

    func didTerminate() { self.eventLoop.execute { self.owner.value.close(code: 1000, reason: "") } }
}
