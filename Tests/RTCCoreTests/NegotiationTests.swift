import NIOCore
import RTCBase
import RTCCore
import RTCSCTP
import RTCTestKit
import Testing

/// The exchange of descriptions: RFC 9429 and W3C webrtc-pc section 4.
@Suite("Negotiation", .serialized)
struct NegotiationTests {
    private func pairWithChannel(seed: UInt64 = 1) throws -> (PeerPair, DataChannelHandle) {
        let pair = try PeerPair(seed: seed)
        let (handle, _) = try pair.left.session.createDataChannel(
            DataChannelParameters(label: "chat"),
            id: nil,
            now: pair.now
        )
        return (pair, handle)
    }

    private func isOpen(_ handle: DataChannelHandle, _ peer: PeerPair.Peer) -> Bool {
        peer.events.contains { if case .dataChannelOpen(handle) = $0 { return true } else { return false } }
    }

    private func count(_ peer: PeerPair.Peer, _ matches: (PeerSession.Event) -> Bool) -> Int {
        peer.events.filter(matches).count
    }

    @Test("states go from stable through the offer back to stable on both sides")
    func signalingStates() throws {
        let (pair, _) = try self.pairWithChannel()
        #expect(pair.left.session.signalingState == .stable)
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        #expect(pair.left.session.signalingState == .haveLocalOffer)
        let offer = try #require(pair.left.session.pendingLocalDescription)
        #expect(offer.type == .offer)
        #expect(pair.left.session.currentLocalDescription == nil)
        try pair.right.session.setRemoteDescription(offer, now: pair.now)
        #expect(pair.right.session.signalingState == .haveRemoteOffer)
        try pair.right.session.setLocalDescription(nil, now: pair.now)
        #expect(pair.right.session.signalingState == .stable)
        #expect(pair.right.session.pendingLocalDescription == nil)
        let answer = try #require(pair.right.session.currentLocalDescription)
        #expect(answer.type == .answer)
        try pair.left.session.setRemoteDescription(answer, now: pair.now)
        #expect(pair.left.session.signalingState == .stable)
        #expect(pair.left.session.currentRemoteDescription?.type == .answer)
    }

    @Test("an answer where none fits, and a wrong text, are refused by name")
    func refusals() throws {
        let (pair, _) = try self.pairWithChannel()
        #expect(throws: RTCError.self) { _ = try pair.left.session.createAnswer() }
        let offer = try pair.left.session.createOffer()
        do {
            try pair.left.session.setLocalDescription(
                RTCSessionDescription(type: .offer, sdp: offer.sdp + "a=x\r\n"),
                now: pair.now
            )
            Issue.record("a changed offer was taken")
        } catch {
            #expect(error.code == .invalidModification)
        }
        do {
            try pair.left.session.setRemoteDescription(
                RTCSessionDescription(type: .answer, sdp: offer.sdp),
                now: pair.now
            )
            Issue.record("an answer without an offer was taken")
        } catch {
            #expect(error.code == .invalidState)
        }
        do {
            try pair.left.session.setRemoteDescription(
                RTCSessionDescription(type: .offer, sdp: "Invalid"),
                now: pair.now
            )
            Issue.record("a text that is no SDP was taken")
        } catch {
            #expect(error.detail == .sdpSyntaxError)
            #expect(error.sdpLineNumber == 1)
        }
        #expect(pair.left.session.signalingState == .stable)
    }

    @Test("a rolled back offer leaves nothing behind, and the next one works")
    func rollback() throws {
        let (pair, handle) = try self.pairWithChannel()
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        pair.settle()
        try pair.left.session.setLocalDescription(RTCSessionDescription(type: .rollback), now: pair.now)
        pair.settle()
        #expect(pair.left.session.signalingState == .stable)
        #expect(pair.left.session.pendingLocalDescription == nil)
        #expect(pair.left.session.iceGatheringState == .new)
        try pair.negotiate()
        #expect(pair.run(for: .seconds(5)) { self.isOpen(handle, pair.left) })
    }

