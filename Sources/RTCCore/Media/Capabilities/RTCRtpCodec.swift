public import RTCRTP

/// A codec and its parameters (W3C webrtc-pc section 5.2.9).
public struct RTCRtpCodec: Sendable, Hashable {
    /// The media type and subtype, `video/VP8` for example. Names compare without regard to case.
    public var mimeType: String
    /// The clock rate of RTP timestamps in Hz.
    public var clockRate: UInt32
    /// The number of audio channels; `nil` for video, and where nothing is written, which means one.
    public var channels: UInt16?
    /// The parameters as in SDP's `fmtp`, without the payload type; `nil` if there are none.
    public var sdpFmtpLine: String?

    /// A codec from its parts.
    public init(mimeType: String, clockRate: UInt32, channels: UInt16? = nil, sdpFmtpLine: String? = nil) {
        self.mimeType = mimeType
        self.clockRate = clockRate
        self.channels = channels
        self.sdpFmtpLine = sdpFmtpLine
    }

    /// What it is a codec of; `nil` for a media type other than `audio` and `video`.
    public var kind: MediaKind? {
        MediaKind(rawValue: self.mimeType.prefix { $0 != "/" }.lowercased())
    }

    /// The part after the slash: the encoding name of SDP's `rtpmap`.
    public var name: String {
        guard let slash = self.mimeType.firstIndex(of: "/") else { return self.mimeType }
        return String(self.mimeType[self.mimeType.index(after: slash)...])
    }

    /// Whether two names are the same but for case.
    func isNamed(_ name: String) -> Bool { self.name.lowercased() == name.lowercased() }
}

/// A codec with the number it has in RTP packets (W3C webrtc-pc section 5.2.8).
public struct RTCRtpCodecParameters: Sendable, Hashable {
    /// The payload type.
    public var payloadType: PayloadType
    /// The codec.
    public var codec: RTCRtpCodec

    /// A codec with its payload type.
    public init(payloadType: PayloadType, codec: RTCRtpCodec) {
        self.payloadType = payloadType
        self.codec = codec
    }
}
