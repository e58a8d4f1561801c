/// In which directions a transceiver sends and receives (W3C webrtc-pc section 5.4.1).
public enum RTCRtpTransceiverDirection: String, Sendable, Hashable, CaseIterable {
    /// Both ways.
    case sendrecv
    /// To the peer only.
    case sendonly
    /// From the peer only.
    case recvonly
    /// Neither way.
    case inactive
    /// Neither way, and never again. It cannot be set.
    case stopped
}

/// One encoding that a sender makes of its track (W3C webrtc-pc section 5.2.5).
public struct RTCRtpEncodingParameters: Sendable, Hashable {
    /// The encoding's identifier: 1 to 16 letters, digits, `-` and `_` (RFC 8851 section 4). Needed where there are several.
    public var rid: String?
    /// Whether it is sent. Default `true`.
    public var active: Bool
    /// The codec to use, `nil` for the first one negotiated.
    public var codec: RTCRtpCodec?
    /// The most bits per second, without IP and RTP headers; `nil` without limit.
    public var maxBitrate: UInt64?
    /// The most frames per second; video only, `nil` without limit.
    public var maxFramerate: Double?
    /// By how much width and height are divided, at least 1; video only.
    public var scaleResolutionDownBy: Double?
    /// The layers of scalable video, `L3T3` for example (W3C webrtc-svc); `nil` for the codec's default.
    public var scalabilityMode: String?
    /// Which encoding comes first where bandwidth is short (W3C webrtc-priority). Default low.
    public var priority: RTCPriorityType
    /// The marking of its packets (W3C webrtc-priority). Default low.
    public var networkPriority: RTCPriorityType

    /// An encoding; everything has a default.
    public init(
        rid: String? = nil,
        active: Bool = true,
        codec: RTCRtpCodec? = nil,
        maxBitrate: UInt64? = nil,
        maxFramerate: Double? = nil,
        scaleResolutionDownBy: Double? = nil,
        scalabilityMode: String? = nil,
        priority: RTCPriorityType = .low,
        networkPriority: RTCPriorityType = .low
    ) {
        self.rid = rid
        self.active = active
        self.codec = codec
        self.maxBitrate = maxBitrate
        self.maxFramerate = maxFramerate
        self.scaleResolutionDownBy = scaleResolutionDownBy
        self.scalabilityMode = scalabilityMode
        self.priority = priority
        self.networkPriority = networkPriority
    }
}

/// A header extension that was negotiated (W3C webrtc-pc section 5.2.7).
public struct RTCRtpHeaderExtensionParameters: Sendable, Hashable {
    /// What it is (RFC 8285 section 5).
    public var uri: String
    /// Its number in packets.
    public var id: UInt16
    /// Whether it is encrypted. Always `false`.
    public var encrypted = false

    /// A header extension with its number.
    public init(uri: String, id: UInt16) {
        self.uri = uri
        self.id = id
    }
}

/// What holds for RTCP (W3C webrtc-pc section 5.2.6).
public struct RTCRtcpParameters: Sendable, Hashable {
    /// The canonical name.
    public var cname: String
    /// Whether packets may stand alone (RFC 5506).
    public var reducedSize: Bool

    /// What holds for RTCP.
    public init(cname: String = "", reducedSize: Bool = false) {
        self.cname = cname
        self.reducedSize = reducedSize
    }
}

/// What a receiver is set to (W3C webrtc-pc section 5.2.2).
public struct RTCRtpReceiveParameters: Sendable, Hashable {
    /// The header extensions that may come.
    public var headerExtensions: [RTCRtpHeaderExtensionParameters] = []
    /// What holds for RTCP.
    public var rtcp = RTCRtcpParameters()
    /// The codecs that may come, in order of preference.
    public var codecs: [RTCRtpCodecParameters] = []

    /// Nothing negotiated.
    public init() {}
}

/// What a sender is set to (W3C webrtc-pc section 5.2.3).
public struct RTCRtpSendParameters: Sendable, Hashable {
    /// Which reading of the parameters this is; may not be changed.
    public var transactionId: String
    /// The encodings, in order; their number and order may not be changed.
    public var encodings: [RTCRtpEncodingParameters]
    /// What to keep where bandwidth is short (W3C mst-content-hint).
    public var degradationPreference: RTCDegradationPreference?
    /// The header extensions that are sent; may not be changed.
    public var headerExtensions: [RTCRtpHeaderExtensionParameters] = []
    /// What holds for RTCP; may not be changed.
    public var rtcp = RTCRtcpParameters()
    /// The codecs that may be sent, in order of preference; may not be changed.
    public var codecs: [RTCRtpCodecParameters] = []

    /// Parameters to be filled in.
    public init(transactionId: String, encodings: [RTCRtpEncodingParameters]) {
        self.transactionId = transactionId
        self.encodings = encodings
    }
}

/// What is given up last where bandwidth is short (W3C mst-content-hint section 5).
public enum RTCDegradationPreference: String, Sendable, Hashable {
    /// The frame rate is kept.
    case maintainFramerate = "maintain-framerate"
    /// The resolution is kept.
    case maintainResolution = "maintain-resolution"
    /// Both give way.
    case balanced
}
