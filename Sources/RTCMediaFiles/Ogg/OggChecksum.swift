internal import NIOCore

/// The checksum of Ogg pages (RFC 3533 section 6): CRC-32 with the polynomial 04C11DB7, most significant bit first, from 0.
enum OggChecksum {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index) << 24) { value, _ in value & 1 << 31 != 0 ? value << 1 ^ 0x04C1_1DB7 : value << 1 }
    }

    /// The checksum of a whole page, whose own field of it must be 0.
    static func of(_ page: ByteBuffer) -> UInt32 {
        page.withUnsafeReadableBytes { bytes in
            self.table.withUnsafeBufferPointer { table in
                bytes.reduce(UInt32(0)) { $0 << 8 ^ table[Int(($0 >> 24) ^ UInt32($1))] }
            }
        }
    }
}
