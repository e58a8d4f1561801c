import Dispatch
import NIOCore
import NIOPosix
import RTCBase
import Synchronization
import Testing

@testable import RTCCore
@testable import WebRTC

@Suite("Flows to servers")
struct ServerFlowTests {
    @Test("only requests pass a full stream: data in indications waits for no slow server")
    func requests() {
        #expect(StreamFlow.isRequest(ByteBuffer(bytes: [0x00, 0x03, 0, 0])))
        #expect(StreamFlow.isRequest(ByteBuffer(bytes: [0x00, 0x09, 0, 0])))
        #expect(!StreamFlow.isRequest(ByteBuffer(bytes: [0x00, 0x16, 0, 0])))
        #expect(!StreamFlow.isRequest(ByteBuffer(bytes: [0x40, 0x00, 0, 0])))
        #expect(!StreamFlow.isRequest(ByteBuffer()))
    }

    @Test("a TLS handshake that a server leaves unanswered ends with its flow", .timeLimit(.minutes(1)))
    func silentServer() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let (ended, continuation) = AsyncStream<Void>.makeStream()
        let (accepted, acceptance) = AsyncStream<Void>.makeStream()
        let server = try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                acceptance.yield()
                channel.closeFuture.whenComplete { _ in continuation.yield() }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(server.localAddress.flatMap { TransportAddress($0) })
        let flows = try await loop.submit {
            let flows = ServerFlows(eventLoop: loop, policy: RTCAddressPolicy())
            let target = ServerFlowTarget(address: address, transport: .tls, host: "127.0.0.1")
            flows.open(ServerFlowID(1), target, trust: .system)
            return NIOLoopBound(flows, eventLoop: loop)
        }.get()
        for await _ in accepted { break }
        try await loop.submit { flows.value.closeAll() }.get()
        for await _ in ended { break }
        try await server.close()
    }

    @Test("a name that many want is looked up once", .timeLimit(.minutes(1)))
    func names() async {
        let count = Atomic(0)
        let address = TransportAddress(ipv4: 0xCB00_7101, port: 0)
        let gate = DispatchSemaphore(value: 0)
        let names = ServerNames { _ in
            count.wrappingAdd(1, ordering: .relaxed)
            gate.wait()
            return [address]
        }
        let (answers, continuation) = AsyncStream<[TransportAddress]>.makeStream()
        for _ in 0..<5 { names.lookUp("turn.example.org") { continuation.yield($0) } }
        gate.signal()
        var left = 5
        for await answer in answers {
            #expect(answer == [address])
            left -= 1
            if left == 0 { break }
        }
        names.lookUp("turn.example.org") { continuation.yield($0) }
        for await answer in answers {
            #expect(answer == [address])
            break
        }
        #expect(count.load(ordering: .relaxed) == 1)
    }

    @Test("TCP connections that end make room at once, and one address cannot take all of it", .timeLimit(.minutes(1)))
    func pendingConnections() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let (endings, continuation) = AsyncStream<Void>.makeStream()
        let owner = NIOLoopBoundBox<ListenerOwner?>.makeEmptyBox(valueType: ListenerOwner.self, eventLoop: loop)
        let listener = try await loop.flatSubmit {
            let listening = ListenerOwner { continuation.yield() }
            owner.value = listening
            let any = TransportAddress(ipv4: 0x7F00_0001, port: 0)
            return TCPListener.bind(to: any, on: loop, isOnePortOfMany: false, owner: listening)
        }.get()
        let address = try await loop.submit { listener.value.address.socketAddress }.get()
        var clients: [any Channel] = []
        // More than one address may have open.
        for _ in 0..<140 { clients.append(try await ClientBootstrap(group: loop).connect(to: address).get()) }
        // Those beyond it were closed without a word; the others are there.
        for client in clients.suffix(12) { try await client.closeFuture.get() }
        #expect(try await loop.submit { listener.value.pendingCount }.get() == 128)
        for client in clients.prefix(128) { try await client.close() }
        var left = 128
        for await _ in endings {
            left -= 1
            if left == 0 { break }
        }
        #expect(try await loop.submit { listener.value.pendingCount }.get() == 0)
        try await loop.submit {
            listener.value.close()
            owner.value = nil
        }.get()
    }

    private final class ListenerOwner: TCPListenerOwner {
        private let ended: () -> Void

        init(ended: @escaping () -> Void) { self.ended = ended }

        func receive(_ frame: ByteBuffer, over accepted: TCPListener.Accepted) {}
        func receiveComplete(on accepted: TCPListener.Accepted) {}
        func closed(_ accepted: TCPListener.Accepted) { self.ended() }
    }

    @Test("who is not on a network of this host is told no hidden address")
    func onLink() throws {
        #expect(LocalNames.isOnLink(try SocketAddress(ipAddress: "127.0.0.1", port: 5353)))
        #expect(!LocalNames.isOnLink(try SocketAddress(ipAddress: "203.0.113.9", port: 5353)))
    }
}
