import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

/// Each packet in the bits that its text draws.
@Suite("RTCP packets on the wire")
struct RTCPVectorTests {
    private let sender = RTCPSamples.sender
    private let media = RTCPSamples.media

    @Test("a sender report with a block")
    func senderReport() throws {
        let block = RTCPReportBlock(
            ssrc: self.media,
            fractionLost: 0x40,
            cumulativeLost: -1,
            highestSequenceNumber: 0x0002_0003,
            jitter: 4,
            lastSenderReport: 5,
            delaySinceLastSenderReport: 6
        )
        let info = RTCPSenderInfo(
            ntpTime: NTPTimestamp(rawValue: 0x0102_0304_0506_0708),
            rtpTimestamp: 9,
            packetCount: 10,
            octetCount: 11
        )
        let bytes = RTCPSamples.written { $0.writeRTCPSenderReport(ssrc: self.sender, info: info, blocks: [block]) }
        let expected = Wire.bytes(
            """
            81c8000c 11111111 0102030405060708 00000009 0000000a 0000000b
            22222222 40ffffff 00020003 00000004 00000005 00000006
            """
        )
        #expect(bytes == expected)
        guard case .senderReport(let report)? = RTCPSamples.packets(bytes).first else {
            Issue.record("no sender report")
            return
        }
        #expect(report.ssrc == self.sender)
        #expect(report.info == info)
        #expect(report.reportBlocks.count == 1)
        let read = report.reportBlocks.block(at: 0, in: bytes.span.bytes)
        #expect(read == block)
        let past = report.reportBlocks.block(at: 1, in: bytes.span.bytes)
        #expect(past == nil)
    }

    @Test("an empty receiver report, a source description, a goodbye")
    func small() throws {
        let bytes = RTCPSamples.written { buffer in
            buffer.writeRTCPReceiverReport(ssrc: self.sender)
            buffer.writeRTCPSourceDescription(cname: "abc", of: [self.sender])
            buffer.writeRTCPSourceDescription(ssrc: self.media, items: [.cname: "abcd", .mid: "0"])
            buffer.writeRTCPGoodbye(sources: [self.sender, self.media], reason: "bye")
        }
        let expected = Wire.bytes(
            """
            80c90001 11111111
            81ca0003 11111111 0103616263 000000
            81ca0004 22222222 010461626364 0f0130 00 0000
            82cb0003 11111111 22222222 03627965
            """
        )
        #expect(bytes == expected)
        let packets = RTCPSamples.packets(bytes)
        #expect(packets.count == 4)
        guard case .sourceDescription(let first) = packets[1], case .sourceDescription(let second) = packets[2],
            case .goodbye(let goodbye) = packets[3]
        else {
            Issue.record("other packets: \(packets)")
            return
        }
        let texts = [
            first.first(.cname, of: self.sender, in: bytes.span.bytes),
            second.first(.cname, of: self.media, in: bytes.span.bytes),
            second.first(.mid, of: self.media, in: bytes.span.bytes),
            second.first(.mid, of: self.sender, in: bytes.span.bytes),
            goodbye.reason(in: bytes.span.bytes),
        ]
        #expect(texts == ["abc", "abcd", "0", nil, "bye"])
        #expect(goodbye.sources.count == 2)
        let hasMedia = goodbye.sources.contains(self.media, in: bytes.span.bytes)
        #expect(hasMedia)
    }

    @Test("an extended report with both blocks, and one with a block that is skipped")
    func extendedReport() throws {
        let delay = RTCPExtendedReport.ReceiverDelay(
            ssrc: self.media,
            lastReceiverReport: 3,
            delaySinceLastReceiverReport: 4
        )
        var bytes = RTCPSamples.written { buffer in
            buffer.writeRTCPExtendedReport(
                ssrc: self.sender,
                referenceTime: NTPTimestamp(rawValue: 0x0102_0304_0506_0708),
                receiverDelays: [delay]
            )
        }
        let expected = Wire.bytes(
            "80cf0008 11111111 04000002 0102030405060708 05000003 22222222 00000003 00000004"
        )
        #expect(bytes == expected)
        bytes = Wire.bytes("80cf0005 11111111 01000001 aaaaaaaa 05000000 63000000")
        guard case .extendedReport(let report)? = RTCPSamples.packets(bytes).first else {
            Issue.record("no extended report")
            return
        }
        #expect(report.referenceTime == nil)
        #expect(report.receiverDelayCount == 0)
        #expect(report.otherBlockCount == 2)
        guard case .extendedReport(let full)? = RTCPSamples.packets(expected).first else {
            Issue.record("no extended report")
            return
        }
        #expect(full.referenceTime == NTPTimestamp(rawValue: 0x0102_0304_0506_0708))
        let read = full.receiverDelay(of: self.media, in: expected.span.bytes)
        #expect(read == delay)
    }

    @Test("a NACK packs neighbours into one word")
    func nack() {
        let bytes = RTCPSamples.written {
            $0.writeRTCPGenericNACK(
                sender: self.sender,
                media: self.media,
                sequenceNumbers: [65_534, 65_535, 0, 14, 15, 15, 100]
            )
        }
        // 65,534 with 1, 2, 16 and then 17 places behind it.
        #expect(bytes == Wire.bytes("81cd0005 11111111 22222222 fffe8003 000f0000 00640000"))
        guard case .genericNACK(let nack)? = RTCPSamples.packets(bytes).first else {
            Issue.record("no NACK")
            return
        }
        var numbers: [UInt16] = []
        nack.forEachSequenceNumber(in: bytes.span.bytes) { numbers.append($0) }
        #expect(numbers == [65_534, 65_535, 0, 14, 15, 100])
        #expect(nack.media == self.media)
        let nothing = RTCPSamples.written {
            $0.writeRTCPGenericNACK(sender: self.sender, media: self.media, sequenceNumbers: [])
        }
        #expect(nothing.isEmpty)
    }

