import NIOCore
import WebRTC

/// The messages that both ends of a test can compute (PROTOCOL.md, "The pattern").
enum Pattern {
    static func message(_ kind: RTCDataChannelMessage.Kind, number: Int, size: Int) -> RTCDataChannelMessage {
        let modulus = kind == .text ? 95 : 256
        let base = kind == .text ? 32 : 0
        var bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            for index in 0..<size {
                let value = number &* 31 &+ index &* 7 &+ (index >> 8) &* 13
                buffer[index] = UInt8(truncatingIfNeeded: base + value % modulus)
            }
            count = size
        }
        if kind == .binary, size >= 4 {
            for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: number >> (24 - 8 * index)) }
        } else if kind == .text, size >= 8 {
            var rest = number
            for index in (0..<8).reversed() {
                bytes[index] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
        }
        return RTCDataChannelMessage(kind: kind, bytes: ByteBuffer(bytes: bytes))
    }
}

/// CRC-32 of IEEE 802.3, as zlib's.
struct CRC32 {
    private var state: UInt32 = .max

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }

    mutating func update(_ bytes: some Sequence<UInt8>) {
        var state = self.state
        Self.table.withUnsafeBufferPointer { table in
            for byte in bytes { state = table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] ^ state >> 8 }
        }
        self.state = state
    }

    var value: UInt32 { ~self.state }
}
