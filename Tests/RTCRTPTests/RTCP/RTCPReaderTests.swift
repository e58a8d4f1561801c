import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("RTCP datagrams")
struct RTCPReaderTests {
    @Test("a datagram with a packet of every kind is read to its end, in order")
    func everything() {
        let packets = RTCPSamples.packets(RTCPSamples.everything)
        let kinds = packets.map { String(describing: $0).prefix { $0 != "(" } }
        #expect(
            kinds == [
                "senderReport", "receiverReport", "sourceDescription", "extendedReport", "genericNACK",
                "maxBitrateRequest", "maxBitrateNotification", "transportFeedback", "congestionFeedback",
                "pictureLossIndication", "fullIntraRequest", "receiverEstimate", "application", "goodbye",
            ]
        )
        #expect(RTCPSamples.malformedCount(RTCPSamples.everything) == 0)
    }

    @Test("what is not known is given out raw")
    func unknown() {
        // SLI, a packet type of 210, and application layer feedback that is no REMB.
        let bytes = Wire.bytes(
            "82ce0003 11111111 22222222 00000000 85d20001 aabbccdd 8fce0003 11111111 22222222 41424344"
        )
        var reader = RTCPReader()
        var ranges: [Range<Int>] = []
        while case .unknown(let packet)? = reader.next(in: bytes.span.bytes) { ranges.append(packet.bodyRange) }
        #expect(ranges == [4..<16, 20..<24, 28..<40])
        #expect(reader.unknownCount == 3)
        #expect(reader.malformedCount == 0)
    }

    @Test(
        "a malformed packet ends the reading, and what was before it stands",
        arguments: [
            ("another version", "40c90001 11111111"),
            ("a header cut short", "80c900"),
            ("a length beyond the end", "80c90002 11111111"),
            ("padding of no bytes", "a0c90002 11111111 00000000"),
            ("padding longer than the packet", "a0c90001 00000005"),
            ("padding without a body", "a0c90000"),
            ("a receiver report without SSRC", "80c90000"),
            ("blocks that are missing", "81c90001 11111111"),
            ("a sender report cut short", "80c80005 11111111 01020304 05060708 00000009 0000000a"),
            ("a chunk that is missing", "82ca0002 11111111 00000000"),
            ("an item beyond the end", "81ca0002 11111111 01056162"),
            ("a chunk without end", "81ca0002 11111111 01026162"),
            ("a goodbye without its sources", "82cb0001 11111111"),
            ("a reason beyond the end", "81cb0002 11111111 05616263"),
            ("an application packet without a name", "80cc0001 11111111"),
            ("an extended report's block beyond the end", "80cf0002 11111111 04000002"),
            ("a reference time of one word", "80cf0003 11111111 04000001 00000000"),
            ("a delay of two words", "80cf0004 11111111 05000002 00000000 00000000"),
            ("a NACK without numbers", "81cd0002 11111111 22222222"),
            ("feedback without sources", "81ce0001 11111111"),
            ("a FIR without requests", "84ce0002 11111111 00000000"),
            ("a FIR of half a request", "84ce0003 11111111 00000000 22222222"),
            ("a TMMBR of half a limit", "83cd0003 11111111 00000000 22222222"),
            ("a REMB without its sources", "8fce0005 11111111 00000000 52454d42 02000001 22222222"),
            ("a REMB without its number", "8fce0003 11111111 00000000 52454d42"),
            ("RFC 8888 feedback without a time", "8bcd0001 11111111"),
            ("RFC 8888 feedback with a list beyond the end", "8bcd0004 11111111 22222222 00010003 80008000"),
        ]
    )
    func malformed(name: String, hex: String) {
        let good = Wire.bytes("81ce0002 11111111 22222222")
        let bad = Wire.bytes(hex)
        // A wrong length may cover the good packet behind it.
        if !["a length beyond the end", "a header cut short"].contains(name) {
            #expect(RTCPSamples.packets(good + bad + good).count == 1, "\(name)")
        }
        #expect(RTCPSamples.packets(good + bad).count == 1, "\(name)")
        #expect(RTCPSamples.malformedCount(good + bad) == 1, "\(name)")
    }

    @Test("nothing is nothing, not malformed")
    func empty() {
        #expect(RTCPSamples.packets([]).isEmpty)
        #expect(RTCPSamples.malformedCount([]) == 0)
    }

    @Test("hostile datagrams never trap", arguments: 0..<10)
    func mutations(seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        for _ in 0..<2_000 {
            let bytes = Wire.mutated(RTCPSamples.everything, using: &random)
            let other = Array(bytes.prefix(11))
            var reader = RTCPReader()
            while let packet = reader.next(in: bytes.span.bytes) {
                Self.touch(packet, bytes)
                // Reading from another datagram is wrong, not deadly.
                Self.touch(packet, other)
            }
            #expect(reader.malformedCount <= 1, "seed \(seed)")
        }
    }

    /// Reads all that a packet has to say.
    static func touch(_ packet: RTCPPacketView, _ bytes: [UInt8]) {
        let span = bytes.span.bytes
        switch packet {
        case .senderReport(let report): report.reportBlocks.forEach(in: span) { _ in }
        case .receiverReport(let report): report.reportBlocks.forEach(in: span) { _ in }
        case .sourceDescription(let description):
            description.forEachItem(in: span) { _ in true }
            _ = description.first(.cname, of: RTCPSamples.sender, in: span)
        case .goodbye(let goodbye):
            goodbye.sources.forEach(in: span) { _ in }
            _ = goodbye.reason(in: span)
        case .extendedReport(let report): _ = report.receiverDelay(of: RTCPSamples.media, in: span)
        case .genericNACK(let nack): nack.forEachSequenceNumber(in: span) { _ in }
        case .maxBitrateRequest(let limits), .maxBitrateNotification(let limits):
            _ = limits.limit(of: RTCPSamples.media, in: span)
        case .transportFeedback(let feedback): feedback.forEachPacket(in: span) { _ in }
        case .congestionFeedback(let feedback): feedback.forEachPacket(in: span) { _, _, _ in }
        case .fullIntraRequest(let request): request.forEach(in: span) { _ in }
        case .receiverEstimate(let estimate): estimate.sources.forEach(in: span) { _ in }
        case .application, .pictureLossIndication, .unknown: break
        }
    }
}
