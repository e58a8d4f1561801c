extension RawSpan {
    /// The unsigned integer in network order at `offset`; `nil` past the end.
    package func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int,
        as type: Integer.Type = Integer.self
    ) -> Integer? {
        guard offset >= 0, offset <= self.byteCount - MemoryLayout<Integer>.size else { return nil }
        return Integer(bigEndian: self.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The bytes as text; bytes that are not UTF-8 become replacement characters.
    package func text(in range: Range<Int>) -> String {
        guard range.lowerBound >= 0, range.upperBound <= self.byteCount else { return "" }
        return self.withUnsafeBytes { String(decoding: $0[range], as: UTF8.self) }
    }
}
