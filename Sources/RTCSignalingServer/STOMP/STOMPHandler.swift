import NIOCore
import RTCBase
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
        self.context?.write(bytes, whenDone: whenDone)
    }

    func close() { self.context?.closeAfterWriting() }
}
