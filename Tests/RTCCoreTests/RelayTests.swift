import NIOCore
import RTCBase
import RTCSCTP
import RTCTestKit
import Testing

@testable import RTCCore

@Suite("Relays and gathering", .serialized)
struct RelayTests {
    private func servers(_ urls: [String], password: String = SimulatedTURNServer.password) -> [RTCIceServer] {
        [RTCIceServer(urls: urls, username: SimulatedTURNServer.username, credential: password)]
    }

    private func makePair(_ left: RTCConfiguration, seed: UInt64 = 1) throws -> PeerPair {
        let pair = try PeerPair(seed: seed, leftConfiguration: left)
        let server = SimulatedTURNServer(
            at: TransportAddress(ipv4: 0xCB00_7101, port: 3478),
            seed: seed,
            now: pair.now
        )
        pair.place(left: .open, right: .open, server: server, seed: seed)
        return pair
    }

    private func isConnected(_ pair: PeerPair) -> Bool {
        pair.left.session.connectionState == .connected && pair.right.session.connectionState == .connected
    }

    private func candidates(_ peer: PeerPair.Peer) -> [RTCIceCandidate] {
        peer.events.compactMap { event in
            if case .iceCandidate(let candidate?) = event, !candidate.candidate.isEmpty { return candidate }
            return nil
        }
    }

    private func errors(_ peer: PeerPair.Peer) -> [RTCIceCandidateError] {
        peer.events.compactMap { event in
            if case .iceCandidateError(let error) = event { return error }
            return nil
        }
    }

    @Test("With relays only nothing else is told, sent or used")
    func relayOnly() throws {
        let pair = try self.makePair(
            RTCConfiguration(iceServers: self.servers(["turn:203.0.113.1"]), iceTransportPolicy: .relay)
        )
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.negotiate()
        #expect(pair.run(for: .seconds(10)) { self.isConnected(pair) })
        let told = self.candidates(pair.left)
        #expect(told.map(\.type) == [.relay])
        #expect(told.first?.relayProtocol == .udp && told.first?.url == "turn:203.0.113.1")
        #expect(told.first?.relatedAddress == "0.0.0.0")
        #expect(pair.left.session.selectedCandidatePair?.local.type == .relay)
        #expect(pair.right.session.selectedCandidatePair?.remote.address == "203.0.113.1")
        let report = pair.left.session.statistics(now: pair.now, timestamp: 0)
        let relays = report.entries.compactMap { entry -> RTCIceServerTransportProtocol? in
            if case .localCandidate(let stats) = entry.content { return stats.relayProtocol }
            return nil
        }
        #expect(relays == [RTCIceServerTransportProtocol.udp])
    }

    @Test("A refused credential is an event with its code, and the reason of the failure")
    func wrongCredentials() throws {
        let pair = try self.makePair(
            RTCConfiguration(
                iceServers: self.servers(["turn:203.0.113.1"], password: "wrong"),
                iceTransportPolicy: .relay
            )
        )
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.negotiate()
        let failed = pair.run(for: .seconds(90)) { pair.left.session.connectionState == .failed }
        #expect(failed)
        #expect(self.errors(pair.left).map(\.errorCode) == [401])
        let diagnosis = pair.left.session.diagnose()
        #expect(diagnosis.problems.first == .noRelay)
        #expect(diagnosis.description.contains("turn:203.0.113.1 refused the credentials: 401"), "\(diagnosis)")
    }

    @Test("A dead server takes ten seconds of its own and nobody else's")
    func deadServer() throws {
        let urls = ["turn:203.0.113.99", "turn:203.0.113.98?transport=tcp", "stun:unknown.example", "turn:203.0.113.1"]
        let pair = try self.makePair(RTCConfiguration(iceServers: self.servers(urls)))
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        let began = pair.now
        try pair.negotiate()
        #expect(pair.run(for: .seconds(3)) { self.isConnected(pair) })
        #expect(self.candidates(pair.left).contains { $0.type == .relay })
        #expect(pair.left.session.iceGatheringState == .gathering)
        #expect(pair.run(for: .seconds(12)) { pair.left.session.iceGatheringState == .complete })
        #expect(pair.now - began <= .seconds(11))
        #expect(self.errors(pair.left).map(\.errorCode) == [701, 701, 701])
    }

    @Test("A relay that restarts is used again")
    func restart() throws {
        let pair = try self.makePair(
            RTCConfiguration(iceServers: self.servers(["turn:203.0.113.1"]), iceTransportPolicy: .relay)
        )
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.negotiate()
        #expect(pair.run(for: .seconds(10)) { self.isConnected(pair) })
        let before = pair.left.session.selectedCandidatePair?.local.port
        pair.server?.restart(now: pair.now)
        let moved = pair.run(for: .seconds(25)) {
            let port = pair.left.session.selectedCandidatePair?.local.port
            return port != nil && port != before && self.isConnected(pair)
        }
        #expect(moved, "\(pair.left.session.diagnose())")
    }

