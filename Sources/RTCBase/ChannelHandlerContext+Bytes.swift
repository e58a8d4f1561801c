package import NIOCore

extension ChannelHandlerContext {
    /// Writes bytes, and says when they are out, or never will be.
    package func write(_ bytes: ByteBuffer, whenDone: @escaping () -> Void) {
        let written = self.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in whenDone() }
        self.writeAndFlush(NIOAny(bytes), promise: written)
    }

    /// Closes after what was written.
    package func closeAfterWriting() {
        let last = self.eventLoop.makePromise(of: Void.self)
        last.futureResult.assumeIsolated().whenComplete { _ in self.close(promise: nil) }
        self.writeAndFlush(NIOAny(ByteBuffer()), promise: last)
        // Who reads nothing does not take the last bytes either.
        self.eventLoop.assumeIsolated().scheduleTask(in: .seconds(5)) { self.close(promise: nil) }
    }
}
