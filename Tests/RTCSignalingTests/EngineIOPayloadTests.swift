import NIOCore
import RTCBase
import RTCSignaling
import Testing

@Suite struct EngineIOPayloadTests {
    @Test(
        "Malformed payloads of bytes are none",
        arguments: [
            [0], [2, 1, 255, 0x34], [0, 255], [0, 1, 255], [0, 2, 255, 0x34], [1, 1, 255, 7], [0, 2, 255, 0x34, 0xFF],
        ] as [[UInt8]]
    )
    func malformedBytes(bytes: [UInt8]) {
        #expect(EngineIOPayload.decode(binary: ByteBuffer(bytes: bytes)) == nil)
    }

    @Test("Any packets survive both forms of payloads", arguments: [UInt64.random(in: 0...UInt64.max)])
    func roundTrip(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        let characters = Array("a0:b\n\"\\é€😀\u{0}\u{2028}")
        for _ in 0..<500 {
            let packets = (0..<Int.random(in: 0..<5, using: &random)).map { _ -> EngineIOPacket in
                let count = Int.random(in: 0..<40, using: &random)
                let kind = EngineIOPacket.Kind.allCases.randomElement(using: &random) ?? .message
                guard Bool.random(using: &random) else {
                    return EngineIOPacket(kind, .binary(ByteBuffer(bytes: random.bytes(count: count))))
                }
                let text = String((0..<count).compactMap { _ in characters.randomElement(using: &random) })
                return EngineIOPacket(kind, .text(text))
            }
            for supportsBinary in [true, false] {
                switch EngineIOPayload.encode(packets, supportsBinary: supportsBinary) {
                case .text(let text):
                    #expect(EngineIOPayload.decode(text: ByteBuffer(string: text)) == packets, "seed \(seed)")
                case .binary(let bytes):
                    #expect(supportsBinary && EngineIOPayload.decode(binary: bytes) == packets, "seed \(seed)")
                }
            }
            for packet in packets {
                for supportsBinary in [true, false] {
                    #expect(EngineIOPacket(frame: packet.frame(supportsBinary: supportsBinary)) == packet)
                }
            }
        }
    }
}
