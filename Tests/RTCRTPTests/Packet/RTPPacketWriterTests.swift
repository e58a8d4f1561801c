import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("RTP packets written")
struct RTPPacketWriterTests {
    @Test("header, extension, payload and padding come out as they are on the wire")
    func full() {
        var buffer = ByteBuffer()
        let size = buffer.writeRTPPacket(
            .sample,
            contributingSources: [SSRC(1), SSRC(2)],
            maximumSize: 100,
            paddingSize: 3
        ) { writer in
            writer.appendExtension(id: 1, bytes: [UInt8](Wire.bytes("aa")).span.bytes)
            writer.appendExtension(id: 3, bytes: [UInt8](Wire.bytes("bbcc")).span.bytes)
            writer.appendPayload([UInt8](Wire.bytes("0102")).span.bytes)
            writer.appendPayload([UInt8](Wire.bytes("030405")).span.bytes)
        }
        #expect(size == buffer.readableBytes)
        let expected = Wire.bytes(
            """
            b2e01234 89abcdef cafef00d 00000001 00000002
            bede0002 10aa 31bbcc 000000
            0102030405 000003
            """
        )
        #expect(Wire.bytes(buffer) == expected)
    }

    @Test("an element that needs it turns those before it into the two-byte form")
    func turnsIntoTwoByteForm() throws {
        let long = [UInt8](repeating: 7, count: 17)
        for (id, value) in [(UInt8(15), [UInt8(9)]), (2, []), (2, long), (255, long)] {
            var buffer = ByteBuffer()
            buffer.writeRTPPacket(.sample, maximumSize: 200) { writer in
                writer.appendExtension(id: 1, bytes: Wire.bytes("aa").span.bytes)
                writer.appendExtension(id: 14, bytes: Wire.bytes("000102030405060708090a0b0c0d0e0f").span.bytes)
                writer.appendExtension(id: id, bytes: value.span.bytes)
                writer.appendExtension(id: 3, bytes: Wire.bytes("bbcc").span.bytes)
                writer.appendPayload(Wire.bytes("ff").span.bytes)
            }
            let bytes = Wire.bytes(buffer)
            let view = try #require(RTPPacketView(bytes))
            #expect(view.extensionForm == .twoByte)
            #expect(
                view.elements(in: bytes)
                    == [
                        TestElement(id: 1, bytes: [0xAA]), TestElement(id: 14, bytes: Array(0...15)),
                        TestElement(id: id, bytes: value), TestElement(id: 3, bytes: [0xBB, 0xCC]),
                    ]
            )
            #expect(view.payload(in: bytes) == [0xFF])
        }
    }

    @Test("what does not fit, or comes out of turn, makes no packet and leaves the buffer alone")
    func failures() {
        func write(_ size: Int, _ padding: Int = 0, _ body: (inout RTPPacketWriter) -> Void) -> Int? {
            var buffer = ByteBuffer(bytes: [1, 2, 3])
            let written = buffer.writeRTPPacket(.sample, maximumSize: size, paddingSize: padding, body)
            if written == nil { #expect(Wire.bytes(buffer) == [1, 2, 3]) }
            return written
        }
        let payload = [UInt8](repeating: 1, count: 4)
        #expect(write(11) { _ in } == nil)
        #expect(write(12) { _ in } == 12)
        #expect(write(-1) { _ in } == nil)
        #expect(write(15) { $0.appendPayload(payload.span.bytes) } == nil)
        #expect(write(16) { $0.appendPayload(payload.span.bytes) } == 16)
        #expect(write(16, 1) { $0.appendPayload(payload.span.bytes) } == nil)
        #expect(write(400, 256) { _ in } == nil)
        #expect(write(400, -1) { _ in } == nil)
        #expect(write(18) { $0.appendExtension(MIDExtension("0"), id: 1) } == nil)
        #expect(write(20) { $0.appendExtension(MIDExtension("0"), id: 1) } == 20)
        #expect(write(400) { $0.appendExtension(MIDExtension("0"), id: 0) } == nil)
        let tooLong = [UInt8](repeating: 1, count: 256)
        #expect(write(400) { $0.appendExtension(id: 1, bytes: tooLong.span.bytes) } == nil)
        let outOfTurn = write(400) {
            $0.appendPayload(payload.span.bytes)
            $0.appendExtension(MIDExtension("0"), id: 1)
        }
        #expect(outOfTurn == nil)
        // Turning into the two-byte form takes room too.
        let turned = write(24) {
            $0.appendExtension(id: 1, bytes: payload.span.bytes)
            $0.appendExtension(id: 15, bytes: payload.span.bytes)
        }
        #expect(turned == nil)
        var buffer = ByteBuffer()
        let sources = [SSRC](repeating: SSRC(1), count: 16)
        #expect(buffer.writeRTPPacket(.sample, contributingSources: sources, maximumSize: 400) { _ in } == nil)
    }

    @Test("the room that a writer says is left is the room there is")
    func remaining() {
        var buffer = ByteBuffer()
        var remaining = 0
        buffer.writeRTPPacket(.sample, maximumSize: 100) { writer in
            writer.appendExtension(MIDExtension("ab"), id: 1)
            remaining = writer.remaining
            writer.appendPayload([UInt8](repeating: 1, count: remaining).span.bytes)
        }
        #expect(remaining == 80)
        #expect(buffer.readableBytes == 100)
    }

    @Test("what is written is read back", arguments: 0..<20)
    func roundTrip(seed: Int) throws {
        var random = RandomSource.seeded(UInt64(seed))
        for _ in 0..<100 {
            let header = RTPHeader.random(using: &random)
            let sources = (0..<random.next() % 16).map { _ in SSRC(UInt32(truncatingIfNeeded: random.next())) }
            let isSmall = random.next() % 2 == 0
            let elements = (0..<random.next() % 8).map { _ in
                let size = isSmall ? 1 + random.next() % 16 : random.next() % 30
                let id = isSmall ? 1 + random.next() % 14 : 1 + random.next() % 255
                return TestElement(id: UInt8(id), bytes: random.bytes(count: Int(size)))
            }
            let payload = random.bytes(count: Int(random.next() % 50))
            let padding = Int(random.next() % 3 == 0 ? random.next() % 256 : 0)
            var buffer = ByteBuffer()
            let size = buffer.writeRTPPacket(
                header,
                contributingSources: sources,
                maximumSize: 1200,
                paddingSize: padding
            ) { writer in
                for element in elements { writer.appendExtension(id: element.id, bytes: element.bytes.span.bytes) }
                writer.appendPayload(payload.span.bytes)
            }
            let bytes = Wire.bytes(buffer)
            let view = try #require(RTPPacketView(bytes), "seed \(seed)")
            #expect(size == bytes.count)
            #expect(view.header == header)
            #expect(view.contributingSources(in: bytes) == sources.map(\.rawValue))
            #expect(view.elements(in: bytes) == elements, "seed \(seed)")
            #expect(view.payload(in: bytes) == payload)
            #expect(view.paddingSize == padding)
            if isSmall, !elements.isEmpty { #expect(view.extensionForm == .oneByte) }
        }
    }
}
