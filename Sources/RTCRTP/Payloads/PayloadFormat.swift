/// A format that carries ``EncodedFrame``s: how frames become RTP payloads, and payloads become frames.
///
/// RED, telephone events and comfort noise carry something else: see ``REDEncoder``, ``TelephoneEventSender`` and
/// ``ComfortNoise``.
public enum PayloadFormat: Sendable, Hashable, CaseIterable {
    /// Opus (RFC 7587).
    case opus
    /// G.711 with µ-law (RFC 3551 section 4.5.14).
    case pcmu
    /// G.711 with A-law (RFC 3551 section 4.5.14).
    case pcma
    /// G.722 (RFC 3551 section 4.5.2).
    case g722
    /// VP8 (RFC 7741).
    case vp8
    /// VP9 (RFC 9628).
    case vp9
    /// H.264 (RFC 6184).
    case h264
    /// H.265 (RFC 7798).
    case h265
    /// AV1 (AOM's RTP payload format for AV1).
    case av1

    /// The format of this name; `nil` for names of others.
    public init?(_ name: RTPCodecName) {
        guard let format = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = format
    }

    /// The name in `a=rtpmap`.
    public var name: RTPCodecName {
        switch self {
        case .opus: .opus
        case .pcmu: .pcmu
        case .pcma: .pcma
        case .g722: .g722
        case .vp8: .vp8
        case .vp9: .vp9
        case .h264: .h264
        case .h265: .h265
        case .av1: .av1
        }
    }

    /// Sound or pictures.
    public var kind: MediaKind {
        switch self {
        case .opus, .pcmu, .pcma, .g722: .audio
        case .vp8, .vp9, .h264, .h265, .av1: .video
        }
    }

    /// Ticks of the RTP timestamp a second. G.722's is 8,000 although it samples at 16,000 Hz (RFC 3551 section 4.5.2).
    public var clockRate: Int {
        switch self {
        case .opus: 48_000
        case .pcmu, .pcma, .g722: 8000
        case .vp8, .vp9, .h264, .h265, .av1: 90_000
        }
    }

    /// The payload type that RFC 3551 section 6 assigned, if any.
    public var staticPayloadType: PayloadType? {
        switch self {
        case .pcmu: PayloadType(rawValue: 0)
        case .pcma: PayloadType(rawValue: 8)
        case .g722: PayloadType(rawValue: 9)
        default: nil
        }
    }

    /// What one packet says of itself; `nil` for payloads that are broken or that this format refuses.
    ///
    /// - Parameters:
    ///   - payload: The packet's payload, without header and padding.
    ///   - marker: The packet's marker bit.
    public func descriptor(of payload: RawSpan, marker: Bool) -> RTPPayloadDescriptor? {
        switch self {
        case .opus: OpusDepacketizer.descriptor(of: payload, marker: marker)
        case .pcmu, .pcma, .g722: PCMDepacketizer.descriptor(of: payload, marker: marker)
        case .vp8: VP8Depacketizer.descriptor(of: payload, marker: marker)
        case .vp9: VP9Depacketizer.descriptor(of: payload, marker: marker)
        case .h264: H264Depacketizer.descriptor(of: payload, marker: marker)
        case .h265: H265Depacketizer.descriptor(of: payload, marker: marker)
        case .av1: AV1Depacketizer.descriptor(of: payload, marker: marker)
        }
    }

    /// A packetizer of one stream.
    public func makePacketizer(_ options: PacketizerOptions = .defaults) -> any RTPPacketizer {
        switch self {
        case .opus: OpusPacketizer()
        case .pcmu, .pcma, .g722: PCMPacketizer()
        case .vp8: VP8Packetizer(pictureID: options.firstPictureID)
        case .vp9: VP9Packetizer(firstPictureID: options.firstPictureID)
        case .h264: H264Packetizer(mode: options.h264PacketizationMode)
        case .h265: H265Packetizer()
        case .av1: AV1Packetizer()
        }
    }

    /// A depacketizer of one stream.
    public func makeDepacketizer(limits: DepacketizerLimits = .defaults) -> any RTPDepacketizer {
        switch self {
        case .opus: OpusDepacketizer(limits: limits)
        case .pcmu, .pcma, .g722: PCMDepacketizer(limits: limits)
        case .vp8: VP8Depacketizer(limits: limits)
        case .vp9: VP9Depacketizer(limits: limits)
        case .h264: H264Depacketizer(limits: limits)
        case .h265: H265Depacketizer(limits: limits)
        case .av1: AV1Depacketizer(limits: limits)
        }
    }
}

/// What a packetizer needs to know beyond its format.
public struct PacketizerOptions: Sendable, Hashable {
    /// The picture ID to begin with, in its low 15 bits; random by RFC 7741 section 4.2. Default 0.
    public var firstPictureID: UInt16
    /// The negotiated `packetization-mode` of H.264. Default ``H264PacketizationMode/nonInterleaved``.
    public var h264PacketizationMode: H264PacketizationMode

    /// Options.
    public init(
        firstPictureID: UInt16 = 0,
        h264PacketizationMode: H264PacketizationMode = .nonInterleaved
    ) {
        self.firstPictureID = firstPictureID
        self.h264PacketizationMode = h264PacketizationMode
    }

    /// The defaults named at each property.
    public static var defaults: PacketizerOptions { PacketizerOptions() }
}