    @Test("offers that cross are settled by the polite side's implicit rollback", arguments: [UInt64(1), 2, 3, 4, 5])
    func glare(seed: UInt64) throws {
        let (pair, handle) = try self.pairWithChannel(seed: seed)
        let (other, _) = try pair.right.session.createDataChannel(
            DataChannelParameters(label: "back"),
            id: nil,
            now: pair.now
        )
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        try pair.right.session.setLocalDescription(nil, now: pair.now)
        pair.settle()
        let offer = try #require(pair.left.session.pendingLocalDescription)
        try pair.right.session.setRemoteDescription(offer, now: pair.now)
        #expect(pair.right.session.signalingState == .haveRemoteOffer)
        try pair.right.session.setLocalDescription(nil, now: pair.now)
        let answer = try #require(pair.right.session.currentLocalDescription)
        try pair.left.session.setRemoteDescription(answer, now: pair.now)
        let opened = pair.run(for: .seconds(5)) { self.isOpen(handle, pair.left) && self.isOpen(other, pair.right) }
        #expect(opened, "seed \(seed)")
    }

    @Test("a restart gives new credentials and the channels live on", arguments: [UInt64(1), 2, 3])
    func restart(seed: UInt64) throws {
        let (pair, handle) = try self.pairWithChannel(seed: seed)
        try pair.negotiate()
        #expect(pair.run(for: .seconds(5)) { self.isOpen(handle, pair.left) }, "seed \(seed)")
        let before = try #require(pair.left.session.transportSnapshot?.localParameters)
        pair.left.clearEvents()
        try pair.left.session.restartICE()
        pair.settle()
        #expect(self.count(pair.left) { if case .negotiationNeeded = $0 { return true } else { return false } } == 1)
        try pair.negotiate()
        let restarted = pair.run(for: .seconds(10)) {
            pair.left.session.transportSnapshot?.localParameters != before
                && pair.left.session.connectionState == .connected
                && pair.right.session.connectionState == .connected
        }
        #expect(restarted, "seed \(seed)")
        try pair.left.session.send(ByteBuffer(string: "still here"), kind: .text, on: handle, now: pair.now)
        let arrived = pair.run(for: .seconds(5)) {
            pair.right.events.contains { if case .dataChannelMessages = $0 { return true } else { return false } }
        }
        #expect(arrived, "seed \(seed)")
    }

