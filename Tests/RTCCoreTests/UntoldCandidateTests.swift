import NIOCore
import RTCBase
import RTCICE
import RTCSCTP
import RTCTestKit
import Testing

@testable import RTCCore

/// Candidates that are found after the peer was told that there are no more (RFC 8838 section 13).
@Suite("Candidates after the end of candidates", .serialized)
struct UntoldCandidateTests {
    private static let other = TransportAddress(ipv4: 0x0A00_0063, port: 5_001)

    private func connect(seed: UInt64 = 1) throws -> PeerPair {
        let pair = try PeerPair(seed: seed)
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.negotiate()
        #expect(pair.run(for: .seconds(10)) { Self.isConnected(pair) })
        _ = pair.run(for: .seconds(5))
        #expect(pair.left.session.iceGatheringState == .complete)
        pair.left.clearEvents()
        return pair
    }

    private static func isConnected(_ pair: PeerPair) -> Bool {
        [pair.left, pair.right].allSatisfy { $0.session.connectionState == .connected }
    }

    private static func told(_ peer: PeerPair.Peer) -> [RTCIceCandidate] {
        peer.events.compactMap { event in
            if case .iceCandidate(let candidate?) = event, !candidate.candidate.isEmpty { return candidate }
            return nil
        }
    }

    private static func wantsNegotiation(_ peer: PeerPair.Peer) -> Bool {
        peer.events.contains { if case .negotiationNeeded = $0 { true } else { false } }
    }

    private static func changesGathering(_ peer: PeerPair.Peer) -> Bool {
        peer.events.contains { if case .iceGatheringStateChange = $0 { true } else { false } }
    }

    @Test("An address that replaces the one in use is used at once, told to nobody, and asks for a restart")
    func replaced() throws {
        let pair = try self.connect()
        let left = pair.left
        left.addresses = [Self.other]
        left.session.removeHost(base: left.address, now: pair.now)
        left.session.addHost(ICEHostAddress(base: Self.other), now: pair.now)
        #expect(pair.run(for: .seconds(2)) { left.session.transport.path?.base == Self.other })
        let seen = pair.run(for: .seconds(2)) {
            pair.right.session.selectedCandidatePair?.remote.address == Self.other.ip
        }
        #expect(seen)
        #expect(pair.right.session.selectedCandidatePair?.remote.type == .prflx)
        #expect(pair.run(for: .seconds(2)) { Self.isConnected(pair) })
        #expect(Self.told(left).isEmpty && !Self.changesGathering(left))
        let sdp = try #require(left.session.currentLocalDescription?.sdp)
        #expect(!sdp.contains(Self.other.ip) && sdp.contains("a=end-of-candidates"))
        #expect(Self.wantsNegotiation(left))
        let ufrag = left.session.transport.current?.ufrag
        try pair.negotiate()
        let restarted = pair.run(for: .seconds(10)) {
            left.session.transport.current?.ufrag != ufrag && Self.isConnected(pair)
        }
        #expect(restarted)
        #expect(Self.told(left).map(\.address) == [Self.other.ip])
        #expect(pair.run(for: .seconds(2)) { pair.right.session.selectedCandidatePair?.remote.type == .host })
        #expect(left.session.iceGatheringState == .complete)
    }

    @Test("An address that appears beside the one in use bothers nobody, and is there when that one falls silent")
    func added() throws {
        let pair = try self.connect()
        let left = pair.left
        left.addresses.append(Self.other)
        left.session.addHost(ICEHostAddress(base: Self.other), now: pair.now)
        _ = pair.run(for: .seconds(60))
        #expect(Self.told(left).isEmpty && !Self.changesGathering(left) && !Self.wantsNegotiation(left))
        pair.network.unreachable.insert(left.address)
        #expect(pair.run(for: .seconds(20)) { left.session.transport.path?.base == Self.other })
        #expect(pair.run(for: .seconds(2)) { Self.isConnected(pair) })
        #expect(!Self.wantsNegotiation(left))
    }

