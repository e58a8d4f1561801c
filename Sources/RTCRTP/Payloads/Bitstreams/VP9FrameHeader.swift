/// The uncompressed beginning of a VP9 frame (VP9 bitstream specification section 6.2).
public struct VP9FrameHeader: Sendable, Hashable {
    /// The profile, 0 to 3.
    public let profile: UInt8
    /// Whether decoding can begin with the frame.
    public let isKeyFrame: Bool
    /// Whether the frame is shown.
    public let isShown: Bool
    /// Whether the frame only shows one that was decoded before.
    public let showsExistingFrame: Bool
    /// The size; key frames only.
    public let size: PictureSize?

    /// Reads the beginning of a frame; `nil` if it is cut short or no VP9.
    public init?(_ frame: RawSpan) {
        guard let header = frame.withUnsafeBytes({ Self(bytes: $0) }) else { return nil }
        self = header
    }

    init?(bytes: UnsafeRawBufferPointer) {
        var reader = BitstreamReader(bytes)
        guard reader.bits(2) == 2 else { return nil }
        let low = reader.bits(1)
        self.profile = UInt8(reader.bits(1) << 1 | low)
        if self.profile == 3 && reader.flag() { return nil }
        self.showsExistingFrame = reader.flag()
        guard !self.showsExistingFrame else {
            self.isKeyFrame = false
            self.isShown = true
            self.size = nil
            reader.skip(3)
            if reader.isExhausted { return nil }
            return
        }
        self.isKeyFrame = !reader.flag()
        self.isShown = reader.flag()
        reader.skip(1)
        guard self.isKeyFrame else {
            self.size = nil
            if reader.isExhausted { return nil }
            return
        }
        guard reader.bits(24) == 0x498342 else { return nil }
        Self.skipColours(&reader, profile: self.profile)
        let width = Int(reader.bits(16)) + 1
        let height = Int(reader.bits(16)) + 1
        guard !reader.isExhausted else { return nil }
        self.size = PictureSize(width: width, height: height)
    }

    private static func skipColours(_ reader: inout BitstreamReader, profile: UInt8) {
        if profile >= 2 { reader.skip(1) }
        let isRGB = reader.bits(3) == 7
        if !isRGB { reader.skip(1) }
        if profile & 1 == 1 { reader.skip(isRGB ? 1 : 3) }
    }
}
