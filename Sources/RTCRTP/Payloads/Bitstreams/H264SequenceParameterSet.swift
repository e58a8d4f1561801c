/// What a sequence parameter set of H.264 says that is of use outside a decoder (H.264 section 7.3.2.1.1).
public struct H264SequenceParameterSet: Sendable, Hashable {
    /// `seq_parameter_set_id`, 0 to 31.
    public let id: UInt32
    /// `profile_idc`: 66 baseline, 77 main, 100 high.
    public let profile: UInt8
    /// The constraint flags, `constraint_set0_flag` the highest bit.
    public let constraints: UInt8
    /// `level_idc`, ten times the level's number.
    public let level: UInt8
    /// The size after cropping.
    public let size: PictureSize

    /// Reads a NAL unit, header included and start code not; `nil` if it is not a whole sequence parameter set.
    public init?(nalUnit: RawSpan) {
        guard let set = nalUnit.withUnsafeBytes({ Self($0) }) else { return nil }
        self = set
    }

    init?(_ unit: UnsafeRawBufferPointer) {
        guard unit.count > 4, unit[0] & 0x1F == 7 else { return nil }
        self.profile = unit[1]
        self.constraints = unit[2]
        self.level = unit[3]
        var reader = BitstreamReader(unit, at: 4, skipsEmulationPrevention: true)
        self.id = reader.unsigned()
        let chroma = Self.readChroma(&reader, profile: self.profile)
        _ = reader.unsigned()
        guard let chroma, self.id < 32, Self.skipPictureOrder(&reader) else { return nil }
        _ = reader.unsigned()
        reader.skip(1)
        guard let size = Self.readSize(&reader, chroma: chroma), !reader.isExhausted else { return nil }
        self.size = size
    }

    /// `ChromaArrayType`; the profiles that do not say have 1.
    private static func readChroma(_ reader: inout BitstreamReader, profile: UInt8) -> UInt32? {
        guard [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].contains(profile) else { return 1 }
        let format = reader.unsigned()
        guard format <= 3 else { return nil }
        let isSeparate = format == 3 && reader.flag()
        _ = reader.unsigned()
        _ = reader.unsigned()
        reader.skip(1)
        if reader.flag() {
            for index in 0..<(format == 3 ? 12 : 8) where reader.flag() {
                self.skipScalingList(&reader, count: index < 6 ? 16 : 64)
            }
        }
        return isSeparate ? 0 : format
    }

    private static func skipScalingList(_ reader: inout BitstreamReader, count: Int) {
        var last: Int32 = 8
        for _ in 0..<count {
            let next = (last &+ reader.signed()) & 0xFF
            if next == 0 || reader.isExhausted { return }
            last = next
        }
    }

    private static func skipPictureOrder(_ reader: inout BitstreamReader) -> Bool {
        switch reader.unsigned() {
        case 0:
            _ = reader.unsigned()
        case 1:
            reader.skip(1)
            _ = reader.signed()
            _ = reader.signed()
            let count = reader.unsigned()
            guard count < 256 else { return false }
            for _ in 0..<count { _ = reader.signed() }
        case 2:
            break
        default:
            return false
        }
        return true
    }

    private static func readSize(_ reader: inout BitstreamReader, chroma: UInt32) -> PictureSize? {
        let columns = Int(reader.unsigned()) + 1
        let rows = Int(reader.unsigned()) + 1
        let fields = reader.flag() ? 1 : 2
        if fields == 2 { reader.skip(1) }
        reader.skip(1)
        guard columns <= 4096, rows <= 4096 else { return nil }
        var width = columns * 16
        var height = rows * 16 * fields
        if reader.flag() {
            let unitX = chroma == 1 || chroma == 2 ? 2 : 1
            let unitY = (chroma == 1 ? 2 : 1) * fields
            width -= (Int(reader.unsigned()) + Int(reader.unsigned())) * unitX
            height -= (Int(reader.unsigned()) + Int(reader.unsigned())) * unitY
        }
        guard width > 0, height > 0 else { return nil }
        return PictureSize(width: width, height: height)
    }
}
