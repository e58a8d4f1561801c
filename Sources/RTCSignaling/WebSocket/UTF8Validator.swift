import NIOCore

/// Checks UTF-8 as it comes, piece by piece (RFC 3629; RFC 6455 section 8.1).
///
/// A broken sequence is found at its first wrong byte, wherever the pieces were cut.
struct UTF8Validator {
    /// Continuation bytes that the present character still needs.
    private var missing = 0
    /// What the next continuation byte may be: the first of a character has narrower bounds.
    private var range: ClosedRange<UInt8> = 0x80...0xBF

    /// Whether what came so far ends with a whole character.
    var isComplete: Bool { self.missing == 0 }

    /// Takes the next bytes.
    ///
    /// - Returns: Whether all that came so far may be the beginning of valid text.
    mutating func append(_ bytes: ByteBuffer) -> Bool {
        bytes.withUnsafeReadableBytes { self.append($0) }
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            // Most text is ASCII: eight bytes at a time as long as none has its first bit set.
            while self.missing == 0, index + 8 <= bytes.count,
                bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                index += 8
            }
            guard index < bytes.count else { break }
            let byte = bytes[index]
            index += 1
            if self.missing > 0 {
                guard self.range.contains(byte) else { return false }
                self.missing -= 1
                self.range = 0x80...0xBF
            } else if byte >= 0x80 {
                guard self.begin(byte) else { return false }
            }
        }
        return true
    }

    private mutating func begin(_ lead: UInt8) -> Bool {
        switch lead {
        case 0xC2...0xDF:
            self.missing = 1
        case 0xE0...0xEF:
            self.missing = 2
            // Neither overlong forms nor surrogates.
            if lead == 0xE0 { self.range = 0xA0...0xBF }
            if lead == 0xED { self.range = 0x80...0x9F }
        case 0xF0...0xF4:
            self.missing = 3
            // Neither overlong forms nor anything above U+10FFFF.
            if lead == 0xF0 { self.range = 0x90...0xBF }
            if lead == 0xF4 { self.range = 0x80...0x8F }
        default:
            return false
        }
        return true
    }
}
