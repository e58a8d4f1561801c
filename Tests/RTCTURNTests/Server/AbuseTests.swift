import NIOCore
import RTCBase
import RTCSTUN
import Testing

@testable import RTCTURN

/// Clients who try to get more than is theirs.
@Suite struct AbuseTests {
    private static func asking() -> TURNServerCoreConfiguration {
        var configuration = VirtualServer.standard()
        configuration.authentication = .credentials(TURNCredentialSources(asksOwner: true))
        return configuration
    }

    @Test("An answer about a client whose connection has closed makes no allocation")
    func lateAnswer() {
        let server = VirtualServer(Self.asking())
        let client = VirtualClient(server, VirtualServer.client(1, .tcp))
        server.core.clientConnected(client.tuple, now: server.now)
        client.allocate()
        #expect(server.questions.count == 1)
        server.core.clientDisconnected(client.tuple, now: server.now)
        server.core.authenticated(1, .password(username: "alice", password: "wonder"), now: server.now)
        server.drain()
        #expect(server.core.allocationCount == 0 && server.ledger.allocationCount == 0)
    }

    @Test("A client whose connection was closed for idleness gets nothing that was still on its way")
    func lateRequest() {
        let server = VirtualServer()
        let client = VirtualClient(server, VirtualServer.client(1, .tcp))
        server.core.clientConnected(client.tuple, now: server.now)
        server.advance(seconds: 62)
        #expect(server.closedClients == [client.tuple])
        #expect(client.allocate() == nil && server.core.allocationCount == 0)
    }

    @Test("A reserved port does not outlive its allocation")
    func reservation() {
        let server = VirtualServer()
        let client = VirtualClient(server)
        #expect(client.allocate { $0.appendEvenPort(reservesNext: true) }?.isSuccess == true)
        #expect(server.reserved.count == 1)
        #expect(client.refresh(0)?.isSuccess == true)
        #expect(server.reserved.isEmpty)
    }

    @Test("A user who allocates again does not get a full bucket")
    func bandwidth() {
        let server = VirtualServer(limits: .init(bytesPerSecondPerUser: 1_500))
        let client = VirtualClient(server)
        var passed = 0
        for _ in 0..<10 {
            client.allocate()
            client.permit(VirtualServer.peer)
            let data = client.sendIndication([UInt8](repeating: 0, count: 1_000), to: VirtualServer.peer)
            if server.receive(data, from: client.tuple) != nil { passed += 1 }
            _ = client.refresh(0)
        }
        #expect(passed == 1)
        server.advance(seconds: 2)
        client.allocate()
        client.permit(VirtualServer.peer)
        let data = client.sendIndication([UInt8](repeating: 0, count: 1_000), to: VirtualServer.peer)
        #expect(server.receive(data, from: client.tuple) != nil)
    }

    @Test("On an open relay nobody binds another address's connection, and who tries too often is closed")
    func guessing() throws {
        var configuration = VirtualServer.standard()
        configuration.authentication = .anyone
        let server = VirtualServer(configuration)
        let client = VirtualClient(server, VirtualServer.client(1, .tcp))
        server.core.clientConnected(client.tuple, now: server.now)
        client.allocate(.tcp)
        client.permit(VirtualServer.peer)
        let relay = try #require(server.relays.keys.first)
        let id = try #require(server.core.peerAccepted(on: relay, from: VirtualServer.peer, now: server.now))
        var tuple = VirtualServer.client(2, .tcp)
        tuple.client = VirtualServer.address("1.2.3.5", 1)
        let thief = VirtualClient(server, tuple)
        server.core.clientConnected(tuple, now: server.now)
        for _ in 0..<7 { #expect(thief.ask(.connectionBind) { $0.append(.connectionID, integer: id) }?.code == 441) }
        #expect(server.closedClients.isEmpty && server.joined.isEmpty)
        thief.ask(.connectionBind) { $0.append(.connectionID, integer: id &+ 1) }
        #expect(server.closedClients == [tuple])
    }

    @Test("All addresses of an IPv6 network share the answers to who has proved nothing")
    func networks() {
        var configuration = VirtualServer.standard()
        configuration.unauthenticatedResponsesPerSecond = 10
        let server = VirtualServer(configuration)
        var tuple = VirtualServer.client()
        for number in 0..<100 {
            tuple.client = TransportAddress(ipv6High: 0x2600_0000_0000_0001, low: UInt64(number), port: 1)
            let client = VirtualClient(server, tuple)
            server.receive(client.request(.allocate), from: tuple)
        }
        #expect(server.sent.count == 10)
    }

    @Test("One address does not take all places of questions about users")
    func questions() {
        var configuration = Self.asking()
        configuration.pendingAuthenticationsPerAddress = 3
        let server = VirtualServer(configuration)
        for number in 1...10 { VirtualClient(server, VirtualServer.client(UInt16(number))).allocate() }
        #expect(server.questions.count == 3)
        server.core.authenticated(1, .unknown, now: server.now)
        VirtualClient(server, VirtualServer.client(20)).allocate()
        #expect(server.questions.count == 4)
        server.advance(seconds: 7)
        VirtualClient(server, VirtualServer.client(21)).allocate()
        #expect(server.questions.count == 5)
    }

    @Test("A client that was joined to a peer has time to read what is left when the peer closes")
    func reading() throws {
        let server = VirtualServer()
        let client = VirtualClient(server, VirtualServer.client(1, .tcp))
        server.core.clientConnected(client.tuple, now: server.now)
        client.allocate(.tcp)
        client.permit(VirtualServer.peer)
        let relay = try #require(server.relays.keys.first)
        let id = try #require(server.core.peerAccepted(on: relay, from: VirtualServer.peer, now: server.now))
        let data = VirtualClient(server, VirtualServer.client(2, .tcp))
        server.core.clientConnected(data.tuple, now: server.now)
        #expect(data.ask(.connectionBind) { $0.append(.connectionID, integer: id) }?.isSuccess == true)
        server.advance(seconds: 119)
        server.core.peerDisconnected(id, now: server.now)
        server.advance(seconds: 58)
        #expect(server.closedClients.isEmpty)
        server.advance(seconds: 5)
        #expect(server.closedClients == [data.tuple])
    }

    @Test("A refresh that shortens the lifetime counts from then on")
    func shorter() {
        let server = VirtualServer()
        let client = VirtualClient(server)
        client.allocate { $0.appendLifetime(900) }
        #expect(client.refresh(600)?.isSuccess == true)
        server.advance(seconds: 602)
        #expect(server.ends == [.expired])
    }

    @Test("Without a secret nonces cannot be made by others")
    func nonces() {
        var configuration = VirtualServer.standard()
        configuration.nonceSecret = []
        let server = VirtualServer(configuration)
        let client = VirtualClient(server)
        client.nonce = STUNNonceIssuer(secret: [], features: .passwordAlgorithms, lifetime: .minutes(10))
            .nonce(for: client.tuple, now: server.now)
        #expect(client.allocate()?.code == 438)
    }
}
