import NIOCore
import RTCSignaling

/// STOMP on a TCP connection.
final class STOMPHandler: ChannelInboundHandler, STOMPLink {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let driver: any STOMPServing
    private var context: ChannelHandlerContext?
    private var id: STOMPConnectionID?

    init(_ driver: any STOMPServing) { self.driver = driver }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.id = self.driver.open(self)
        if self.id == nil { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let id = self.id { self.driver.receive(Self.unwrapInboundIn(data), from: id) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let id = self.id { self.driver.ended(id) }
        self.id = nil
        self.context = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func transmit(_ bytes: ByteBuffer, whenDone: @escaping () -> Void) {
        guard let context = self.context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in whenDone() }
        context.writeAndFlush(Self.wrapOutboundOut(bytes), promise: written)
    }

    func close() {
        guard let context = self.context else { return }
        let last = context.eventLoop.makePromise(of: Void.self)
        last.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: last)
        // Who reads nothing does not take the last bytes either.
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(5)) { context.close(promise: nil) }
    }
}
