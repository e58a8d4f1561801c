public import RTCRTP

/// The codecs and header extensions of one kind of media (W3C webrtc-pc section 5.2.10).
public struct RTCRtpCapabilities: Sendable, Hashable {
    /// The codecs, in order of preference.
    public var codecs: [RTCRtpCodec]
    /// The header extensions.
    public var headerExtensions: [RTCRtpHeaderExtensionCapability]

    /// Capabilities from their parts.
    public init(codecs: [RTCRtpCodec], headerExtensions: [RTCRtpHeaderExtensionCapability]) {
        self.codecs = codecs
        self.headerExtensions = headerExtensions
    }
}

/// A header extension that may be negotiated (W3C webrtc-pc section 5.2.11 and webrtc-extensions).
public struct RTCRtpHeaderExtensionCapability: Sendable, Hashable {
    /// What it is (RFC 8285 section 5).
    public var uri: String
    /// In which directions it is offered; ``RTCRtpTransceiverDirection/stopped`` leaves it out. Default sendrecv.
    public var direction: RTCRtpTransceiverDirection

    /// A header extension and its direction.
    public init(uri: String, direction: RTCRtpTransceiverDirection = .sendrecv) {
        self.uri = uri
        self.direction = direction
    }
}

/// What a connection offers and accepts for media: codecs and header extensions.
///
/// Nothing is encoded or decoded here; a codec is in the list when its packets can be made of frames and frames of its packets. Leave out
/// what the other end of the media, an encoder, a file, a decoder, cannot handle.
public struct RTCMediaCapabilities: Sendable, Hashable {
    /// All that this package can carry.
    public static let defaults = RTCMediaCapabilities()

    /// Sound: Opus, G.722, G.711, redundancy (RFC 2198), comfort noise, telephone events.
    public var audio: RTCRtpCapabilities
    /// Pictures: VP8, H.264, AV1, VP9, H.265, retransmission (RFC 4588), forward error correction.
    public var video: RTCRtpCapabilities

    /// The defaults, or others.
    public init(audio: RTCRtpCapabilities? = nil, video: RTCRtpCapabilities? = nil) {
        self.audio =
            audio
            ?? RTCRtpCapabilities(codecs: Self.audioCodecs, headerExtensions: Self.extensions(Self.audioExtensions))
        self.video =
            video
            ?? RTCRtpCapabilities(codecs: Self.videoCodecs, headerExtensions: Self.extensions(Self.videoExtensions))
    }

    /// The capabilities of one kind.
    public subscript(kind: MediaKind) -> RTCRtpCapabilities {
        get { kind == .audio ? self.audio : self.video }
        set { if kind == .audio { self.audio = newValue } else { self.video = newValue } }
    }

    private static let audioCodecs: [RTCRtpCodec] = [
        RTCRtpCodec(
            mimeType: "audio/opus",
            clockRate: 48_000,
            channels: 2,
            sdpFmtpLine: "minptime=10;useinbandfec=1"
        ),
        RTCRtpCodec(mimeType: "audio/red", clockRate: 48_000, channels: 2),
        RTCRtpCodec(mimeType: "audio/G722", clockRate: 8_000, channels: 1),
        RTCRtpCodec(mimeType: "audio/PCMU", clockRate: 8_000, channels: 1),
        RTCRtpCodec(mimeType: "audio/PCMA", clockRate: 8_000, channels: 1),
        RTCRtpCodec(mimeType: "audio/CN", clockRate: 8_000, channels: 1),
        RTCRtpCodec(mimeType: "audio/telephone-event", clockRate: 48_000, channels: 1),
        RTCRtpCodec(mimeType: "audio/telephone-event", clockRate: 8_000, channels: 1),
    ]

    private static let videoCodecs: [RTCRtpCodec] =
        [
            Self.video("VP8", nil),
            Self.video("rtx", nil),
        ]
        + ["42001f", "42e01f", "4d001f", "64001f"].flatMap { profile in
            [1, 0].map { mode in
                let mode = "packetization-mode=\(mode)"
                return Self.video("H264", "level-asymmetry-allowed=1;\(mode);profile-level-id=\(profile)")
            }
        } + [
            Self.video("AV1", "level-idx=5;profile=0;tier=0"),
            Self.video("VP9", "profile-id=0"),
            Self.video("VP9", "profile-id=2"),
            Self.video("H265", "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST"),
            Self.video("flexfec-03", "repair-window=10000000"),
        ]

