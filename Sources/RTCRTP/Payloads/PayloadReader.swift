/// Reads numbers in network order. Past the end everything is zero, and ``isExhausted`` says so.
struct PayloadReader {
    let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int
    private(set) var isExhausted = false

    /// Reads `bytes`, which must outlive the reader.
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var remaining: Int { max(0, self.bytes.count - self.offset) }

    mutating func byte() -> UInt8 {
        guard self.offset < self.bytes.count else {
            self.isExhausted = true
            return 0
        }
        defer { self.offset += 1 }
        return self.bytes[self.offset]
    }

    mutating func uint16() -> UInt16 { UInt16(self.byte()) << 8 | UInt16(self.byte()) }

    mutating func skip(_ count: Int) {
        if count > self.remaining { self.isExhausted = true }
        self.offset += min(count, self.remaining)
    }

    /// AV1's variable-length number; `nil` if it is cut short or larger than 32 bits (AV1 section 4.10.5).
    mutating func leb128() -> Int? {
        var value: UInt64 = 0
        for index in 0..<8 {
            let byte = self.byte()
            value |= UInt64(byte & 0x7F) << UInt64(index * 7)
            if byte & 0x80 == 0 { return self.isExhausted || value > UInt64(UInt32.max) ? nil : Int(value) }
        }
        return nil
    }

    /// The next `count` bytes; `nil` if there are fewer.
    mutating func run(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= self.remaining else { return nil }
        defer { self.offset += count }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.offset..<self.offset + count])
    }

    /// All that is left.
    mutating func rest() -> UnsafeRawBufferPointer {
        defer { self.offset = self.bytes.count }
        return UnsafeRawBufferPointer(rebasing: self.bytes[min(self.offset, self.bytes.count)...])
    }
}
