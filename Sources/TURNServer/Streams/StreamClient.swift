internal import NIOCore
internal import RTCTURN
internal import Synchronization

/// A client's TCP or TLS connection, as any thread may use it.
final class StreamClient: Sendable {
    let tuple: TURNFiveTuple
    let channel: any Channel
    private let handler: NIOLoopBound<StreamClientHandler>
    private let waiting = Atomic(0)
    private let unprocessed = Atomic(0)

    init(tuple: TURNFiveTuple, channel: any Channel, handler: NIOLoopBound<StreamClientHandler>) {
        self.tuple = tuple
        self.channel = channel
        self.handler = handler
    }

    /// Bytes that wait to be written.
    var waitingBytes: Int { self.waiting.load(ordering: .relaxed) }

    func write(_ bytes: ByteBuffer) {
        let count = bytes.readableBytes
        self.waiting.add(count, ordering: .relaxed)
        self.channel.writeAndFlush(bytes).whenComplete { _ in self.waiting.subtract(count, ordering: .relaxed) }
    }

    /// Notes that bytes were handed to the shard.
    ///
    /// - Returns: Whether reading is to stop until the shard has caught up.
    func handedOver(_ count: Int) -> Bool {
        self.unprocessed.add(count, ordering: .acquiringAndReleasing).newValue > Self.unprocessedLimit
    }

    /// The shard has done so many bytes.
    func processed(_ count: Int) {
        let (before, after) = self.unprocessed.subtract(count, ordering: .acquiringAndReleasing)
        guard before > Self.unprocessedLimit, after <= Self.unprocessedLimit else { return }
        let handler = self.handler
        self.channel.eventLoop.execute { handler.value.goOn() }
    }

    private static let unprocessedLimit = 1 << 20

    /// From now on everything goes to a peer's connection.
    func join(_ peer: PeerStream) {
        let handler = self.handler
        self.channel.eventLoop.execute { handler.value.join(peer.channel) }
    }
}
