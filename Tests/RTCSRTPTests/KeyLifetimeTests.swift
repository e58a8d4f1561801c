import Testing

@testable import RTCSRTP

@Suite("Key lifetime")
struct KeyLifetimeTests {
    @Test("A stream sends its last number and no further", arguments: SRTPProfile.allCases)
    func lastIndex(profile: SRTPProfile) throws {
        let direction = try Direction(profile)
        try direction.begin(newest: 0xFFFF_FFFF_FFFD)
        let last = rtpPacket(0xFFFF)
        let protected = try direction.sender.rtp(last)
        #expect(direction.receiver.rtp(protected) == .success(last))
        #expect(throws: SRTPProtectError.keyExpired) { try direction.sender.rtp(rtpPacket(0)) }
        // What was sent may be sent again.
        #expect(try direction.sender.rtp(last) == protected)
        var forged = protected
        (forged[2], forged[3]) = (0, 0)
        #expect(direction.receiver.rtp(forged) == .failure(.keyExpired))
        #expect(direction.receiver.counters.keyExpired == 1)
        // Other streams go on.
        #expect(throws: Never.self) { try direction.sender.rtp(rtpPacket(0, ssrc: 1)) }
    }

    @Test("A stream sends the last index of SRTCP and no further", arguments: SRTPProfile.allCases)
    func lastRTCPIndex(profile: SRTPProfile) throws {
        let direction = try Direction(profile)
        try direction.begin(nextRTCP: 0x7FFF_FFFF)
        let protected = try direction.sender.rtcp(rtcpPacket())
        let offset = profile.isAEAD ? protected.count - 4 : protected.count - 14
        #expect(Array(protected[offset..<offset + 4]) == [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(direction.receiver.rtcp(protected) == .success(rtcpPacket()))
        #expect(throws: SRTPProtectError.keyExpired) { try direction.sender.rtcp(rtcpPacket()) }
    }

    @Test("A key protects no more packets than it may, over all streams")
    func totals() throws {
        let sender = try Direction(.aeadAES128GCM).sender
        sender.rtpLifetime = 3
        sender.rtcpLifetime = 2
        for ssrc in UInt32(0)..<3 { #expect(throws: Never.self) { try sender.rtp(rtpPacket(1, ssrc: ssrc)) } }
        #expect(throws: SRTPProtectError.keyExpired) { try sender.rtp(rtpPacket(1, ssrc: 9)) }
        for ssrc in UInt32(0)..<2 { #expect(throws: Never.self) { try sender.rtcp(rtcpPacket(ssrc: ssrc)) } }
        #expect(throws: SRTPProtectError.keyExpired) { try sender.rtcp(rtcpPacket(ssrc: 9)) }
    }

    @Test("SRTCP begins with index 0 and counts up, for each stream by itself", arguments: SRTPProfile.allCases)
    func rtcpIndices(profile: SRTPProfile) throws {
        let direction = try Direction(profile)
        for index in UInt8(0)..<3 {
            for ssrc in [UInt32(1), 2] {
                let protected = try direction.sender.rtcp(rtcpPacket(ssrc: ssrc))
                let offset = profile.isAEAD ? protected.count - 4 : protected.count - 14
                #expect(Array(protected[offset..<offset + 4]) == [0x80, 0, 0, index])
            }
        }
    }
}

extension Direction {
    /// Continues the usual stream at both ends as if packets had passed.
    func begin(newest: UInt64? = nil, nextRTCP: UInt32 = 0) throws {
        let ssrc: UInt32 = 0xCAFE_BABE
        switch (self.sender.engine, self.receiver.engine) {
        case (
            let sender as TransformSendingEngine<GCMTransform>, let receiver as TransformReceivingEngine<GCMTransform>
        ):
            sender.streams.begin(ssrc, newest: newest, nextRTCP: nextRTCP)
            if let newest { receiver.rtpWindows.begin(ssrc, at: newest) }
        case (
            let sender as TransformSendingEngine<CounterModeTransform>,
            let receiver as TransformReceivingEngine<CounterModeTransform>
        ):
            sender.streams.begin(ssrc, newest: newest, nextRTCP: nextRTCP)
            if let newest { receiver.rtpWindows.begin(ssrc, at: newest) }
        default:
            Issue.record("the engine has no such state")
        }
    }
}
