import NIOCore
import RTCBase

@testable import RTCRTP

/// RTCP datagrams, and what a reader finds in them.
enum RTCPSamples {
    static let sender = SSRC(0x1111_1111)
    static let media = SSRC(0x2222_2222)

    static func written(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
        var buffer = ByteBuffer()
        write(&buffer)
        return Wire.bytes(buffer)
    }

    /// All packets up to the end or the first malformed one.
    static func packets(_ bytes: [UInt8]) -> [RTCPPacketView] {
        var reader = RTCPReader()
        var packets: [RTCPPacketView] = []
        while let packet = reader.next(in: bytes.span.bytes) { packets.append(packet) }
        return packets
    }

    static func malformedCount(_ bytes: [UInt8]) -> Int {
        var reader = RTCPReader()
        while reader.next(in: bytes.span.bytes) != nil {}
        return reader.malformedCount
    }

    /// One datagram with a packet of every kind.
    static let everything = written { buffer in
        let block = RTCPReportBlock(
            ssrc: media,
            fractionLost: 3,
            cumulativeLost: -5,
            highestSequenceNumber: 0x0001_FFFF,
            jitter: 17,
            lastSenderReport: 0xAABB_CCDD,
            delaySinceLastSenderReport: 0x1234
        )
        let info = RTCPSenderInfo(
            ntpTime: NTPTimestamp(seconds: 5, fraction: 6),
            rtpTimestamp: 7,
            packetCount: 8,
            octetCount: 9
        )
        buffer.writeRTCPSenderReport(ssrc: sender, info: info, blocks: [block])
        buffer.writeRTCPReceiverReport(ssrc: sender, blocks: [block, block])
        buffer.writeRTCPSourceDescription(cname: "name", of: [sender, media])
        buffer.writeRTCPExtendedReport(
            ssrc: sender,
            referenceTime: NTPTimestamp(seconds: 1, fraction: 2),
            receiverDelays: [.init(ssrc: media, lastReceiverReport: 3, delaySinceLastReceiverReport: 4)]
        )
        buffer.writeRTCPGenericNACK(sender: sender, media: media, sequenceNumbers: [1, 2, 18, 65_535])
        buffer.writeRTCPMaxBitrateRequest(sender: sender, limits: [.init(ssrc: media, bitrate: 99_999, overhead: 40)])
        buffer.writeRTCPMaxBitrateNotification(sender: sender, limits: [])
        buffer.writeRTCPTransportFeedback(
            sender: sender,
            media: media,
            baseSequenceNumber: 65_530,
            referenceTime: -2,
            feedbackCount: 9,
            statuses: [.received(delta: 3), .notReceived, .received(delta: -1), .received(delta: 300)]
        )
        buffer.writeRTCPCongestionFeedback(
            sender: sender,
            streams: [.init(ssrc: media, firstSequenceNumber: 5, metrics: [.init(arrival: .before(7)), nil, nil])],
            reportTimestamp: 77
        )
        buffer.writeRTCPPictureLossIndication(sender: sender, media: media)
        buffer.writeRTCPFullIntraRequest(sender: sender, requests: [.init(ssrc: media, sequenceNumber: 200)])
        buffer.writeRTCPReceiverEstimate(sender: sender, bitrate: 1_000_000, sources: [media])
        buffer.writeRTCPApplicationPacket(subtype: 3, ssrc: sender, name: 0x4142_4344, data: [1, 2, 3])
        buffer.writeRTCPGoodbye(sources: [sender], reason: "done")
    }
}