    @Test("limits of bitrate have 17 significant bits and are never more than asked")
    func maxBitrate() {
        let bytes = RTCPSamples.written {
            $0.writeRTCPMaxBitrateRequest(
                sender: self.sender,
                limits: [.init(ssrc: self.media, bitrate: 262_145, overhead: 0x1FF)]
            )
        }
        // 262,145 is 65,536 with two bits behind it, the last of them lost.
        #expect(bytes == Wire.bytes("83cd0004 11111111 00000000 22222222 0a0001ff"))
        guard case .maxBitrateRequest(let request)? = RTCPSamples.packets(bytes).first else {
            Issue.record("no TMMBR")
            return
        }
        let limit = request.limit(of: self.media, in: bytes.span.bytes)
        #expect(limit == .init(ssrc: self.media, bitrate: 262_144, overhead: 0x1FF))
    }

    @Test("PLI, FIR and REMB")
    func payloadFeedback() {
        let bytes = RTCPSamples.written { buffer in
            buffer.writeRTCPPictureLossIndication(sender: self.sender, media: self.media)
            buffer.writeRTCPFullIntraRequest(
                sender: self.sender,
                requests: [.init(ssrc: self.media, sequenceNumber: 7)]
            )
            buffer.writeRTCPReceiverEstimate(
                sender: self.sender,
                bitrate: 0x3_FFFF << 3 | 7,
                sources: [self.media, self.sender]
            )
        }
        let expected = Wire.bytes(
            """
            81ce0002 11111111 22222222
            84ce0004 11111111 00000000 22222222 07000000
            8fce0006 11111111 00000000 52454d42 020fffff 22222222 11111111
            """
        )
        #expect(bytes == expected)
        let packets = RTCPSamples.packets(bytes)
        guard packets.count == 3, case .pictureLossIndication(let loss) = packets[0],
            case .fullIntraRequest(let intra) = packets[1], case .receiverEstimate(let estimate) = packets[2]
        else {
            Issue.record("other packets: \(packets)")
            return
        }
        #expect(loss.sender == self.sender && loss.media == self.media)
        let request = intra.request(at: 0, in: bytes.span.bytes)
        #expect(request == .init(ssrc: self.media, sequenceNumber: 7))
        #expect(estimate.bitrate == 0x3_FFFF << 3)
        let second = estimate.sources.ssrc(at: 1, in: bytes.span.bytes)
        #expect(second == self.sender)
    }

    @Test("an estimate beyond what 64 bits can say is the largest number")
    func hugeEstimate() {
        let bytes = Wire.bytes("8fce0004 11111111 00000000 52454d42 00ffffff")
        guard case .receiverEstimate(let estimate)? = RTCPSamples.packets(bytes).first else {
            Issue.record("no REMB")
            return
        }
        #expect(estimate.bitrate == .max)
        #expect(ScaledBitrate.value(exponent: 63, mantissa: 1) == 1 << 63)
        #expect(ScaledBitrate.value(exponent: 63, mantissa: 0) == 0)
    }

    @Test("congestion control feedback fills odd lists up")
    func congestionFeedback() {
        let metrics: [RTCPCongestionFeedback.Metric?] = [
            .init(ecn: .ce, arrival: .before(1)), nil, .init(ecn: .ect1, arrival: .unknown),
        ]
        let bytes = RTCPSamples.written {
            $0.writeRTCPCongestionFeedback(
                sender: self.sender,
                streams: [
                    .init(ssrc: self.media, firstSequenceNumber: 65_535, metrics: metrics),
                    .init(ssrc: SSRC(3), firstSequenceNumber: 9, metrics: []),
                    .init(ssrc: SSRC(4), firstSequenceNumber: 9, metrics: [.init(arrival: .longBefore)]),
                ],
                reportTimestamp: 0xABCD_EF01
            )
        }
        let expected = Wire.bytes(
            """
            8bcd000b 11111111
            22222222 ffff0003 e0010000 bfff0000
            00000003 00090000
            00000004 00090001 9ffe0000
            abcdef01
            """
        )
        #expect(bytes == expected.withLength())
        guard case .congestionFeedback(let feedback)? = RTCPSamples.packets(bytes).first else {
            Issue.record("no feedback")
            return
        }
        #expect(feedback.reportTimestamp == 0xABCD_EF01)
        var read: [UInt16: RTCPCongestionFeedback.Metric?] = [:]
        feedback.forEachPacket(in: bytes.span.bytes) { ssrc, number, metric in
            if ssrc == self.media { read[number] = metric }
        }
        #expect(read == [65_535: metrics[0], 0: metrics[1], 1: metrics[2]])
    }
}

extension [UInt8] {
    /// The RTCP packet with the length that it has.
    fileprivate func withLength() -> [UInt8] {
        var bytes = self
        let words = self.count / 4 - 1
        bytes[2] = UInt8(words >> 8)
        bytes[3] = UInt8(words & 0xFF)
        return bytes
    }
}
