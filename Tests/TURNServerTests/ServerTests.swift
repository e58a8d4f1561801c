#if os(Linux)
import NIOCore
import NIOPosix
import RTCBase
import RTCSTUN
import RTCTURN
import TURNServer
import Testing

/// The server on loopback; Linux has the sockets that it needs.
@Suite(.timeLimit(.minutes(1))) struct ServerTests {
    private static func configuration(_ transport: TURNTransport = .udp) throws -> TURNServerConfiguration {
        var configuration = TURNServerConfiguration(
            listeners: [.init(transport, address: "127.0.0.1", port: 0)],
            relayAddresses: [.init("127.0.0.1")]
        )
        configuration.allowsAnyone = true
        configuration.allowedPeers = [try #require(TURNAddressRange("127.0.0.0/8"))]
        configuration.threads = 2
        return configuration
    }

    @Test("A server starts, says where, mints credentials, drains and stops")
    func life() async throws {
        var configuration = try Self.configuration()
        configuration.sharedSecrets = ["north"]
        let server = try await TURNServer.start(configuration)
        let address = try #require(server.addresses.first?.address)
        #expect(address.port != 0)
        #expect(server.uris() == ["turn:\(address)?transport=udp"])
        #expect(server.uris(host: "turn.example.org") == ["turn:turn.example.org:\(address.port)?transport=udp"])
        let credential = try #require(server.mintCredential(for: "alice"))
        #expect(TURNRESTCredential(username: credential.username, secret: "north") == credential)
        #expect(await server.counters() == TURNServerCounters())
        #expect(await server.drain(deadline: .now() + .seconds(10)) == 0)
        await server.shutdown()
        #expect(await server.counters() == TURNServerCounters())
    }

    @Test("An address that is in use is an error, and leaves nothing open")
    func inUse() async throws {
        let server = try await TURNServer.start(try Self.configuration(.tcp))
        var second = try Self.configuration(.tcp)
        second.listeners[0].port = Int(server.addresses[0].address.port)
        await #expect(throws: TURNServerStartError.self) { _ = try await TURNServer.start(second) }
        await server.shutdown()
    }

    /// A client over TCP that stops reading once it has a relay, and a peer with a channel to it.
    private struct SlowReader {
        let server: TURNServer
        let client: any Channel
        let peer: any Channel
        let relay: TransportAddress

        init(_ configuration: TURNServerConfiguration) async throws {
            self.server = try await TURNServer.start(configuration)
            let group = MultiThreadedEventLoopGroup.singleton
            self.peer = try await DatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
            let peerAddress = try #require(self.peer.localAddress.flatMap { TransportAddress($0) })
            let answers = AnswerCollector(group.next())
            self.client = try await ClientBootstrap(group: group)
                .channelOption(.socketOption(.so_rcvbuf), value: 8_192)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(answers.handler())
                    }
                }
                .connect(to: self.server.addresses[0].address.socketAddress)
                .get()
            var random = RandomSource.system
            var allocate = STUNMessageBuilder(.request, .allocate, .random(using: &random))
            allocate.appendRequestedTransport(.udp)
            try await self.client.writeAndFlush(allocate.finish())
            var bind = STUNMessageBuilder(.request, .channelBind, .random(using: &random))
            bind.appendChannelNumber(try #require(TURNChannelNumber(rawValue: 0x4000)))
            bind.append(.xorPeerAddress, address: peerAddress)
            try await self.client.writeAndFlush(bind.finish())
            self.relay = try await answers.relayedAddress()
            try await self.client.setOption(.autoRead, value: false).get()
        }

        /// Sends what the client does not read.
        func send() async throws {
            let data = ByteBuffer(repeating: 1, count: 1_000)
            let envelope = AddressedEnvelope(remoteAddress: self.relay.socketAddress, data: data)
            for _ in 0..<100 { self.peer.write(envelope, promise: nil) }
            try await self.peer.writeAndFlush(envelope)
        }

        func close() async throws {
            try await self.client.close()
            try await self.peer.close()
            await self.server.shutdown()
        }
    }

    @Test("A client that does not read loses what peers send, and the server keeps no more than its bound")
    func slowReader() async throws {
        var configuration = try Self.configuration(.tcp)
        configuration.bytesPerConnection = 64 << 10
        let reader = try await SlowReader(configuration)
        // Until the system's buffers and the server's own are full.
        while await reader.server.counters().slowReaders == 0 { try await reader.send() }
        #expect(reader.server.allocationCount == 1)
        #expect(await reader.server.counters().stalledReaders == 0)
        try await reader.close()
        #expect(reader.server.allocationCount == 0)
    }

    @Test("A client that reads nothing for too long is cut off, and its allocation ends")
    func stalledReader() async throws {
        var configuration = try Self.configuration(.tcp)
        configuration.bytesPerConnection = 64 << 10
        configuration.stalledReaderTimeout = .seconds(1)
        let reader = try await SlowReader(configuration)
        while reader.server.allocationCount > 0, !Task.isCancelled {
            try await reader.send()
            // One portion at a time.
            _ = await reader.server.counters()
        }
        #expect(await reader.server.counters().stalledReaders == 1)
        try await reader.close()
    }
}

/// Waits for the answers to Allocate and ChannelBind.
private struct AnswerCollector: Sendable {
    private let promise: EventLoopPromise<TransportAddress>

    init(_ loop: any EventLoop) { self.promise = loop.makePromise() }

    func relayedAddress() async throws -> TransportAddress { try await self.promise.futureResult.get() }

    func handler() -> Handler { Handler(promise: self.promise) }

    final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let promise: EventLoopPromise<TransportAddress>
        private var decoder = TURNStreamDecoder()
        private var relayed: TransportAddress?

        init(promise: EventLoopPromise<TransportAddress>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.decoder.append(self.unwrapInboundIn(data))
            while case .stun(let bytes) = self.decoder.next() {
                let span = bytes.readableBytesSpan
                guard let message = STUNMessage(span), message.messageClass == .successResponse else { continue }
                if message.method == .allocate { self.relayed = TURNAttributes(of: message, in: span).relayedAddress }
                if message.method == .channelBind, let relayed = self.relayed { self.promise.succeed(relayed) }
            }
        }
    }
}
#endif
