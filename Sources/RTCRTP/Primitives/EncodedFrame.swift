public import NIOCore

/// One encoded picture, or one block of encoded sound.
///
/// The bytes are what an encoder gives and a decoder takes: H.264 and H.265 as access units in Annex B form (start codes),
/// AV1 as a temporal unit of OBUs that all have a size field, VP8, VP9, Opus, G.711 and G.722 as they are.
public struct EncodedFrame: Sendable, Hashable {
    /// The encoded bytes.
    public var payload: ByteBuffer
    /// The RTP timestamp, in units of the codec's clock rate.
    public var timestamp: UInt32
    /// Whether decoding can begin with this frame. Always `true` for sound.
    public var isKeyFrame: Bool

    /// A frame.
    public init(payload: ByteBuffer, timestamp: UInt32, isKeyFrame: Bool) {
        self.payload = payload
        self.timestamp = timestamp
        self.isKeyFrame = isKeyFrame
    }
}
