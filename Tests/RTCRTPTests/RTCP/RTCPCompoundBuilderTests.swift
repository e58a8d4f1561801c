import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("RTCP datagrams built")
struct RTCPCompoundBuilderTests {
    private let sender = RTCPSamples.sender
    private let info = RTCPSenderInfo(
        ntpTime: NTPTimestamp(rawValue: 1),
        rtpTimestamp: 2,
        packetCount: 3,
        octetCount: 4
    )

    private func kinds(_ builder: RTCPCompoundBuilder) -> [Substring] {
        guard let buffer = builder.finish() else { return [] }
        return RTCPSamples.packets(Wire.bytes(buffer)).map { String(describing: $0).prefix { $0 != "(" } }
    }

    private func blocks(_ count: Int) -> [RTCPReportBlock] {
        (0..<count).map {
            RTCPReportBlock(
                ssrc: SSRC(UInt32($0)),
                fractionLost: 0,
                cumulativeLost: 0,
                highestSequenceNumber: 0,
                jitter: 0
            )
        }
    }

    @Test("feedback alone gets a report and a name before it")
    func lead() {
        var builder = RTCPCompoundBuilder(sender: self.sender, cname: "me")
        #expect(builder.isEmpty)
        #expect(builder.finish() == nil)
        #expect(builder.append { $0.writeRTCPPictureLossIndication(sender: self.sender, media: SSRC(1)) } == true)
        #expect(builder.append { $0.writeRTCPPictureLossIndication(sender: self.sender, media: SSRC(2)) } == true)
        #expect(
            self.kinds(builder)
                == ["receiverReport", "sourceDescription", "pictureLossIndication", "pictureLossIndication"]
        )
    }

    @Test("of reduced size it has only what was appended")
    func reducedSize() {
        var builder = RTCPCompoundBuilder(sender: self.sender, cname: "me", isReducedSize: true)
        #expect(builder.append { $0.writeRTCPPictureLossIndication(sender: self.sender, media: SSRC(1)) } == true)
        #expect(self.kinds(builder) == ["pictureLossIndication"])
    }

    @Test("each SSRC that reports has its name, and more than 31 blocks take another report")
    func reports() {
        var builder = RTCPCompoundBuilder(sender: self.sender, cname: "me", maximumSize: 5000)
        #expect(builder.appendSenderReport(info: self.info, blocks: self.blocks(70)) == true)
        #expect(builder.appendReceiverReport(blocks: self.blocks(1)) == true)
        #expect(builder.appendSenderReport(ssrc: SSRC(9), info: self.info) == true)
        #expect(
            self.kinds(builder) == [
                "senderReport", "receiverReport", "receiverReport", "sourceDescription", "receiverReport",
                "senderReport", "sourceDescription",
            ]
        )
    }

    @Test("what does not fit is left out whole, and what fits still does afterwards")
    func limit() {
        var builder = RTCPCompoundBuilder(sender: self.sender, cname: "me", maximumSize: 40)
        #expect(builder.appendReceiverReport(blocks: self.blocks(2)) == false)
        #expect(builder.isEmpty)
        #expect(
            builder.append { $0.writeRTCPApplicationPacket(subtype: 0, ssrc: SSRC(1), name: 0, data: [1, 2, 3, 4, 5]) }
                == false
        )
        #expect(builder.append { $0.writeRTCPPictureLossIndication(sender: self.sender, media: SSRC(1)) } == true)
        #expect(builder.size == 8 + 16 + 12)
        #expect(builder.append { $0.writeRTCPPictureLossIndication(sender: self.sender, media: SSRC(2)) } == false)
        #expect(self.kinds(builder) == ["receiverReport", "sourceDescription", "pictureLossIndication"])
    }

    @Test("a packet longer than its length can say is not written")
    func tooLong() {
        var buffer = ByteBuffer(bytes: [1])
        let data = [UInt8](repeating: 0, count: 262_144)
        buffer.writeRTCPApplicationPacket(subtype: 0, ssrc: SSRC(1), name: 0, data: data)
        #expect(buffer.readableBytes == 1)
        buffer.writeRTCPApplicationPacket(subtype: 0, ssrc: SSRC(1), name: 0, data: data.dropLast(12))
        #expect(buffer.readableBytes == 1 + 262_144)
    }
}
