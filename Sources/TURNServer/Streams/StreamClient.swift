internal import NIOCore
internal import RTCTURN
internal import Synchronization

/// A client's TCP or TLS connection, as any thread may use it.
final class StreamClient: Sendable {
    let tuple: TURNFiveTuple
    let channel: any Channel
    private let handler: NIOLoopBound<StreamClientHandler>
    private let waiting = Atomic(0)
    private let done = Atomic(0)
    private let unprocessed = Atomic(0)
    private let unprocessedLimit = Atomic(StreamClient.strangersLimit)

    init(tuple: TURNFiveTuple, channel: any Channel, handler: NIOLoopBound<StreamClientHandler>) {
        self.tuple = tuple
        self.channel = channel
        self.handler = handler
    }

    /// Bytes that wait to be written.
    var waitingBytes: Int { self.waiting.load(ordering: .relaxed) }
    /// How many writes the system has taken in full.
    var writesDone: Int { self.done.load(ordering: .relaxed) }

    func write(_ bytes: ByteBuffer) {
        let count = bytes.readableBytes
        self.waiting.add(count, ordering: .relaxed)
        self.channel.writeAndFlush(bytes).whenComplete { _ in
            self.waiting.subtract(count, ordering: .relaxed)
            self.done.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Notes that bytes were handed to the shard.
    ///
    /// - Returns: Whether reading is to stop until the shard has caught up.
    func handedOver(_ count: Int) -> Bool {
        self.unprocessed.add(count, ordering: .acquiringAndReleasing).newValue
            > self.unprocessedLimit.load(ordering: .relaxed)
    }

    /// The shard has done so many bytes.
    func processed(_ count: Int) {
        let (before, after) = self.unprocessed.subtract(count, ordering: .acquiringAndReleasing)
        let limit = self.unprocessedLimit.load(ordering: .relaxed)
        guard before > limit, after <= limit else { return }
        self.goOn()
    }

    /// The client has an allocation: more may wait for the shard.
    func trust() {
        self.unprocessedLimit.store(Self.trustedLimit, ordering: .relaxed)
        self.goOn()
    }

    private func goOn() {
        let handler = self.handler
        self.channel.eventLoop.execute { handler.value.goOn() }
    }

    private static let strangersLimit = 64 << 10
    private static let trustedLimit = 1 << 20

    /// From now on everything goes to a peer's connection.
    func join(_ peer: PeerStream) {
        let handler = self.handler
        self.channel.eventLoop.execute { handler.value.join(peer.channel) }
    }
}
