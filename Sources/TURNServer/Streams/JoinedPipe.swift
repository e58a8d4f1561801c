internal import NIOCore

/// One direction of two connections that are joined: what one reads, the other writes. Confined to the reader's event loop.
///
/// Reading stops while more than a bound waits to be written, and when the reader has ended, what waits is written before the
/// other connection is closed.
final class JoinedPipe {
    private let reader: any Channel
    private let writer: any Channel
    private var waiting = 0
    private var isPaused = false
    private var hasEnded = false

    init(from reader: any Channel, to writer: any Channel) {
        self.reader = reader
        self.writer = writer
    }

    func forward(_ bytes: ByteBuffer) {
        let count = bytes.readableBytes
        guard count > 0 else { return }
        self.waiting += count
        if self.waiting > Self.limit, !self.isPaused { self.setPaused(true) }
        let bound = NIOLoopBound(self, eventLoop: self.reader.eventLoop)
        let loop = self.reader.eventLoop
        self.writer.writeAndFlush(bytes).hop(to: loop).whenComplete { _ in bound.value.written(count) }
    }

    /// The reader has nothing more.
    func end() {
        self.hasEnded = true
        if self.waiting == 0 { self.writer.close(promise: nil) }
    }

    private func written(_ count: Int) {
        self.waiting -= count
        if self.isPaused, self.waiting <= Self.limit / 2 { self.setPaused(false) }
        if self.hasEnded, self.waiting == 0 { self.writer.close(promise: nil) }
    }

    private func setPaused(_ isPaused: Bool) {
        self.isPaused = isPaused
        try? self.reader.syncOptions?.setOption(.autoRead, value: !isPaused)
    }

    private static let limit = 256 << 10
}
