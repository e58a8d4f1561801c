/// The byte stream format of H.264 and H.265: NAL units behind start codes `00 00 01` (Annex B of either).
public struct AnnexB: Sendable {
    private var position = 0
    private var isInUnit = false

    /// A walk that begins at the first byte.
    public init() {}

    /// The next NAL unit of `bytes`, without start code and without the zeros behind it; `nil` at the end.
    ///
    /// Bytes before the first start code are passed over, and so are empty units. Give the same bytes each time.
    public mutating func next(in bytes: UnsafeRawBufferPointer) -> Range<Int>? {
        if !self.isInUnit {
            guard let code = Self.startCode(in: bytes, from: self.position) else {
                self.position = bytes.count
                return nil
            }
            self.position = code + 3
            self.isInUnit = true
        }
        while self.position < bytes.count {
            let start = self.position
            let code = Self.startCode(in: bytes, from: start)
            var end = code ?? bytes.count
            self.position = code.map { $0 + 3 } ?? bytes.count
            // A unit ends with its stop bit, so zeros at the end belong to the stream.
            while end > start && bytes[end - 1] == 0 { end -= 1 }
            if end > start { return start..<end }
        }
        return nil
    }

    /// The next NAL unit of `bytes`, as the other form.
    public mutating func next(in bytes: RawSpan) -> Range<Int>? {
        bytes.withUnsafeBytes { self.next(in: $0) }
    }

    /// Where the first `00 00 01` at or behind `offset` begins; `nil` if there is none.
    public static func startCode(in bytes: UnsafeRawBufferPointer, from offset: Int) -> Int? {
        // Looks at every third byte only: one above 1 cannot be part of a start code that begins up to two before it.
        var index = max(0, offset) + 2
        while index < bytes.count {
            let byte = bytes[index]
            if byte > 1 {
                index += 3
            } else if byte == 1 {
                if bytes[index - 1] == 0 && bytes[index - 2] == 0 { return index - 2 }
                index += 3
            } else {
                index += 1
            }
        }
        return nil
    }
}
