/// A peer sends a track (W3C webrtc-pc section 5.7).
public struct RTCTrackEvent: Sendable {
    /// What receives it.
    public let receiver: RTCRtpReceiver
    /// The track.
    public let track: MediaStreamTrack
    /// The streams that it belongs to.
    public let streams: [MediaStream]
    /// The transceiver of the receiver.
    public let transceiver: RTCRtpTransceiver
}
