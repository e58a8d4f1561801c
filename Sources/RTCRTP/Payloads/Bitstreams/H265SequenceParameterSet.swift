/// What a sequence parameter set of H.265 says that is of use outside a decoder (H.265 section 7.3.2.2).
public struct H265SequenceParameterSet: Sendable, Hashable {
    /// `sps_seq_parameter_set_id`, 0 to 15.
    public let id: UInt32
    /// The video parameter set that it builds on, 0 to 15.
    public let videoParameterSetID: UInt32
    /// `general_profile_idc`: 1 Main, 2 Main 10.
    public let profile: UInt8
    /// Whether `general_tier_flag` says High.
    public let isHighTier: Bool
    /// `general_level_idc`, thirty times the level's number.
    public let level: UInt8
    /// The size inside the conformance window.
    public let size: PictureSize

    /// Reads a NAL unit, header included and start code not; `nil` if it is not a whole sequence parameter set.
    public init?(nalUnit: RawSpan) {
        guard let set = nalUnit.withUnsafeBytes({ Self($0) }) else { return nil }
        self = set
    }

    init?(_ unit: UnsafeRawBufferPointer) {
        guard unit.count > 2, unit[0] >> 1 & 0x3F == 33 else { return nil }
        var reader = BitstreamReader(unit, at: 2, skipsEmulationPrevention: true)
        self.videoParameterSetID = reader.bits(4)
        let subLayers = Int(reader.bits(3))
        reader.skip(1)
        reader.skip(2)
        self.isHighTier = reader.flag()
        self.profile = UInt8(reader.bits(5))
        reader.skip(32 + 48)
        self.level = UInt8(reader.bits(8))
        Self.skipSubLayers(&reader, count: subLayers)
        self.id = reader.unsigned()
        guard let size = Self.readSize(&reader), !reader.isExhausted, self.id < 16 else { return nil }
        self.size = size
    }

    private static func skipSubLayers(_ reader: inout BitstreamReader, count: Int) {
        guard count > 0 else { return }
        var bits = 0
        for _ in 0..<count {
            if reader.flag() { bits += 88 }
            if reader.flag() { bits += 8 }
        }
        reader.skip((8 - count) * 2 + bits)
    }

    private static func readSize(_ reader: inout BitstreamReader) -> PictureSize? {
        let chroma = reader.unsigned()
        let isSeparate = chroma == 3 && reader.flag()
        var width = Int(reader.unsigned())
        var height = Int(reader.unsigned())
        if reader.flag() {
            let unitX = !isSeparate && (chroma == 1 || chroma == 2) ? 2 : 1
            let unitY = !isSeparate && chroma == 1 ? 2 : 1
            width -= (Int(reader.unsigned()) + Int(reader.unsigned())) * unitX
            height -= (Int(reader.unsigned()) + Int(reader.unsigned())) * unitY
        }
        guard chroma <= 3, (1...65_535).contains(width), (1...65_535).contains(height) else { return nil }
        return PictureSize(width: width, height: height)
    }
}
