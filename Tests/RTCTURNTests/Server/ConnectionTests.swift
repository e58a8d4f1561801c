import NIOCore
import RTCBase
import RTCSTUN
import Testing

@testable import RTCTURN

/// RFC 6062: relaying TCP.
@Suite struct ConnectionTests {
    private static let peer = VirtualServer.peer

    private static func allocated() -> VirtualClient {
        let client = VirtualClient(VirtualServer(), VirtualServer.client(1, .tcp))
        client.server.core.clientConnected(client.tuple, now: client.server.now)
        #expect(client.allocate(.tcp)?.isSuccess == true)
        return client
    }

    private static func dataConnection(_ client: VirtualClient) -> VirtualClient {
        let data = VirtualClient(client.server, VirtualServer.client(2, .tcp))
        client.server.core.clientConnected(data.tuple, now: client.server.now)
        return data
    }

    @Test("A connection to a peer is made, bound and joined")
    func connect() throws {
        let client = Self.allocated()
        let server = client.server
        #expect(client.ask(.connect) { $0.append(.xorPeerAddress, address: Self.peer) } == nil)
        server.core.peerConnected(server.connecting[0].connection, now: server.now)
        server.drain()
        let answer = try #require(server.sent.last.flatMap { ReadMessage($0.bytes) })
        let id = try #require(answer.attributes.connectionID)
        let data = Self.dataConnection(client)
        // A data connection may show the nonce of its control connection.
        data.nonce = client.nonce
        #expect(data.ask(.connectionBind) { $0.append(.connectionID, integer: id) }?.isSuccess == true)
        #expect(server.joined == [id])
        #expect(data.ask(.connectionBind) { $0.append(.connectionID, integer: id) }?.code == 400)
        server.core.clientDisconnected(client.tuple, now: server.now)
        server.drain()
        #expect(server.closedConnections == [id] && server.ends == [.disconnected])
    }

    @Test("A peer that connects is announced if it is permitted, and closed when nobody binds it")
    func accept() throws {
        let client = Self.allocated()
        let server = client.server
        let relay = try #require(server.relays.keys.first)
        #expect(server.core.peerAccepted(on: relay, from: Self.peer, now: server.now) == nil)
        client.permit(Self.peer)
        let id = try #require(server.core.peerAccepted(on: relay, from: Self.peer, now: server.now))
        server.drain()
        let attempt = try #require(server.sent.last.flatMap { ReadMessage($0.bytes) })
        #expect(attempt.message.method == .connectionAttempt && attempt.attributes.connectionID == id)
        #expect(attempt.attributes.peerAddress == Self.peer)
        server.advance(seconds: 32)
        #expect(server.closedConnections == [id])
        #expect(Self.dataConnection(client).ask(.connectionBind) { $0.append(.connectionID, integer: id) }?.code == 400)
    }

    @Test("Somebody else cannot bind a connection")
    func stranger() throws {
        let client = Self.allocated()
        client.permit(Self.peer)
        let relay = try #require(client.server.relays.keys.first)
        let id = try #require(client.server.core.peerAccepted(on: relay, from: Self.peer, now: client.server.now))
        let other = VirtualClient(client.server, VirtualServer.client(3, .tcp), "bob", "builder")
        client.server.core.clientConnected(other.tuple, now: client.server.now)
        #expect(other.ask(.connectionBind) { $0.append(.connectionID, integer: id) }?.code == 441)
    }

    @Test("Connections of one allocation are bounded")
    func bounded() throws {
        let client = Self.allocated()
        client.permit(Self.peer)
        let relay = try #require(client.server.relays.keys.first)
        let accepted = (0..<40).count { port in
            let peer = Self.peer.withPort(UInt16(1_000 + port))
            return client.server.core.peerAccepted(on: relay, from: peer, now: client.server.now) != nil
        }
        #expect(accepted == client.server.core.configuration.connectionsPerAllocation)
    }

    @Test("A client's connection without an allocation is closed after a while")
    func idle() {
        let server = VirtualServer()
        let idle = VirtualServer.client(1, .tcp)
        server.core.clientConnected(idle, now: server.now)
        let busy = VirtualClient(server, VirtualServer.client(2, .tcp))
        server.core.clientConnected(busy.tuple, now: server.now)
        busy.allocate()
        server.advance(seconds: 120)
        #expect(server.closedClients == [idle])
    }
}
