import NIOCore
import NIOHTTP2

/// A stream's data as bytes (RFC 8441 section 5): its end is the end of the client's half.
final class HTTP2DataHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let connection: HTTP2Connection
    private var hasEnded = false

    init(_ connection: HTTP2Connection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .data(let frame) = Self.unwrapInboundIn(data) else { return }
        if case .byteBuffer(let bytes) = frame.data, bytes.readableBytes > 0 {
            context.fireChannelRead(Self.wrapInboundOut(bytes))
        }
        if frame.endStream { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !self.hasEnded else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        let bytes = Self.unwrapOutboundIn(data)
        let written = promise ?? context.eventLoop.makePromise()
        self.connection.webSocketWrites(bytes.readableBytes)
        written.futureResult.assumeIsolated().whenComplete { _ in
            self.connection.webSocketWrote(bytes.readableBytes)
        }
        let frame = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(bytes)))
        context.write(Self.wrapOutboundOut(frame), promise: written)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        guard !self.hasEnded else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        self.hasEnded = true
        let last = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
        context.writeAndFlush(Self.wrapOutboundOut(last), promise: promise)
    }
}
