import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("RTP packets rewritten in place")
struct RewritingTests {
    @Test("each field is changed and nothing else is")
    func fields() throws {
        var bytes = RTPPacketViewTests.full
        let before = try #require(RTPPacketView(bytes))
        bytes.withUnsafeMutableBytes { packet in
            RTPPacketView.setSequenceNumber(7, in: packet)
            RTPPacketView.setTimestamp(8, in: packet)
            RTPPacketView.setSSRC(SSRC(9), in: packet)
            RTPPacketView.setPayloadType(PayloadType(lowBitsOf: 10), in: packet)
        }
        var view = try #require(RTPPacketView(bytes))
        var expected = RTPHeader(
            marker: true,
            payloadType: PayloadType(lowBitsOf: 10),
            sequenceNumber: 7,
            timestamp: 8,
            ssrc: SSRC(9)
        )
        #expect(view == before.with(expected))
        bytes.withUnsafeMutableBytes { RTPPacketView.setMarker(false, in: $0) }
        expected.marker = false
        view = try #require(RTPPacketView(bytes))
        #expect(view.header == expected)
        #expect(bytes[12...] == RTPPacketViewTests.full[12...])
        bytes.withUnsafeMutableBytes { RTPPacketView.setHeader(.sample, in: $0) }
        #expect(bytes == RTPPacketViewTests.full)
    }

    @Test("too short a packet is left alone")
    func short() {
        var bytes = [UInt8](repeating: 1, count: 11)
        bytes.withUnsafeMutableBytes { packet in
            RTPPacketView.setHeader(.sample, in: packet)
            RTPPacketView.setSequenceNumber(7, in: packet)
            RTPPacketView.setTimestamp(8, in: packet)
            RTPPacketView.setSSRC(SSRC(9), in: packet)
            RTPPacketView.setPayloadType(PayloadType(lowBitsOf: 10), in: packet)
            RTPPacketView.setMarker(true, in: packet)
        }
        #expect(bytes == [UInt8](repeating: 1, count: 11))
    }

    @Test("ids of the one-byte form are exchanged, and elements without a new one become padding")
    func oneByteIDs() throws {
        var bytes = Wire.bytes("90e01234 89abcdef cafef00d bede0003 10aa 32bbccdd 21eeff 00 50 99 ff")
        let view = try #require(RTPPacketView(bytes))
        var remap = HeaderExtensionRemap()
        remap[1] = 3
        remap[3] = 1
        remap[5] = 14
        #expect(bytes.withUnsafeMutableBytes { view.rewriteExtensionIDs(in: $0, remap: remap) })
        #expect(bytes == Wire.bytes("90e01234 89abcdef cafef00d bede0003 30aa 12bbccdd 000000 00 e0 99 ff"))
        remap[3] = 15
        let before = bytes
        #expect(!bytes.withUnsafeMutableBytes { view.rewriteExtensionIDs(in: $0, remap: remap) })
        #expect(bytes == before)
    }

    @Test("ids of the two-byte form are exchanged, others become padding, a broken end stays")
    func twoByteIDs() throws {
        var bytes = Wire.bytes("90e01234 89abcdef cafef00d 10000003 0101aa 2000 3003bbccdd 0501 ff ff")
        let view = try #require(RTPPacketView(bytes))
        var remap = HeaderExtensionRemap()
        remap[1] = 200
        remap[0x20] = 2
        #expect(bytes.withUnsafeMutableBytes { view.rewriteExtensionIDs(in: $0, remap: remap) })
        #expect(bytes == Wire.bytes("90e01234 89abcdef cafef00d 10000003 c801aa 0200 0000000000 0501 ff ff"))
    }

    @Test("a table between two agreements keeps what both know")
    func remapOfMaps() {
        let source = HeaderExtensionMap([.mid: 1, .audioLevel: 2, .absoluteSendTime: 3])
        let destination = HeaderExtensionMap([.mid: 4, .absoluteSendTime: 5, .rid: 6])
        let all = HeaderExtensionRemap(from: source, to: destination)
        #expect(all[1] == 4)
        #expect(all[2] == nil)
        #expect(all[3] == 5)
        #expect(all[0] == nil)
        let some = HeaderExtensionRemap(from: source, to: destination, keeping: [.absoluteSendTime])
        #expect(some[1] == nil)
        #expect(some[3] == 5)
    }

    @Test("elements are carried into a packet that is written anew")
    func appendExtensions() throws {
        let bytes = RTPPacketViewTests.full
        let view = try #require(RTPPacketView(bytes))
        var remap = HeaderExtensionRemap()
        remap[3] = 99
        var buffer = ByteBuffer()
        buffer.writeRTPPacket(.sample, maximumSize: 100) { writer in
            writer.appendExtensions(of: view, in: bytes.span.bytes, remap: remap)
        }
        let copy = Wire.bytes(buffer)
        let copyView = try #require(RTPPacketView(copy))
        #expect(copyView.elements(in: copy) == [TestElement(id: 99, bytes: [0xBB, 0xCC])])
    }

    @Test("rewriting hostile packets never traps and keeps their borders", arguments: 0..<4)
    func mutations(seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        var remap = HeaderExtensionRemap()
        for id in UInt8(1)...14 where id % 3 != 0 { remap[id] = 15 - id }
        for _ in 0..<3_000 {
            var bytes = Wire.mutated(RTPPacketViewTests.full, using: &random)
            guard let view = RTPPacketView(bytes) else { continue }
            let count = view.elements(in: bytes).count { remap[$0.id] != nil }
            let isRewritten = bytes.withUnsafeMutableBytes { view.rewriteExtensionIDs(in: $0, remap: remap) }
            #expect(isRewritten, "seed \(seed)")
            #expect(RTPPacketView(bytes) == view, "seed \(seed)")
            #expect(view.elements(in: bytes).count == count, "seed \(seed)")
        }
    }
}
