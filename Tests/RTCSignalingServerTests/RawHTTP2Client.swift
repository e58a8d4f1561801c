import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import RTCSignalingServer
import Synchronization
import TestCertificates

/// A client of HTTP/2 over TLS whose streams are read when the test says so.
final class RawHTTP2Client: Sendable {
    /// What came so far of a stream's response.
    struct Response: Sendable {
        var status: String?
        var bytes = 0
        var isWhole = false
        /// Whether the stream is over, with or without an end.
        var isOver = false
    }

    private let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
    private let goAway: GoAwayHandler.Heard

    init(_ server: SignalingServer) async throws {
        let goAway = GoAwayHandler.Heard()
        self.goAway = goAway
        var tls = try TestTLS.client()
        tls.applicationProtocols = ["h2"]
        let context = try NIOSSLContext(configuration: tls)
        let multiplexer = MultiplexerHolder()
        self.channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                    let streams = try pipeline.configureHTTP2Pipeline(
                        mode: .client,
                        connectionConfiguration: .init(),
                        streamConfiguration: .init()
                    ) { $0.close() }
                    multiplexer.held.withLock { $0 = streams }
                    try pipeline.addHandler(GoAwayHandler(goAway))
                }
            }
            .connect(to: server.address).get()
        self.multiplexer = multiplexer.held.withLock { $0! }
    }

    /// The code of the server's GOAWAY; nil before it.
    var goAwayCode: HTTP2ErrorCode? { self.goAway.code.withLock { $0 } }

    /// Waits until the server has closed the connection.
    func closed() async throws { try await self.channel.closeFuture.get() }

    func close() async throws { try await self.channel.close() }

    /// Opens a stream with a request, whose response is not read yet.
    func get(_ path: String) async throws -> Stream { try await self.request("GET", path, body: nil) }

    /// Opens a stream with a request and a part of its body, or all of it.
    func post(_ path: String, _ body: String, length: Int) async throws -> Stream {
        try await self.request("POST", path, body: body, length: length)
    }

    private func request(_ method: String, _ path: String, body: String?, length: Int = 0) async throws -> Stream {
        let handler = Stream.Heard()
        let stream = try await self.multiplexer.createStreamChannel { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.syncOptions?.setOption(.autoRead, value: false)
                try channel.pipeline.syncOperations.addHandler(StreamHandler(handler))
            }
        }.get()
        var fields: [(String, String)] = [
            (":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path),
        ]
        if body != nil { fields.append(("content-length", String(length))) }
        let head = HTTP2Frame.FramePayload.headers(.init(headers: .init(fields), endStream: body == nil))
        try await stream.writeAndFlush(head)
        if let body {
            let bytes = ByteBuffer(string: body)
            let isWhole = bytes.readableBytes == length
            let data = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(bytes), endStream: isWhole))
            try await stream.writeAndFlush(data)
        }
        return Stream(channel: stream, heard: handler)
    }

    struct Stream: Sendable {
        final class Heard: Sendable {
            let response = Mutex(Response())
        }

        let channel: any Channel
        let heard: Heard

        /// Reads the response from now on.
        func read() async throws {
            try await self.channel.setOption(.autoRead, value: true).get()
            self.channel.read()
        }

        /// The response, once it is over.
        var response: Response {
            get async throws {
                try? await self.channel.closeFuture.get()
                return self.heard.response.withLock { $0 }
            }
        }
    }
}

private final class MultiplexerHolder: Sendable {
    let held = Mutex<NIOHTTP2Handler.StreamMultiplexer?>(nil)
}

private final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let heard: RawHTTP2Client.Stream.Heard

    init(_ heard: RawHTTP2Client.Stream.Heard) { self.heard = heard }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.heard.response.withLock { response in
            switch Self.unwrapInboundIn(data) {
            case .headers(let frame):
                response.status = frame.headers.first(name: ":status")
                response.isWhole = frame.endStream
            case .data(let frame):
                response.bytes += frame.data.readableBytes
                response.isWhole = frame.endStream
            default: break
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

final class GoAwayHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    final class Heard: Sendable {
        let code = Mutex<HTTP2ErrorCode?>(nil)
    }

    private let heard: Heard

    init(_ heard: Heard) { self.heard = heard }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .goAway(_, let code, _) = Self.unwrapInboundIn(data).payload { self.heard.code.withLock { $0 = code } }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
