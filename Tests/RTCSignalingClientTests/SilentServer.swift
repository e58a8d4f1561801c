import NIOCore
import NIOPosix

/// A server of Engine.IO 3 that opens a session over requests, gives `/`, and then answers nothing more.
enum SilentServer {
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let request = String(buffer: Self.unwrapInboundIn(data))
            guard request.hasPrefix("GET"), !request.contains("sid=") else { return }
            let handshake = #"0{"sid":"a","upgrades":[],"pingInterval":2000,"pingTimeout":3000}"#
            let body = "\(handshake.utf8.count):\(handshake)2:40"
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: head + body)), promise: nil)
        }
    }

    static func bind() async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton.any())
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }
}
