/// Reads bit by bit, most significant first. Past the end everything is zero, and ``isExhausted`` says so.
struct BitstreamReader {
    private let bytes: UnsafeRawBufferPointer
    private let skipsEmulationPrevention: Bool
    private var offset: Int
    private var bit: UInt8 = 0x80
    private var zeros = 0
    private(set) var isExhausted = false

    /// - Parameters:
    ///   - bytes: What to read; it must outlive the reader.
    ///   - offset: The byte to begin with.
    ///   - skipsEmulationPrevention: Whether the 3 in `00 00 03` is no data (H.264 section 7.4.1, H.265 section 7.4.2).
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0, skipsEmulationPrevention: Bool = false) {
        self.bytes = bytes
        self.offset = offset
        self.skipsEmulationPrevention = skipsEmulationPrevention
    }

    mutating func flag() -> Bool {
        guard self.offset < self.bytes.count else {
            self.isExhausted = true
            return false
        }
        let byte = self.bytes[self.offset]
        let isSet = byte & self.bit != 0
        self.bit >>= 1
        if self.bit == 0 { self.advance(past: byte) }
        return isSet
    }

    private mutating func advance(past byte: UInt8) {
        self.bit = 0x80
        self.offset += 1
        guard self.skipsEmulationPrevention else { return }
        self.zeros = byte == 0 ? self.zeros + 1 : 0
        if self.zeros >= 2 && self.offset < self.bytes.count && self.bytes[self.offset] == 3 {
            self.offset += 1
            self.zeros = 0
        }
    }

    /// The next `count` bits, 0 to 32.
    mutating func bits(_ count: Int) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count { value = value << 1 | (self.flag() ? 1 : 0) }
        return value
    }

    mutating func skip(_ count: Int) {
        for _ in 0..<count where !self.isExhausted { _ = self.flag() }
    }

    /// Exp-Golomb `ue(v)` (H.264 section 9.1). Numbers of more than 32 bits count as past the end.
    mutating func unsigned() -> UInt32 {
        var zeros = 0
        while !self.flag() {
            zeros += 1
            if self.isExhausted || zeros > 31 {
                self.isExhausted = true
                return 0
            }
        }
        return (1 << UInt32(zeros)) - 1 + self.bits(zeros)
    }

    /// Exp-Golomb `se(v)` (H.264 section 9.1.1).
    mutating func signed() -> Int32 {
        let code = self.unsigned()
        let magnitude = Int32(truncatingIfNeeded: (UInt64(code) + 1) / 2)
        return code & 1 == 1 ? magnitude : -magnitude
    }
}
