public import RTCRTP

/// W3C webrtc-stats, `RTCCodecStats`: a codec, as long as a stream refers to it.
public struct RTCCodecStats: Sendable, Hashable {
    /// The payload type in the packets.
    public var payloadType: PayloadType
    /// The id of the transport's entry.
    public var transportId: String
    /// The type, for example `video/VP8`.
    public var mimeType: String
    /// Ticks of the RTP timestamp a second.
    public var clockRate: UInt32
    /// The number of channels, for sound; `nil` for pictures.
    public var channels: UInt16?
    /// The format's parameters as they stand in SDP; `nil` without any.
    public var sdpFmtpLine: String?
}
