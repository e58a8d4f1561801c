public import NIOCore
public import RTCRTP

/// An encoded picture or block of sound on its way from or to a peer (W3C webrtc-encoded-transform sections 3.1 and 3.2).
public struct RTCEncodedFrame: Sendable {
    /// The encoded bytes, in the form that `EncodedFrame` names for the codec.
    public var data: ByteBuffer
    /// The RTP timestamp, in units of the codec's clock rate. For sending any beginning will do; the sender shifts it.
    public var timestamp: UInt32
    /// Whether decoding can begin with this frame. Always `true` for sound.
    public var isKeyFrame: Bool
    /// The codec.
    public var codec: RTCRtpCodec
    /// Which simulcast encoding it belongs to, from 0; 0 without simulcast.
    public var encoding = 0
    /// When it was captured: on the peer's wall clock, once its reports tell; for sending, on this one's. `nil` if unknown.
    public var captureTime: NTPTimestamp?
    /// The stream that it came in.
    public var synchronizationSource: SSRC?
    /// What it was mixed from (RFC 3550 section 3).
    public var contributingSources: [SSRC] = []
    /// How loud the sound is, if the sender told (RFC 6464).
    public var audioLevel: AudioLevel?
    /// How the picture is to be turned, if the sender told.
    public var videoOrientation: VideoOrientation?
    /// When its first packet came; `nil` for frames that did not.
    public var arrival: NIODeadline?
    /// Whether frames before it were lost.
    public var followsLoss = false

    /// A frame.
    public init(data: ByteBuffer, timestamp: UInt32, isKeyFrame: Bool = true, codec: RTCRtpCodec) {
        self.data = data
        self.timestamp = timestamp
        self.isKeyFrame = isKeyFrame
        self.codec = codec
    }

    var encodedFrame: EncodedFrame {
        EncodedFrame(payload: self.data, timestamp: self.timestamp, isKeyFrame: self.isKeyFrame)
    }
}
