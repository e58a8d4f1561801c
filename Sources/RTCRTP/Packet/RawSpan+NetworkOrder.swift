extension RawSpan {
    /// The unsigned integer in network order at `offset`; `nil` past the end.
    func networkOrder<Integer: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int,
        as type: Integer.Type = Integer.self
    ) -> Integer? {
        guard offset >= 0, offset <= self.byteCount - MemoryLayout<Integer>.size else { return nil }
        return Integer(bigEndian: self.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The 24 bits in network order at `offset`; `nil` past the end.
    func networkOrder24(at offset: Int) -> UInt32? {
        guard let high: UInt16 = self.networkOrder(at: offset), let low: UInt8 = self.networkOrder(at: offset + 2)
        else { return nil }
        return UInt32(high) << 8 | UInt32(low)
    }

    /// The part of `range` that lies in the span.
    func clamped(_ range: Range<Int>) -> Range<Int> {
        let upper = Swift.min(Swift.max(range.upperBound, 0), self.byteCount)
        return Swift.min(Swift.max(range.lowerBound, 0), upper)..<upper
    }

    /// The bytes as text if they are ASCII and visible, which all names in RTP are; `nil` otherwise.
    func token(maximumLength: Int = 255) -> String? {
        guard self.byteCount > 0, self.byteCount <= maximumLength else { return nil }
        return self.withUnsafeBytes { bytes in
            bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? String(decoding: bytes, as: UTF8.self) : nil
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Writes an integer in network order; the caller has made sure that it fits.
    func setNetworkOrder<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer, at offset: Int) {
        self.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Integer.self)
    }

    /// Writes the low 24 bits in network order; the caller has made sure that they fit.
    func setNetworkOrder24(_ value: UInt32, at offset: Int) {
        self.setNetworkOrder(UInt16(truncatingIfNeeded: value >> 8), at: offset)
        self.setNetworkOrder(UInt8(truncatingIfNeeded: value), at: offset + 2)
    }
}
