import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("Retransmissions")
struct RTXPacketTests {
    @Test("a packet is wrapped with its number before its payload and without its padding")
    func wrap() throws {
        let original = RTPPacketViewTests.full
        let view = try #require(RTPPacketView(original))
        var wrapped = [UInt8](repeating: 0xEE, count: original.count)
        let size = wrapped.withUnsafeMutableBytes {
            RTXPacket.wrap(
                original.span.bytes,
                view,
                payloadType: PayloadType(lowBitsOf: 97),
                ssrc: SSRC(5),
                sequenceNumber: 6,
                into: $0
            )
        }
        let expected = Wire.bytes(
            """
            92e10006 89abcdef 00000005 00000001 00000002
            bede0002 10aa00 31bbcc 0000
            1234 0102030405
            """
        )
        #expect(size == expected.count)
        #expect(Array(wrapped.prefix(expected.count)) == expected)
        #expect(wrapped.last == 0xEE)
    }

    @Test("a retransmission is turned back into its original")
    func unwrap() throws {
        var packet = Wire.bytes(
            """
            92e10006 89abcdef 00000005 00000001 00000002
            bede0002 10aa00 31bbcc 0000
            1234 0102030405
            """
        )
        let view = try #require(RTPPacketView(packet))
        let start = packet.withUnsafeMutableBytes {
            RTXPacket.unwrap($0, view, payloadType: PayloadType(lowBitsOf: 96), ssrc: SSRC(0xCAFE_F00D))
        }
        var expected = Array(RTPPacketViewTests.full.dropLast(3))
        expected[0] &= ~0x20
        #expect(start == 2)
        #expect(Array(packet.dropFirst(2)) == expected)
    }

    @Test("what does not fit is not wrapped, and mere padding repeats nothing")
    func refusals() throws {
        let original = RTPPacketViewTests.full
        let view = try #require(RTPPacketView(original))
        var small = [UInt8](repeating: 0, count: view.payloadRange.upperBound + 1)
        let size = small.withUnsafeMutableBytes {
            RTXPacket.wrap(
                original.span.bytes,
                view,
                payloadType: PayloadType(lowBitsOf: 97),
                ssrc: SSRC(5),
                sequenceNumber: 6,
                into: $0
            )
        }
        #expect(size == nil)
        for hex in ["a0601234 89abcdef cafef00d 00000004", "80601234 89abcdef cafef00d 01"] {
            var packet = Wire.bytes(hex)
            let before = packet
            let view = try #require(RTPPacketView(packet))
            let start = packet.withUnsafeMutableBytes {
                RTXPacket.unwrap($0, view, payloadType: PayloadType(lowBitsOf: 96), ssrc: SSRC(1))
            }
            #expect(start == nil)
            #expect(packet == before)
        }
    }

    @Test("wrapping and unwrapping gives the packet back", arguments: 0..<10)
    func roundTrip(seed: Int) throws {
        var random = RandomSource.seeded(UInt64(seed))
        for _ in 0..<100 {
            let header = RTPHeader.random(using: &random)
            let payload = random.bytes(count: Int(random.next() % 40))
            var buffer = ByteBuffer()
            buffer.writeRTPPacket(header, contributingSources: [SSRC(4)], maximumSize: 200) { writer in
                writer.appendExtension(MIDExtension("v"), id: 2)
                writer.appendPayload(payload.span.bytes)
            }
            let original = Wire.bytes(buffer)
            let view = try #require(RTPPacketView(original))
            var wrapped = [UInt8](repeating: 0, count: original.count + RTXPacket.overhead)
            let size = wrapped.withUnsafeMutableBytes {
                RTXPacket.wrap(
                    original.span.bytes,
                    view,
                    payloadType: PayloadType(lowBitsOf: 97),
                    ssrc: SSRC(1),
                    sequenceNumber: 0,
                    into: $0
                )
            }
            #expect(size == wrapped.count)
            let wrappedView = try #require(RTPPacketView(wrapped))
            #expect(wrappedView.header.timestamp == header.timestamp)
            let start = wrapped.withUnsafeMutableBytes {
                RTXPacket.unwrap($0, wrappedView, payloadType: header.payloadType, ssrc: header.ssrc)
            }
            #expect(start == 2)
            #expect(Array(wrapped.dropFirst(2)) == original, "seed \(seed)")
        }
    }
}
