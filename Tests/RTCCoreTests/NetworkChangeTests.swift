import NIOCore
import RTCBase
import RTCTestKit
import Testing

@testable import RTCCore

@Suite("Relays when the network changes", .serialized)
struct NetworkChangeTests {
    @Test("A relay that was reached from an address that vanished is reached anew", arguments: ["udp", "tcp"])
    func addressVanishes(transport: String) throws {
        let servers = [
            RTCIceServer(
                urls: ["turn:203.0.113.1?transport=\(transport)"],
                username: SimulatedTURNServer.username,
                credential: SimulatedTURNServer.password
            )
        ]
        let pair = try PeerPair(
            seed: 1,
            leftConfiguration: RTCConfiguration(iceServers: servers, iceTransportPolicy: .relay)
        )
        let address = TransportAddress(ipv4: 0xCB00_7101, port: 3478)
        let server = SimulatedTURNServer(at: address, seed: 1, now: pair.now)
        pair.place(left: .open, right: .open, server: server, seed: 1)
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.negotiate()
        let connected = pair.run(for: .seconds(10)) {
            pair.left.session.connectionState == .connected && pair.right.session.connectionState == .connected
        }
        #expect(connected)
        let before = try #require(pair.left.session.selectedCandidatePair?.local)
        pair.left.session.removeHost(base: pair.left.address, now: pair.now)
        let moved = pair.run(for: .seconds(10)) {
            pair.left.session.selectedCandidatePair.map { $0.local != before } ?? false
        }
        #expect(moved, "\(pair.left.session.diagnose())")
        #expect(pair.left.session.selectedCandidatePair?.local.type == .relay)
        #expect(pair.left.session.connectionState == .connected)
    }
}
