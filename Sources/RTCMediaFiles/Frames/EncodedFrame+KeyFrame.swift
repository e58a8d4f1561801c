internal import NIOCore
internal import RTCRTP

extension PayloadFormat {
    /// Whether decoding can begin with a frame, as far as its first headers tell. `true` for sound.
    ///
    /// VP8, VP9 and AV1 only; pictures of the others are told apart when access units are put together.
    func isKeyFrame(_ payload: ByteBuffer) -> Bool {
        switch self {
        case .vp8: VP8FrameHeader(payload.readableBytesSpan)?.isKeyFrame ?? false
        case .vp9: VP9FrameHeader(payload.readableBytesSpan)?.isKeyFrame ?? false
        case .av1: Self.isAV1KeyFrame(payload)
        case .h264, .h265: false
        case .opus, .pcmu, .pcma, .g722: true
        }
    }

    /// Whether a temporal unit has a sequence header and a key frame.
    private static func isAV1KeyFrame(_ payload: ByteBuffer) -> Bool {
        payload.withUnsafeReadableBytes { bytes in
            var offset = 0
            var sequence: AV1SequenceHeader?
            while let unit = AV1OBU(bytes: bytes, at: offset) {
                if unit.type == AV1OBU.sequenceHeader {
                    sequence = AV1SequenceHeader(bytes: UnsafeRawBufferPointer(rebasing: bytes[unit.payload]))
                } else if let sequence, unit.isKeyFrame(in: bytes, isReduced: sequence.isReducedStillPicture) {
                    return true
                }
                offset = unit.range.upperBound
            }
            return false
        }
    }
}
