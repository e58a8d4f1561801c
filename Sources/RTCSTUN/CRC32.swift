/// The CRC-32 of ITU V.42, which FINGERPRINT is made of (RFC 8489 section 14.7).
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
        }
    }

    /// The checksum of the first `count` bytes.
    static func checksum(of bytes: RawSpan, count: Int) -> UInt32 {
        bytes.withUnsafeBytes { buffer in
            Self.table.withUnsafeBufferPointer { table in
                ~buffer.prefix(count).reduce(UInt32.max) { value, byte in
                    value >> 8 ^ table[Int((value ^ UInt32(byte)) & 0xFF)]
                }
            }
        }
    }
}