    @Test("a restart that is rolled back leaves the connection as it was")
    func restartRolledBack() throws {
        let (pair, handle) = try self.pairWithChannel()
        try pair.negotiate()
        #expect(pair.run(for: .seconds(5)) { self.isOpen(handle, pair.left) })
        let before = pair.left.session.currentLocalDescription
        try pair.left.session.restartICE()
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        pair.settle()
        try pair.left.session.setLocalDescription(RTCSessionDescription(type: .rollback), now: pair.now)
        pair.settle()
        #expect(pair.left.session.currentLocalDescription == before)
        try pair.left.session.send(ByteBuffer(string: "still here"), kind: .text, on: handle, now: pair.now)
        #expect(
            pair.run(for: .seconds(5)) {
                pair.right.events.contains { if case .dataChannelMessages = $0 { return true } else { return false } }
            }
        )
        #expect(pair.left.session.connectionState == .connected)
    }

    @Test("negotiation needed fires once for many channels, and not again when it was negotiated")
    func negotiationNeeded() throws {
        let (pair, _) = try self.pairWithChannel()
        _ = try pair.left.session.createDataChannel(DataChannelParameters(label: "two"), id: nil, now: pair.now)
        pair.settle()
        let isNeeded: (PeerSession.Event) -> Bool = {
            if case .negotiationNeeded = $0 { return true } else { return false }
        }
        #expect(self.count(pair.left, isNeeded) == 1)
        try pair.negotiate()
        _ = try pair.left.session.createDataChannel(DataChannelParameters(label: "three"), id: nil, now: pair.now)
        pair.settle()
        #expect(self.count(pair.left, isNeeded) == 1)
    }

    @Test("media of a codec that nobody here knows is rejected, data accepted")
    func unknownCodecIsRejected() throws {
        let (pair, _) = try self.pairWithChannel()
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        pair.settle()
        let offer = try #require(pair.left.session.pendingLocalDescription)
        let audio = [
            "m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:a", "a=rtpmap:111 speex/32000", "a=sendrecv",
            "a=rtcp-mux",
        ].map { $0 + "\r\n" }.joined()
        let sdp = offer.sdp.replacing("m=application", with: audio + "m=application")
        try pair.right.session.setRemoteDescription(
            RTCSessionDescription(type: .offer, sdp: sdp.replacing("BUNDLE 0", with: "BUNDLE a 0")),
            now: pair.now
        )
        try pair.right.session.setLocalDescription(nil, now: pair.now)
        let answer = try #require(pair.right.session.currentLocalDescription?.sdp)
        #expect(answer.contains("m=audio 0 "))
        #expect(answer.contains("a=group:BUNDLE 0\r\n"))
        #expect(answer.contains("a=setup:active"))
        #expect(!answer.contains("m=application 0"))
    }

    @Test("close reads closed everywhere, at once, and fires nothing; the peer learns of it")
    func close() throws {
        let (pair, handle) = try self.pairWithChannel()
        try pair.negotiate()
        let arrived = pair.run(for: .seconds(5)) {
            pair.right.events.contains { if case .dataChannelOpen = $0 { return true } else { return false } }
        }
        #expect(arrived && self.isOpen(handle, pair.left))
        pair.left.clearEvents()
        pair.left.session.close(now: pair.now)
        #expect(pair.left.session.signalingState == .closed)
        #expect(pair.left.session.connectionState == .closed)
        #expect(pair.left.session.iceConnectionState == .closed)
        let learnt = pair.run(for: .seconds(2)) {
            pair.right.events.contains {
                if case .dataChannelClosed(_, .some) = $0 { return true } else { return false }
            }
        }
        #expect(learnt)
        #expect(pair.left.events.isEmpty)
        pair.left.session.close(now: pair.now)
        #expect(throws: RTCError.self) { _ = try pair.left.session.createOffer() }
    }
}

@Suite("Loss and silence", .serialized)
struct AdversityTests {
    @Test("messages arrive whole and in order over a bad network", arguments: [UInt64(11), 12, 13, 14])
    func badNetwork(seed: UInt64) throws {
        let pair = try PeerPair(seed: seed)
        let (handle, _) = try pair.left.session.createDataChannel(
            DataChannelParameters(label: "chat"),
            id: nil,
            now: pair.now
        )
        try pair.negotiate()
        let opened = pair.run(for: .seconds(5)) {
            pair.left.events.contains { if case .dataChannelOpen(handle) = $0 { return true } else { return false } }
        }
        #expect(opened, "seed \(seed)")
        pair.network.link.loss = 0.05
        pair.network.link.lossBurst = 2
        pair.network.link.duplication = 0.02
        pair.network.link.reordering = 0.05
        pair.network.link.delay = .milliseconds(10)
        pair.network.link.jitter = .milliseconds(5)
        let count = 300
        for number in 0..<count {
            let text = ByteBuffer(string: "message \(number)")
            try pair.left.session.send(text, kind: .text, on: handle, now: pair.now)
        }
        var received: [String] = []
        _ = pair.run(for: .seconds(120)) {
            received = pair.right.events.flatMap { event -> [String] in
                guard case .dataChannelMessages(_, let messages) = event else { return [] }
                return messages.map { String(buffer: $0.bytes) }
            }
            return received.count >= count
        }
        #expect(received == (0..<count).map { "message \($0)" }, "seed \(seed)")
    }

