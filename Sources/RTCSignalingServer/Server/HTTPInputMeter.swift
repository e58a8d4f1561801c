import NIOCore

/// Tells an HTTP/1.1 connection of bytes before they are parsed: a head that does not get done shows in no other way.
///
/// It goes on reading while a response is due, which NIO's pipelining does not: behind TLS a client's leave shows in no other way.
final class HTTPInputMeter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    typealias OutboundOut = ByteBuffer

    private let connection: HTTPConnection
    private let core: ServerCore
    private var hasRefused = false
    /// Whether bytes came ahead of the response that is due: what comes behind them waits in the kernel.
    private var hasReadAhead = false

    init(_ connection: HTTPConnection, core: ServerCore) {
        self.connection = connection
        self.core = core
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.hasRefused else { return }
        self.hasReadAhead = self.connection.owesResponse
        self.connection.bytesCame(Self.unwrapInboundIn(data).readableBytes)
        context.fireChannelRead(data)
        if self.connection.hasTooLargeHead { self.refuse(context) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if self.connection.owesResponse, !self.hasReadAhead { context.read() }
    }

    /// Without the parser, which has no request yet that could be answered.
    private func refuse(_ context: ChannelHandlerContext) {
        self.hasRefused = true
        self.core.refused(.headTooLarge)
        let response = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: response)), promise: written)
    }
}