    @Test("Where the checks from an untold address reach nobody a restart is asked for after two seconds")
    func stranded() throws {
        let pair = try self.connect()
        let left = pair.left
        pair.network.unreachable = [left.address, Self.other]
        left.addresses.append(Self.other)
        left.session.addHost(ICEHostAddress(base: Self.other), now: pair.now)
        #expect(pair.run(for: .seconds(20)) { left.session.connectionState == .disconnected })
        let silent = pair.now
        #expect(!Self.wantsNegotiation(left))
        #expect(pair.run(for: .seconds(10)) { Self.wantsNegotiation(left) })
        #expect(pair.now - silent >= .seconds(2) && pair.now - silent <= .milliseconds(2_100))
        // Once is enough.
        left.clearEvents()
        _ = pair.run(for: .seconds(60))
        #expect(!Self.wantsNegotiation(left))
    }

    @Test("An address that appears before the end is told like any other")
    func beforeTheEnd() throws {
        let configuration = RTCConfiguration(iceServers: [RTCIceServer(urls: ["stun:203.0.113.99"])])
        let pair = try PeerPair(seed: 1, leftConfiguration: configuration)
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        _ = pair.run(for: .seconds(1))
        #expect(pair.left.session.iceGatheringState == .gathering)
        pair.left.addresses.append(Self.other)
        pair.left.session.addHost(ICEHostAddress(base: Self.other), now: pair.now)
        #expect(pair.run(for: .seconds(20)) { pair.left.session.iceGatheringState == .complete })
        #expect(Self.told(pair.left).map(\.address) == [pair.left.address.ip, Self.other.ip])
    }

    @Test("An address that appears while a pool is complete and untold is told with the description")
    func pool() throws {
        let pair = try PeerPair(seed: 1, leftConfiguration: RTCConfiguration(iceCandidatePoolSize: 1))
        _ = pair.run(for: .seconds(1))
        pair.left.addresses.append(Self.other)
        pair.left.session.addHost(ICEHostAddress(base: Self.other), now: pair.now)
        _ = pair.run(for: .seconds(1))
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        pair.settle()
        #expect(Self.told(pair.left).map(\.address) == [pair.left.address.ip, Self.other.ip])
        #expect(pair.left.session.iceGatheringState == .complete)
    }

    @Test(
        "Two peers whose relays were lost with their server find each other again after the restart that they ask for"
    )
    func relays() throws {
        let configuration = RTCConfiguration(
            iceServers: [
                RTCIceServer(
                    urls: ["turn:203.0.113.1"],
                    username: SimulatedTURNServer.username,
                    credential: SimulatedTURNServer.password
                )
            ],
            iceTransportPolicy: .relay
        )
        let pair = try PeerPair(seed: 1, leftConfiguration: configuration, rightConfiguration: configuration)
        let server = SimulatedTURNServer(at: TransportAddress(ipv4: 0xCB00_7101, port: 3478), seed: 1, now: pair.now)
        pair.place(left: .symmetric, right: .symmetric, server: server, seed: 1)
        _ = try pair.left.session.createDataChannel("data", now: pair.now)
        try pair.negotiate()
        #expect(pair.run(for: .seconds(10)) { Self.isConnected(pair) })
        _ = pair.run(for: .seconds(5))
        for peer in [pair.left, pair.right] { peer.clearEvents() }
        server.restart(now: pair.now)
        let asked = pair.run(for: .seconds(60)) {
            Self.wantsNegotiation(pair.left) || Self.wantsNegotiation(pair.right)
        }
        #expect(asked)
        #expect(Self.told(pair.left).isEmpty && Self.told(pair.right).isEmpty)
        try pair.negotiate(offerer: Self.wantsNegotiation(pair.left) ? pair.left : pair.right)
        #expect(pair.run(for: .seconds(20)) { Self.isConnected(pair) }, "\(pair.left.session.diagnose())")
    }
}