    @Test("a peer that vanishes is disconnected first and failed at last")
    func vanishedPeer() throws {
        let pair = try PeerPair(seed: 5)
        _ = try pair.left.session.createDataChannel(DataChannelParameters(label: "chat"), id: nil, now: pair.now)
        try pair.negotiate()
        #expect(pair.run(for: .seconds(5)) { pair.left.session.connectionState == .connected })
        pair.network.unreachable = [pair.right.address]
        #expect(pair.run(for: .seconds(20)) { pair.left.session.connectionState == .disconnected })
        #expect(pair.run(for: .seconds(60)) { pair.left.session.connectionState == .failed })
    }

    @Test("datagrams from an address that ICE has not validated never reach DTLS")
    func unvalidatedAddress() throws {
        let pair = try PeerPair(seed: 6)
        _ = try pair.left.session.createDataChannel(DataChannelParameters(label: "chat"), id: nil, now: pair.now)
        try pair.negotiate()
        #expect(pair.run(for: .seconds(5)) { pair.left.session.connectionState == .connected })
        let stranger = TransportAddress(ipv4: 0x0A00_0063, port: 999)
        for first in UInt8(20)...63 {
            let bytes: [UInt8] = [first, 0xFE, 0xFD] + Array(repeating: 0, count: 40)
            pair.left.session.receive(bytes.span.bytes, from: stranger, to: pair.left.address, now: pair.now)
        }
        #expect(pair.left.session.counters.fromUnvalidatedAddress == 44)
        #expect(pair.left.session.connectionState == .connected)
    }

    @Test("hostile datagrams of any kind change nothing", arguments: [UInt64(21), 22, 23])
    func hostileDatagrams(seed: UInt64) throws {
        let pair = try PeerPair(seed: seed)
        let (handle, _) = try pair.left.session.createDataChannel(
            DataChannelParameters(label: "chat"),
            id: nil,
            now: pair.now
        )
        try pair.negotiate()
        let opened = pair.run(for: .seconds(5)) {
            pair.left.events.contains { if case .dataChannelOpen(handle) = $0 { return true } else { return false } }
        }
        #expect(opened, "seed \(seed)")
        var random = RandomSource.seeded(seed)
        for _ in 0..<3_000 {
            let bytes = random.bytes(count: Int.random(in: 0...200, using: &random))
            let source = Bool.random(using: &random) ? pair.right.address : TransportAddress(ipv4: 7, port: 7)
            pair.left.session.receive(bytes.span.bytes, from: source, to: pair.left.address, now: pair.now)
            pair.settle()
        }
        try pair.left.session.send(ByteBuffer(string: "alive"), kind: .text, on: handle, now: pair.now)
        let arrived = pair.run(for: .seconds(10)) {
            pair.right.events.contains { if case .dataChannelMessages = $0 { return true } else { return false } }
        }
        #expect(arrived, "seed \(seed)")
    }
}

@Suite("Limits", .serialized)
struct LimitTests {
    @Test("candidates beyond the limit are counted and not kept")
    func candidates() throws {
        var configuration = RTCConfiguration()
        configuration.limits.remoteCandidates = 10
        let pair = try PeerPair(seed: 3, rightConfiguration: configuration)
        _ = try pair.left.session.createDataChannel(DataChannelParameters(label: "chat"), id: nil, now: pair.now)
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        let offer = try #require(pair.left.session.pendingLocalDescription)
        try pair.right.session.setRemoteDescription(offer, now: pair.now)
        for port in 1...50 {
            let candidate = "candidate:1 1 udp 1000 192.0.2.1 \(port) typ host"
            try pair.right.session.addICECandidate(
                RTCIceCandidateInit(candidate: candidate, sdpMid: "0"),
                now: pair.now
            )
        }
        let kept = pair.right.session.pendingRemoteDescription?.sdp.split(separator: "a=candidate:").count ?? 0
        #expect(kept - 1 == 10)
        #expect(pair.right.session.counters.tooManyCandidates == 40)
    }
}