    private static func video(_ name: String, _ parameters: String?) -> RTCRtpCodec {
        RTCRtpCodec(mimeType: "video/\(name)", clockRate: 90_000, sdpFmtpLine: parameters)
    }

    private static let audioExtensions: [HeaderExtensionKind] = [
        .audioLevel, .absoluteSendTime, .transportSequenceNumber, .mid, .absoluteCaptureTime, .mixerAudioLevel,
    ]

    private static let videoExtensions: [HeaderExtensionKind] = [
        .transmissionOffset, .absoluteSendTime, .videoOrientation, .transportSequenceNumber, .playoutDelay, .mid,
        .rid, .repairedRID, .absoluteCaptureTime, .videoLayersAllocation, .dependencyDescriptor,
    ]

    private static func extensions(_ kinds: [HeaderExtensionKind]) -> [RTCRtpHeaderExtensionCapability] {
        kinds.map { RTCRtpHeaderExtensionCapability(uri: $0.uri) }
    }
}

extension RTCRtpCodec {
    /// Formats that carry no media of their own: retransmission, redundancy, forward error correction, noise and tones
    /// (W3C webrtc-pc section 5.4.2 step 4).
    var isAuxiliary: Bool {
        ["rtx", "red", "ulpfec", "flexfec-03", "flexfec", "cn", "telephone-event"].contains(self.name.lowercased())
    }

    /// The feedback of RFC 8888, as `a=rtcp-fb` names it.
    static let congestionControlFeedback = "ack ccfb"

    /// The feedback that is offered with it.
    var offeredFeedback: [(type: String, parameter: String?)] {
        switch self.kind {
        case .audio:
            return self.isAuxiliary ? [] : [("transport-cc", nil), ("ack", "ccfb")]
        case .video:
            if self.isNamed("flexfec-03") { return [("goog-remb", nil), ("transport-cc", nil)] }
            if self.isAuxiliary { return [] }
            return [
                ("goog-remb", nil), ("transport-cc", nil), ("ccm", "fir"), ("nack", nil), ("nack", "pli"),
                ("ack", "ccfb"),
            ]
        case nil:
            return []
        }
    }

    /// The payload type that browsers give it, so that descriptions look familiar and rarely clash.
    var usualPayloadType: UInt8? {
        switch (self.name.lowercased(), self.clockRate) {
        case ("opus", _): return 111
        case ("red", 48_000): return 63
        case ("pcmu", 8_000): return 0
        case ("pcma", 8_000): return 8
        case ("g722", 8_000): return 9
        case ("cn", 8_000): return 13
        case ("telephone-event", 48_000): return 110
        case ("telephone-event", 8_000): return 126
        case ("vp8", _): return 96
        case ("av1", _): return 45
        case ("flexfec-03", _): return 118
        case ("h265", _): return 49
        case ("vp9", _): return FormatParameters(self.sdpFmtpLine)["profile-id"] == "2" ? 100 : 98
        case ("h264", _):
            let parameters = FormatParameters(self.sdpFmtpLine)
            let hasMode1 = parameters["packetization-mode"] == "1"
            switch parameters["profile-level-id"]?.prefix(4).lowercased() {
            case "4200": return hasMode1 ? 102 : 104
            case "42e0": return hasMode1 ? 106 : 108
            case "4d00": return hasMode1 ? 127 : 39
            case "6400": return hasMode1 ? 112 : 114
            default: return nil
            }
        default: return nil
        }
    }

    /// The payload type that browsers give its retransmissions, where it is not the next one.
    static func usualRetransmissionType(of payloadType: UInt8) -> UInt8? {
        switch payloadType {
        case 127: return 125
        case ..<127: return payloadType + 1
        default: return nil
        }
    }
}
