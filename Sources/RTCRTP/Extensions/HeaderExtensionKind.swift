/// The header extensions that are understood here.
public enum HeaderExtensionKind: UInt8, Sendable, Hashable, CaseIterable {
    /// Which section of the description a packet belongs to (RFC 9143 section 15).
    case mid
    /// Which of a section's encodings a packet belongs to (RFC 8852).
    case rid
    /// Which of a section's encodings a repair packet repairs (RFC 8852).
    case repairedRID
    /// How loud the sound is (RFC 6464).
    case audioLevel
    /// How loud each contributing source is (RFC 6465).
    case mixerAudioLevel
    /// When the packet was sent.
    case absoluteSendTime
    /// How long after its timestamp the packet was sent (RFC 5450).
    case transmissionOffset
    /// The packet's place among all of the transport (draft-holmer-rmcat-transport-wide-cc-extensions-01).
    case transportSequenceNumber
    /// The same, with feedback on request.
    case transportSequenceNumberV2
    /// How the camera was held (3GPP TS 26.114 section 7.4.5).
    case videoOrientation
    /// How long the receiver should wait before showing.
    case playoutDelay
    /// When the media was captured, on the sender's clock.
    case absoluteCaptureTime
    /// Which layers are sent, with their bitrates.
    case videoLayersAllocation
    /// Which frames a frame needs (AV1 RTP specification, appendix A).
    case dependencyDescriptor

    /// The name in SDP.
    public var uri: String {
        switch self {
        case .mid: "urn:ietf:params:rtp-hdrext:sdes:mid"
        case .rid: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
        case .repairedRID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
        case .audioLevel: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
        case .mixerAudioLevel: "urn:ietf:params:rtp-hdrext:csrc-audio-level"
        case .absoluteSendTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
        case .transmissionOffset: "urn:ietf:params:rtp-hdrext:toffset"
        case .transportSequenceNumber:
            "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
        case .transportSequenceNumberV2: "http://www.webrtc.org/experiments/rtp-hdrext/transport-wide-cc-02"
        case .videoOrientation: "urn:3gpp:video-orientation"
        case .playoutDelay: "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
        case .absoluteCaptureTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
        case .videoLayersAllocation: "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00"
        case .dependencyDescriptor:
            "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
        }
    }

    /// The extension of this name; `nil` if it is not understood here.
    public init?(uri: String) {
        guard let kind = Self.allCases.first(where: { $0.uri == uri }) else { return nil }
        self = kind
    }
}
