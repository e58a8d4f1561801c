import RTCBase
import Testing

@testable import RTCSRTP

@Suite("Replay and hostile packets")
struct ReplayTests {
    @Test("Every packet is accepted once", arguments: SRTPSenderTests.everyKind)
    func once(profile: SRTPProfile, engine: SRTPConfiguration.Engine) throws {
        let direction = try Direction(profile, .with { $0.engine = engine })
        let packets = try (UInt16(100)..<140).map { try direction.sender.rtp(rtpPacket($0)) }
        let control = try (0..<40).map { _ in try direction.sender.rtcp(rtcpPacket()) }
        for packet in packets.reversed() { #expect(!direction.receiver.rtp(packet).isFailure) }
        for packet in packets { #expect(direction.receiver.rtp(packet) == .failure(.replayed)) }
        for packet in control.reversed() { #expect(!direction.receiver.rtcp(packet).isFailure) }
        for packet in control { #expect(direction.receiver.rtcp(packet) == .failure(.replayed)) }
        #expect(direction.receiver.counters.replayed == 80)
    }

    @Test("The window's last place is inside, the next one outside", arguments: [64, 128, 1_024, 32_768])
    func borders(size: Int) throws {
        for offset in [UInt64(0), 0x3_0000] {
            let direction = try Direction(.aeadAES128GCM, .with { $0.replayWindow = size })
            if offset > 0 { try direction.begin(newest: offset + UInt64(size)) }
            let newest = UInt16(size + 200)
            let packets = try [newest - UInt16(size), newest - UInt16(size) + 1, newest].map {
                try direction.sender.rtp(rtpPacket($0))
            }
            #expect(direction.receiver.rtp(packets[2]) == .success(rtpPacket(newest)))
            #expect(direction.receiver.rtp(packets[0]) == .failure(.tooOld))
            #expect(direction.receiver.rtp(packets[1]) == .success(rtpPacket(newest - UInt16(size) + 1)))
            #expect(direction.receiver.rtp(packets[1]) == .failure(.replayed))
        }
    }

    @Test("SRTCP looks back 128 packets", arguments: SRTPConfiguration.Engine.allCases)
    func rtcpBorders(engine: SRTPConfiguration.Engine) throws {
        let direction = try Direction(.aes128CMSHA1_80, .with { $0.engine = engine })
        let packets = try (0..<129).map { _ in try direction.sender.rtcp(rtcpPacket()) }
        #expect(!direction.receiver.rtcp(packets[128]).isFailure)
        #expect(direction.receiver.rtcp(packets[0]) == .failure(.tooOld))
        #expect(!direction.receiver.rtcp(packets[1]).isFailure)
    }

    @Test("The rollover counter follows over several wraps, with loss and reordering", arguments: SRTPProfile.allCases)
    func rollover(profile: SRTPProfile) throws {
        let direction = try Direction(profile)
        var index = 65_000
        while index < 5 * 65_536 {
            let packets = try [index, index + 1, index + 2].map {
                try direction.sender.rtp(rtpPacket(UInt16(truncatingIfNeeded: $0), fill: UInt8($0 >> 16)))
            }
            for packet in [2, 0, 1] {
                let expected = rtpPacket(
                    UInt16(truncatingIfNeeded: index + packet),
                    fill: UInt8((index + packet) >> 16)
                )
                #expect(direction.receiver.rtp(packets[packet]) == .success(expected), "at \(index)")
            }
            index += 3 + 12_345
        }
        // The same sequence number of another round is another packet.
        let again = try direction.sender.rtp(rtpPacket(UInt16(truncatingIfNeeded: index)))
        #expect(!direction.receiver.rtp(again).isFailure)
    }

    @Test("Sending again gives the same bytes", arguments: SRTPSenderTests.everyKind)
    func retransmission(profile: SRTPProfile, engine: SRTPConfiguration.Engine) throws {
        let sender = try Direction(profile, .with { $0.engine = engine }).sender
        let first = try [65_534, 65_535, 0, 1].map { try sender.rtp(rtpPacket(UInt16($0))) }
        let second = try [65_534, 65_535, 0, 1].map { try sender.rtp(rtpPacket(UInt16($0))) }
        #expect(first == second)
    }

    @Test("Each flipped bit of a packet is noticed and leaves nothing behind", arguments: SRTPSenderTests.everyKind)
    func forgeries(profile: SRTPProfile, engine: SRTPConfiguration.Engine) throws {
        let direction = try Direction(profile, .with { $0.engine = engine })
        let packet = hex("920f1238 decafbad cafebabe 0001e240 0000b26e bede0001 51000200 abababab ab")
        let protected = try direction.sender.rtp(packet)
        let control = try direction.sender.rtcp(rtcpPacket())
        for bit in 0..<protected.count * 8 {
            var forged = protected
            forged[bit / 8] ^= 1 << (bit % 8)
            #expect(direction.receiver.rtp(forged).isFailure, "bit \(bit)")
        }
        for bit in 0..<control.count * 8 {
            var forged = control
            forged[bit / 8] ^= 1 << (bit % 8)
            #expect(direction.receiver.rtcp(forged).isFailure, "bit \(bit)")
        }
        #expect(direction.receiver.engine.streamCount == 0)
        #expect(direction.receiver.counters.dropped == UInt64((protected.count + control.count) * 8))
        #expect(direction.receiver.rtp(protected) == .success(packet))
        #expect(direction.receiver.rtcp(control) == .success(rtcpPacket()))
        #expect(direction.receiver.engine.streamCount == 2)
    }

    @Test("No shorter packet is accepted", arguments: SRTPSenderTests.everyKind)
    func truncations(profile: SRTPProfile, engine: SRTPConfiguration.Engine) throws {
        let direction = try Direction(profile, .with { $0.engine = engine })
        let protected = try direction.sender.rtp(
            hex("920f1238 decafbad cafebabe 0001e240 0000b26e bede0001 51000200 ab")
        )
        let control = try direction.sender.rtcp(rtcpPacket())
        for count in 0..<protected.count {
            #expect(direction.receiver.rtp(Array(protected.prefix(count))).isFailure, "\(count) bytes")
        }
        for count in 0..<control.count {
            #expect(direction.receiver.rtcp(Array(control.prefix(count))).isFailure, "\(count) bytes")
        }
        #expect(direction.receiver.rtp(protected + [0]) == .failure(.authenticationFailed))
        #expect(direction.receiver.counters.malformed > 0)
    }

    @Test("A forged newer number does not move the window", arguments: SRTPSenderTests.everyKind)
    func forgedNumber(profile: SRTPProfile, engine: SRTPConfiguration.Engine) throws {
        let direction = try Direction(profile, .with { $0.engine = engine })
        let packets = try [1_000, 1_001].map { try direction.sender.rtp(rtpPacket($0)) }
        #expect(!direction.receiver.rtp(packets[0]).isFailure)
        for sequence in stride(from: 0, through: 65_535, by: 257) where sequence != 1_001 {
            var forged = packets[1]
            (forged[2], forged[3]) = (UInt8(sequence >> 8), UInt8(sequence & 0xFF))
            #expect(direction.receiver.rtp(forged).isFailure)
        }
        #expect(direction.receiver.rtp(packets[1]) == .success(rtpPacket(1_001)))
    }

    @Test("Strangers' packets take no place, the peer's at most the limit", arguments: SRTPSenderTests.everyKind)
    func streamLimit(profile: SRTPProfile, engine: SRTPConfiguration.Engine) throws {
        let limits = SRTPConfiguration.with {
            $0.engine = engine
            $0.maximumReceivingStreams = 3
            $0.maximumSendingStreams = 5
        }
        let direction = try Direction(profile, limits)
        var random = RandomSource.seeded(21)
        for _ in 0..<500 {
            let stranger = [0x80] + random.bytes(count: 60)
            #expect(direction.receiver.rtp(stranger) == .failure(.authenticationFailed))
            #expect(direction.receiver.rtcp(stranger).isFailure)
        }
        #expect(direction.receiver.engine.streamCount == 0)
        for ssrc in UInt32(0)..<5 {
            let expected: Result<[UInt8], SRTPUnprotectFailure> =
                ssrc < 3 ? .success(rtpPacket(1, ssrc: ssrc)) : .failure(.tooManyStreams)
            #expect(direction.receiver.rtp(try direction.sender.rtp(rtpPacket(1, ssrc: ssrc))) == expected)
        }
        for ssrc in UInt32(0)..<5 {
            let expected: Result<[UInt8], SRTPUnprotectFailure> =
                ssrc < 3 ? .success(rtcpPacket(ssrc: ssrc)) : .failure(.tooManyStreams)
            #expect(direction.receiver.rtcp(try direction.sender.rtcp(rtcpPacket(ssrc: ssrc))) == expected)
        }
        #expect(throws: SRTPProtectError.tooManyStreams) { try direction.sender.rtp(rtpPacket(1, ssrc: 77)) }
        #expect(direction.receiver.engine.streamCount == 6)
        #expect(direction.receiver.counters.tooManyStreams == 4)
        let known = rtpPacket(2, ssrc: 1)
        #expect(direction.receiver.rtp(try direction.sender.rtp(known)) == .success(known))
    }

    @Test("Whatever comes, nothing traps and nothing is accepted", arguments: [UInt64(31), 32])
    func mutations(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        for (profile, engine) in SRTPSenderTests.everyKind {
            let direction = try Direction(profile, .with { $0.engine = engine })
            let samples = [
                try direction.sender.rtp(rtpPacket(9, size: 40)),
                try direction.sender.rtp(hex("9f0f1238 decafbad cafebabe") + [UInt8](repeating: 0, count: 100)),
                try direction.sender.rtcp(rtcpPacket()),
            ]
            for _ in 0..<1_000 {
                var packet = samples[Int(random.next() % 3)]
                let original = packet
                for _ in 0...random.next() % 4 {
                    switch random.next() % 3 {
                    case 0 where !packet.isEmpty:
                        packet[Int(random.next() % UInt64(packet.count))] = UInt8(random.next() & 0xFF)
                    case 1: packet.removeLast(Int(random.next() % UInt64(packet.count + 1)))
                    default: packet.append(contentsOf: random.bytes(count: Int(random.next() % 20)))
                    }
                }
                guard packet != original else { continue }
                #expect(direction.receiver.rtp(packet).isFailure, "seed \(seed)")
                #expect(direction.receiver.rtcp(packet).isFailure, "seed \(seed)")
            }
            #expect(direction.receiver.engine.streamCount == 0)
        }
    }
}
