/// Reads bits of a span, the highest of each byte first. Past the end it reads zeros and remembers that it did.
struct DescriptorBitReader {
    private var offset: Int
    private let end: Int
    /// Whether more bits were asked for than there are.
    private(set) var hasFailed = false

    /// A reader of the bytes in `range`.
    init(_ range: Range<Int>) {
        self.offset = range.lowerBound * 8
        self.end = range.upperBound * 8
    }

    /// How many bits are left.
    var remaining: Int { self.end - self.offset }

    /// The next `count` bits, at most 32.
    mutating func bits(_ count: Int, in bytes: RawSpan) -> UInt32 {
        guard count <= self.remaining else {
            self.hasFailed = true
            self.offset = self.end
            return 0
        }
        var value: UInt32 = 0
        for _ in 0..<count {
            let byte: UInt8 = bytes.networkOrder(at: self.offset >> 3) ?? 0
            value = value << 1 | UInt32(byte >> UInt8(7 - self.offset & 7) & 1)
            self.offset += 1
        }
        return value
    }

    /// The next bit.
    mutating func flag(in bytes: RawSpan) -> Bool { self.bits(1, in: bytes) != 0 }

    /// A number below `limit`, in as few bits as it takes (`ns(n)` of the AV1 specification, section 4.10.7).
    mutating func nonSymmetric(_ limit: Int, in bytes: RawSpan) -> Int {
        guard limit > 1 else { return 0 }
        let width = Int.bitWidth - limit.leadingZeroBitCount
        let shorter = 1 << width - limit
        let value = Int(self.bits(width - 1, in: bytes))
        guard value >= shorter else { return value }
        return value << 1 - shorter + Int(self.bits(1, in: bytes))
    }
}

/// Writes bits into memory, the highest of each byte first. What does not fit is left out and counted.
struct DescriptorBitWriter {
    private let bytes: UnsafeMutableRawBufferPointer?
    /// How many bits were written, or would have been.
    private(set) var count = 0

    /// A writer into memory that is all zeros; `nil` only counts.
    init(_ bytes: UnsafeMutableRawBufferPointer?) { self.bytes = bytes }

    /// Writes the low `count` bits of a number.
    mutating func write(_ value: some FixedWidthInteger, bits count: Int) {
        for bit in (0..<count).reversed() {
            if let bytes = self.bytes, self.count >> 3 < bytes.count, value >> bit & 1 != 0 {
                bytes[self.count >> 3] |= 0x80 >> UInt8(self.count & 7)
            }
            self.count += 1
        }
    }

    /// Writes one bit.
    mutating func write(_ flag: Bool) { self.write(flag ? UInt8(1) : 0, bits: 1) }

    /// Writes a number below `limit`, in as few bits as it takes (`ns(n)` of the AV1 specification, section 4.10.7).
    mutating func writeNonSymmetric(_ value: Int, limit: Int) {
        guard limit > 1 else { return }
        let width = Int.bitWidth - limit.leadingZeroBitCount
        let shorter = 1 << width - limit
        if value < shorter {
            self.write(value, bits: width - 1)
        } else {
            self.write(value + shorter, bits: width)
        }
    }
}
