/// What a sequence header of AV1 says that is of use outside a decoder (AV1 bitstream specification section 5.5).
public struct AV1SequenceHeader: Sendable, Hashable {
    /// The profile: 0 main, 1 high, 2 professional.
    public let profile: UInt8
    /// `seq_level_idx` of the first operating point.
    public let level: UInt8
    /// `seq_tier` of the first operating point.
    public let isHighTier: Bool
    /// Whether frame headers are those of a single still picture.
    public let isReducedStillPicture: Bool
    /// The largest size of a frame.
    public let maximumSize: PictureSize

    /// Reads what is behind the header and size field of a sequence header OBU; `nil` if it is cut short.
    public init?(_ payload: RawSpan) {
        guard let header = payload.withUnsafeBytes({ Self(bytes: $0) }) else { return nil }
        self = header
    }

    package init?(bytes: UnsafeRawBufferPointer) {
        var reader = BitstreamReader(bytes)
        self.profile = UInt8(reader.bits(3))
        reader.skip(1)
        self.isReducedStillPicture = reader.flag()
        if self.isReducedStillPicture {
            self.level = UInt8(reader.bits(5))
            self.isHighTier = false
        } else {
            (self.level, self.isHighTier) = Self.readOperatingPoints(&reader)
        }
        let widthBits = Int(reader.bits(4)) + 1
        let heightBits = Int(reader.bits(4)) + 1
        let width = Int(reader.bits(widthBits)) + 1
        let height = Int(reader.bits(heightBits)) + 1
        guard !reader.isExhausted else { return nil }
        self.maximumSize = PictureSize(width: width, height: height)
    }

    /// Level and tier of the first operating point.
    private static func readOperatingPoints(_ reader: inout BitstreamReader) -> (UInt8, Bool) {
        var delayBits: Int?
        if reader.flag() {
            reader.skip(64)
            if reader.flag() { _ = reader.unsigned() }
            if reader.flag() {
                delayBits = Int(reader.bits(5)) + 1
                reader.skip(32 + 10)
            }
        }
        let hasDisplayDelay = reader.flag()
        var first: (UInt8, Bool) = (0, false)
        for index in 0...Int(reader.bits(5)) {
            reader.skip(12)
            let level = UInt8(reader.bits(5))
            let isHighTier = level > 7 && reader.flag()
            if index == 0 { first = (level, isHighTier) }
            if let delayBits, reader.flag() { reader.skip(2 * delayBits + 1) }
            if hasDisplayDelay && reader.flag() { reader.skip(4) }
        }
        return first
    }
}
