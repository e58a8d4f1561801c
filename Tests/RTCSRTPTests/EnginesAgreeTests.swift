import RTCBase
import Testing

@testable import RTCSRTP

/// libsrtp2 as the oracle: the same packets, the same answers.
@Suite("The engines agree")
struct EnginesAgreeTests {
    @Test("Protected packets are the same bytes", arguments: SRTPProfile.allCases, [UInt64(41), 42])
    func sameBytes(profile: SRTPProfile, seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let key = SRTPMasterKey.random(profile, &random)
        let ours = try Direction(profile, key: key)
        let oracle = try Direction(profile, key: key, .with { $0.engine = .libsrtp })
        var traffic = RandomTraffic(random)
        var accepted = 0
        for step in 0..<3_000 {
            let packet = traffic.next()
            let protected = try ours.sender.rtp(packet)
            guard try oracle.sender.rtp(packet) == protected else {
                Issue.record("seed \(seed), step \(step): \(packet)")
                return
            }
            let fate = ours.receiver.rtp(protected)
            // The traffic repeats numbers.
            #expect(fate == .success(packet) || fate == .failure(.replayed), "seed \(seed), step \(step)")
            #expect(oracle.receiver.rtp(protected) == fate, "seed \(seed), step \(step)")
            if !fate.isFailure { accepted += 1 }
        }
        #expect(accepted > 1_500, "seed \(seed)")
    }

    @Test("Protected RTCP is the same bytes, from index 1 on", arguments: SRTPProfile.allCases, [UInt64(43), 44])
    func sameRTCPBytes(profile: SRTPProfile, seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let key = SRTPMasterKey.random(profile, &random)
        let ours = try Direction(profile, key: key)
        let oracle = try Direction(profile, key: key, .with { $0.engine = .libsrtp })
        // libsrtp begins with 1.
        for ssrc in UInt32(0)..<4 {
            let first = try ours.sender.rtcp(rtcpPacket(ssrc: ssrc))
            #expect(oracle.receiver.rtcp(first) == .success(rtcpPacket(ssrc: ssrc)))
        }
        for step in 0..<2_000 {
            let packet = rtcpPacket(ssrc: UInt32(random.next() & 3), size: 4 * Int(random.next() % 300))
            let protected = try ours.sender.rtcp(packet)
            #expect(try oracle.sender.rtcp(packet) == protected, "seed \(seed), step \(step)")
            #expect(ours.receiver.rtcp(protected) == .success(packet), "seed \(seed), step \(step)")
            #expect(oracle.receiver.rtcp(protected) == .success(packet), "seed \(seed), step \(step)")
        }
    }

    @Test(
        "Over a bad network every packet has the same fate",
        arguments: SRTPProfile.allCases,
        [UInt64(45), 46, 47]
    )
    func sameFate(profile: SRTPProfile, seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let key = SRTPMasterKey.random(profile, &random)
        let window = 64 << Int(random.next() % 3)
        let ours = try Direction(profile, key: key, .with { $0.replayWindow = window })
        let oracle = try Direction(
            profile,
            key: key,
            .with {
                $0.engine = .libsrtp
                $0.replayWindow = window
            }
        )
        var traffic = RandomTraffic(random)
        var network = BadNetwork(random, delay: window + window / 4)
        var fates: [String: Int] = [:]
        for step in 0..<6_000 {
            let sender = random.next() & 1 == 0 ? ours.sender : oracle.sender
            // Both senders must see each packet, to count the same rollovers.
            let protected = try sender.rtp(traffic.next(andTell: sender === ours.sender ? oracle.sender : ours.sender))
            for packet in network.pass(protected) {
                let fate = ours.receiver.rtp(packet)
                guard fate.agrees(with: oracle.receiver.rtp(packet)) else {
                    Issue.record("seed \(seed), step \(step): \(fate)")
                    return
                }
                fates[fate.name, default: 0] += 1
            }
        }
        // The network was bad enough for this to mean something.
        for fate in ["packet", "replayed", "tooOld", "authenticationFailed"] {
            #expect(fates[fate, default: 0] > 20, "seed \(seed): \(fates)")
        }
    }