    @Test("New credentials need no restart; new servers do")
    func rotation() throws {
        let configuration = RTCConfiguration(iceServers: self.servers(["turn:203.0.113.1"]))
        let pair = try self.makePair(configuration)
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.negotiate()
        #expect(pair.run(for: .seconds(10)) { self.isConnected(pair) })
        var rotated = configuration
        rotated.iceServers[0].credential = "another"
        pair.left.session.update(rotated, now: pair.now)
        let ufrag = pair.left.session.transportSnapshot?.localParameters?.usernameFragment
        #expect(try pair.left.session.createOffer().sdp.contains("a=ice-ufrag:\(ufrag ?? "?")"))
        rotated.iceServers[0].urls = ["turn:203.0.113.2"]
        pair.left.session.update(rotated, now: pair.now)
        #expect(try !pair.left.session.createOffer().sdp.contains("a=ice-ufrag:\(ufrag ?? "?")"))
    }

    @Test("Closing gives the allocation back")
    func closing() throws {
        let pair = try self.makePair(RTCConfiguration(iceServers: self.servers(["turn:203.0.113.1"])))
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.negotiate()
        #expect(pair.run(for: .seconds(10)) { pair.server?.allocationCount == 1 })
        pair.left.session.close(now: pair.now)
        #expect(pair.run(for: .seconds(1)) { pair.server?.allocationCount == 0 })
    }

    @Test("A pool has its candidates before there is a description")
    func pool() throws {
        let pair = try self.makePair(
            RTCConfiguration(
                iceServers: self.servers(["stun:203.0.113.1", "turn:203.0.113.1"]),
                iceCandidatePoolSize: 1
            )
        )
        _ = pair.run(for: .seconds(3))
        #expect(pair.server?.allocationCount == 1)
        #expect(pair.left.events.isEmpty)
        #expect(pair.left.session.iceGatheringState == .new)
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        pair.settle()
        // At once, without a round trip to any server.
        #expect(pair.left.session.iceGatheringState == .complete)
        #expect(self.candidates(pair.left).map(\.type) == [.host, .relay])
        #expect(pair.server?.allocationCount == 1)
    }

    @Test(
        "A server that tells a public host its own address has answered",
        arguments: ["stun:203.0.113.1", "stuns:203.0.113.1:3478"]
    )
    func publicHost(url: String) throws {
        let pair = try self.makePair(RTCConfiguration(iceServers: self.servers([url])))
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        #expect(pair.run(for: .seconds(5)) { pair.left.session.iceGatheringState == .complete })
        #expect(self.candidates(pair.left).map(\.type) == [.host])
        let report = try #require(pair.left.session.diagnose().servers.first)
        #expect(report.outcome == .succeeded && report.text == "reflexive address 10.0.0.1", "\(report)")
    }

    @Test("A server that no local address reaches was not asked, and that is said")
    func unreachableFamily() throws {
        let pair = try self.makePair(RTCConfiguration(iceServers: self.servers(["stun:[2001:db8::1]"])))
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        #expect(pair.run(for: .seconds(5)) { pair.left.session.iceGatheringState == .complete })
        let report = try #require(pair.left.session.diagnose().servers.first)
        #expect(report.outcome == .failed(code: 701) && report.text == "No local address can reach it.", "\(report)")
    }

    @Test("Two lite sides are refused in words; a lite and a full one connect")
    func lite() throws {
        var lite = RTCConfiguration()
        lite.isIceLite = true
        let both = try PeerPair(seed: 1, leftConfiguration: lite, rightConfiguration: lite)
        _ = try both.left.session.createDataChannel("data", now: both.now)
        let offer = try both.left.session.createOffer()
        #expect(offer.sdp.contains("a=ice-lite"))
        #expect(throws: RTCError.self) {
            try both.right.session.setRemoteDescription(offer, now: both.now)
        }
        let mixed = try PeerPair(seed: 2, leftConfiguration: lite)
        _ = try mixed.left.session.createDataChannel("data", now: mixed.now)
        try mixed.negotiate()
        #expect(mixed.run(for: .seconds(10)) { self.isConnected(mixed) })
        #expect(mixed.left.session.transportSnapshot?.iceRole == .controlled)
    }

    @Test("Renomination is offered where wanted, and answered where offered")
    func renomination() throws {
        var configuration = RTCConfiguration()
        configuration.offersRenomination = true
        let pair = try PeerPair(seed: 1, leftConfiguration: configuration)
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.negotiate()
        for description in [pair.left.session.currentLocalDescription, pair.right.session.currentLocalDescription] {
            #expect(description?.sdp.contains("a=ice-options:trickle ice2 renomination") == true)
        }
        #expect(pair.run(for: .seconds(10)) { self.isConnected(pair) })
    }
}
