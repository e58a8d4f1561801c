/// The RTP header extensions that this stack reads and writes, named by their URIs in SDP (RFC 8285 section 5).
package enum RTPHeaderExtensionKind: String, Sendable, Hashable, CaseIterable {
    /// The identification of the media section (RFC 9143 section 15).
    case mid = "urn:ietf:params:rtp-hdrext:sdes:mid"
    /// The identifier of the encoding (RFC 8852).
    case rtpStreamID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    /// The identifier of the encoding that a packet repairs (RFC 8852).
    case repairedRTPStreamID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
    /// How loud a packet is (RFC 6464).
    case audioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    /// How loud the contributing sources are (RFC 6465).
    case mixerAudioLevel = "urn:ietf:params:rtp-hdrext:csrc-audio-level"
    /// When a packet left, in 24 bits of NTP time.
    case absoluteSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    /// How long after its capture a packet left (RFC 5450).
    case transmissionOffset = "urn:ietf:params:rtp-hdrext:toffset"
    /// The number of a packet among all of its transport.
    case transportWideSequenceNumber =
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    /// How a picture is to be turned (3GPP TS 26.114 section 7.4.5).
    case videoOrientation = "urn:3gpp:video-orientation"
    /// How long a receiver shall delay a frame.
    case playoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
    /// When a frame was captured.
    case absoluteCaptureTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
    /// Which layers there are, and their bit rates.
    case videoLayersAllocation = "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00"
    /// Which frames a frame needs, in scalable video.
    case dependencyDescriptor =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
}
