#if os(Linux)
import NIOCore
import NIOPosix
import RTCBase
import RTCSTUN
import RTCTURN

/// A TCP connection, of a client or of a peer.
struct TestStream {
    /// A STUN message that came.
    struct Message {
        let header: STUNMessage
        let attributes: TURNAttributes
        /// What a challenge brings.
        let realm: String?
        let nonce: String?

        init?(_ bytes: RawSpan) {
            guard let header = STUNMessage(bytes) else { return nil }
            self.header = header
            self.attributes = TURNAttributes(of: header, in: bytes)
            self.realm = header.realm(in: bytes)
            self.nonce = header.nonce(in: bytes)
        }
    }

    let channel: any Channel
    private var chunks: AsyncStream<ByteBuffer>.Iterator
    private var received = ByteBuffer()

    static func connect(to address: TransportAddress) async throws -> TestStream {
        let (chunks, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(continuation: continuation))
                }
            }
            .connect(to: address.socketAddress)
            .get()
        return TestStream(channel: channel, chunks: chunks.makeAsyncIterator())
    }

    private init(channel: any Channel, chunks: AsyncStream<ByteBuffer>.Iterator) {
        self.channel = channel
        self.chunks = chunks
    }

    func send(_ method: STUNMethod, _ build: (inout STUNMessageBuilder) -> Void = { _ in }) async throws {
        var random = RandomSource.system
        var builder = STUNMessageBuilder(.request, method, .random(using: &random))
        build(&builder)
        try await self.channel.writeAndFlush(builder.finish())
    }

    /// Sends a request and waits for what comes.
    mutating func ask(
        _ method: STUNMethod,
        _ build: (inout STUNMessageBuilder) -> Void = { _ in }
    ) async throws -> Message? {
        try await self.send(method, build)
        return await self.message()
    }

    /// Asks for a relay.
    mutating func allocate(_ transport: TURNRelayTransport) async throws -> Message? {
        try await self.ask(.allocate) { $0.appendRequestedTransport(transport) }
    }

    /// Asks for a relay over UDP with a name and password, after the challenge.
    mutating func allocate(as username: String, password: String) async throws -> Message? {
        guard let challenge = try await self.allocate(.udp), let realm = challenge.realm, let nonce = challenge.nonce,
            let credential = STUNLongTermCredential(username: username, realm: realm, password: password)
        else { return nil }
        return try await self.ask(.allocate) { builder in
            builder.appendRequestedTransport(.udp)
            builder.append(.username, text: credential.username)
            builder.append(.realm, text: realm)
            builder.append(.nonce, text: nonce)
            builder.appendIntegrity(credential.integrityKey(.md5))
        }
    }

    /// The next message; `nil` when the connection is closed.
    mutating func message() async -> Message? {
        while true {
            if let length = self.received.getInteger(at: self.received.readerIndex + 2, as: UInt16.self),
                let bytes = self.received.readSlice(length: STUNMessage.headerSize + Int(length))
            {
                return Message(bytes.readableBytesSpan)
            }
            guard var chunk = await self.chunks.next() else { return nil }
            self.received.writeBuffer(&chunk)
        }
    }

    /// Everything until the connection is closed.
    mutating func rest() async -> String {
        while var chunk = await self.chunks.next() { self.received.writeBuffer(&chunk) }
        return String(buffer: self.received)
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let continuation: AsyncStream<ByteBuffer>.Continuation

        init(continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.continuation.yield(self.unwrapInboundIn(data))
        }

        func channelInactive(context: ChannelHandlerContext) { self.continuation.finish() }
    }
}
#endif
