#if os(Linux)
import Dispatch
import NIOCore
import NIOPosix
import RTCBase
import RTCSTUN
import RTCTURN
import TURNServer
import Testing

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Clients and peers over TCP that behave badly, on loopback.
@Suite(.timeLimit(.minutes(1))) struct StreamTests {
    private static func configuration() throws -> TURNServerConfiguration {
        var configuration = TURNServerConfiguration(
            listeners: [.init(.tcp, address: "127.0.0.1", port: 0)],
            relayAddresses: [.init("127.0.0.1")]
        )
        configuration.allowsAnyone = true
        configuration.allowedPeers = [try #require(TURNAddressRange("127.0.0.0/8"))]
        configuration.threads = 2
        return configuration
    }

    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let port = try #require(channel.localAddress?.port)
        try await channel.close()
        return port
    }

    /// A client with a relay for TCP, to which a peer has connected.
    private struct Connected {
        let server: TURNServer
        var client: TestStream
        var peer: TestStream
        let connectionID: UInt32

        init() async throws {
            self.server = try await TURNServer.start(try StreamTests.configuration())
            self.client = try await TestStream.connect(to: self.server.addresses[0].address)
            let relay = try #require(try await self.client.allocate(.tcp)?.attributes.relayedAddress)
            _ = try await self.client.ask(.createPermission) { $0.append(.xorPeerAddress, address: relay) }
            self.peer = try await TestStream.connect(to: relay)
            self.connectionID = try #require(await self.client.message()?.attributes.connectionID)
        }

        func bind(_ data: TestStream) async throws {
            try await data.send(.connectionBind) { $0.append(.connectionID, integer: self.connectionID) }
        }
    }

    @Test("No two relays for TCP have one address")
    func uniqueRelays() async throws {
        var configuration = try Self.configuration()
        let port = try await Self.freePort()
        configuration.relayPorts = port...port
        let server = try await TURNServer.start(configuration)
        var first = try await TestStream.connect(to: server.addresses[0].address)
        #expect(try await first.allocate(.tcp)?.attributes.relayedAddress?.port == UInt16(port))
        var second = try await TestStream.connect(to: server.addresses[0].address)
        #expect(try await second.allocate(.tcp)?.header.errorCode == 508)
        await server.shutdown()
    }

    @Test("Three ports for relays are enough to find one")
    func fewPorts() async throws {
        var configuration = try Self.configuration()
        let port = try await Self.freePort()
        configuration.relayPorts = min(port, 65_533)...min(port, 65_533) + 2
        let server = try await TURNServer.start(configuration)
        var client = try await TestStream.connect(to: server.addresses[0].address)
        for _ in 0..<30 {
            #expect(try await client.allocate(.udp)?.header.messageClass == .successResponse)
            _ = try await client.ask(.refresh) { $0.appendLifetime(0) }
        }
        await server.shutdown()
    }

    @Test("One address does not take all places for connections")
    func placesPerAddress() async throws {
        var configuration = try Self.configuration()
        configuration.connectionsPerAddress = 1
        let server = try await TURNServer.start(configuration)
        var first = try await TestStream.connect(to: server.addresses[0].address)
        #expect(try await first.ask(.binding) != nil)
        var second = try await TestStream.connect(to: server.addresses[0].address)
        #expect(await second.rest() == "")
        await server.shutdown()
    }

    @Test("Thousands of messages in one write are all answered, however few may wait")
    func manyMessages() async throws {
        let server = try await TURNServer.start(try Self.configuration())
        var client = try await TestStream.connect(to: server.addresses[0].address)
        for _ in 0..<3_000 {
            var builder = STUNMessageBuilder(.request, .binding, STUNTransactionID(high: 1, low: 1))
            builder.append(.software, text: String(repeating: "a", count: 700))
            client.channel.write(builder.finish(), promise: nil)
        }
        client.channel.flush()
        for _ in 0..<3_000 { #expect(await client.message() != nil) }
        await server.shutdown()
    }

    @Test("A connection that is reset before it is accepted gives its place back")
    func resetBeforeAccepted() async throws {
        var configuration = try Self.configuration()
        configuration.connections = 1
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await TURNServer.start(configuration, eventLoopGroup: group)
        let isReset = DispatchSemaphore(value: 0)
        group.next().execute { isReset.wait() }
        let early = try await TestStream.connect(to: server.addresses[0].address)
        let options = try #require(early.channel as? any SocketOptionProvider)
        try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await early.channel.close()
        isReset.signal()
        var isServed = false
        while !isServed, !Task.isCancelled {
            // Refused as long as the other counts.
            guard var stream = try? await TestStream.connect(to: server.addresses[0].address) else { continue }
            isServed = (try? await stream.ask(.binding)) != nil
        }
        #expect(isServed)
        await server.shutdown()
        try await group.shutdownGracefully()
    }

    @Test("A peer is closed when the client that bound its connection is gone already")
    func goneClient() async throws {
        var connected = try await Connected()
        let data = try await TestStream.connect(to: connected.server.addresses[0].address)
        try await connected.bind(data)
        try await data.channel.close()
        #expect(await connected.peer.rest() == "")
        await connected.server.shutdown()
    }

    @Test("What a peer sent before it closed reaches the client that binds the connection later")
    func earlyData() async throws {
        let connected = try await Connected()
        try await connected.peer.channel.writeAndFlush(ByteBuffer(string: "early"))
        try await connected.peer.channel.close()
        var data = try await TestStream.connect(to: connected.server.addresses[0].address)
        try await connected.bind(data)
        #expect(await data.message()?.header.messageClass == .successResponse)
        #expect(await data.rest() == "early")
        await connected.server.shutdown()
    }

    @Test("Every Connect is answered, also if the peer closes at once, or resets", arguments: [false, true])
    func closingPeers(isReset: Bool) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await TURNServer.start(try Self.configuration())
        var client = try await TestStream.connect(to: server.addresses[0].address)
        _ = try await client.allocate(.tcp)
        let bootstrap = ServerBootstrap(group: group).childChannelInitializer { channel in
            if isReset, let options = channel as? any SocketOptionProvider {
                _ = options.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            }
            return channel.close()
        }
        for _ in 0..<100 {
            let peer = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
            let address = try #require(peer.localAddress.flatMap { TransportAddress($0) })
            let answer = try #require(try await client.ask(.connect) { $0.append(.xorPeerAddress, address: address) })
            #expect(answer.header.messageClass == .successResponse || answer.header.errorCode == 447)
            try await peer.close()
        }
        await server.shutdown()
    }
}
#endif
