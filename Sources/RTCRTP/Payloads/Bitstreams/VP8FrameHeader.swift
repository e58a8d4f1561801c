/// The uncompressed beginning of a VP8 frame (RFC 6386 section 9.1).
public struct VP8FrameHeader: Sendable, Hashable {
    /// Whether decoding can begin with the frame.
    public let isKeyFrame: Bool
    /// The version of the bitstream, 0 to 3.
    public let version: UInt8
    /// Whether the frame is shown.
    public let isShown: Bool
    /// The size; key frames only.
    public let size: PictureSize?

    /// Reads the beginning of a frame; `nil` if it is cut short or no VP8.
    public init?(_ frame: RawSpan) {
        guard let header = frame.withUnsafeBytes({ Self(bytes: $0) }) else { return nil }
        self = header
    }

    init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 3 else { return nil }
        self.isKeyFrame = bytes[0] & 1 == 0
        self.version = bytes[0] >> 1 & 7
        self.isShown = bytes[0] & 0x10 != 0
        guard self.isKeyFrame else {
            self.size = nil
            return
        }
        guard bytes.count >= 10, bytes[3] == 0x9D, bytes[4] == 0x01, bytes[5] == 0x2A else { return nil }
        // Two bits of each are a scale for display.
        let width = (Int(bytes[7]) << 8 | Int(bytes[6])) & 0x3FFF
        let height = (Int(bytes[9]) << 8 | Int(bytes[8])) & 0x3FFF
        self.size = PictureSize(width: width, height: height)
    }
}