    @Test("RTCP over a bad network has the same fate", arguments: SRTPProfile.allCases, [UInt64(48), 49])
    func sameRTCPFate(profile: SRTPProfile, seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let key = SRTPMasterKey.random(profile, &random)
        let ours = try Direction(profile, key: key)
        let oracle = try Direction(profile, key: key, .with { $0.engine = .libsrtp })
        var network = BadNetwork(random, delay: 160)
        var fates: [String: Int] = [:]
        for step in 0..<4_000 {
            let packet = rtcpPacket(ssrc: UInt32(random.next() & 1), size: 4 * Int(random.next() % 30))
            for packet in network.pass(try ours.sender.rtcp(packet)) {
                let fate = ours.receiver.rtcp(packet)
                guard fate.agrees(with: oracle.receiver.rtcp(packet)) else {
                    Issue.record("seed \(seed), step \(step): \(fate)")
                    return
                }
                fates[fate.name, default: 0] += 1
            }
        }
        for fate in ["packet", "replayed", "tooOld", "authenticationFailed"] {
            #expect(fates[fate, default: 0] > 20, "seed \(seed): \(fates)")
        }
    }
}

extension Result<[UInt8], SRTPUnprotectFailure> {
    /// Whether two engines say the same. Which of several reasons a forged packet is refused for may differ.
    fileprivate func agrees(with other: Self) -> Bool {
        switch (self, other) {
        case (.success(let mine), .success(let others)): return mine == others
        case (.failure(.replayed), .failure(.replayed)), (.failure(.tooOld), .failure(.tooOld)): return true
        case (.failure(let mine), .failure(let others)):
            let forged: Set<SRTPUnprotectFailure> = [.authenticationFailed, .malformed]
            return forged.contains(mine) && forged.contains(others)
        default: return false
        }
    }

    fileprivate var name: String {
        switch self {
        case .success: return "packet"
        case .failure(let failure): return "\(failure)"
        }
    }
}

/// RTP of a few SSRCs with all a header can have, mostly in order, with jumps, so that sequence numbers wrap often.
private struct RandomTraffic {
    private var random: RandomSource
    private var newest: [UInt64]

    init(_ random: RandomSource) {
        self.random = random
        self.newest = (0..<5).map { $0 * 13_000 + 100 }
    }

    mutating func next() -> [UInt8] {
        let stream = Int(self.random.next() % 5)
        switch self.random.next() % 16 {
        // Further than the window of a sender would not be sent again.
        case 0: self.newest[stream] -= min(self.newest[stream], self.random.next() % 10)
        case 1: self.newest[stream] += self.random.next() % 9_000
        default: self.newest[stream] += 1
        }
        return self.packet(UInt16(truncatingIfNeeded: self.newest[stream]), ssrc: UInt32(stream) &* 0x1234_5679)
    }

    mutating func next(andTell other: SRTPSender) throws -> [UInt8] {
        let packet = self.next()
        _ = try other.rtp(packet)
        return packet
    }

    private mutating func packet(_ sequenceNumber: UInt16, ssrc: UInt32) -> [UInt8] {
        var packet = rtpPacket(sequenceNumber, ssrc: ssrc, size: 0)
        packet[1] = UInt8(self.random.next() & 0xFF)
        let sources = self.random.next() & 3 == 0 ? Int(self.random.next() & 15) : 0
        packet[0] |= UInt8(sources)
        packet += self.random.bytes(count: 4 * sources)
        if self.random.next() & 1 == 0 {
            let words = Int(self.random.next() % 8)
            packet[0] |= 0x10
            packet += [0xBE, 0xDE, 0, UInt8(words)] + self.random.bytes(count: 4 * words)
        }
        let size = self.random.next() & 7 == 0 ? Int(self.random.next() % 1_400) : Int(self.random.next() % 40)
        return packet + self.random.bytes(count: size)
    }
}

/// Loses, doubles, delays, shortens and forges packets.
private struct BadNetwork {
    private var random: RandomSource
    private let delay: Int
    private var waiting: [(packet: [UInt8], left: Int)] = []

    init(_ random: RandomSource, delay: Int) {
        self.random = random
        self.delay = delay
        _ = self.random.next()
    }

    mutating func pass(_ packet: [UInt8]) -> [[UInt8]] {
        for index in self.waiting.indices { self.waiting[index].left -= 1 }
        var arrived = self.waiting.filter { $0.left <= 0 }.map(\.packet)
        self.waiting.removeAll { $0.left <= 0 }
        switch self.random.next() % 16 {
        case 0: break
        case 1: arrived += [packet, packet]
        case 2: self.hold(packet)
        case 3:
            arrived.append(packet)
            self.hold(packet)
        case 4:
            var forged = packet
            forged[Int(self.random.next() % UInt64(packet.count))] ^= 1 << (self.random.next() & 7)
            arrived += [forged, packet]
        case 5: arrived += [Array(packet.prefix(Int(self.random.next() % UInt64(packet.count)))), packet]
        default: arrived.append(packet)
        }
        return arrived
    }

    private mutating func hold(_ packet: [UInt8]) {
        self.waiting.append((packet, 1 + Int(self.random.next() % UInt64(8 * self.delay))))
    }
}
