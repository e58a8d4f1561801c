public import RTCRTP

/// W3C webrtc-stats, `RTCAudioSourceStats` and `RTCVideoSourceStats`: what a track delivers to its sender.
///
/// There is one as long as a sender has a track. What only an encoder sees (size, samples, energy) is not known here.
public struct RTCMediaSourceStats: Sendable, Hashable {
    /// The identifier of the track.
    public var trackIdentifier: String
    /// What it carries.
    public var kind: MediaKind
    /// How loud the last frame said it is, 0 to 1; `nil` for pictures, and where frames do not say.
    public var audioLevel: Double?
    /// Pictures that came from the source since the sender has the track; of several encodings the one that got most counts. `nil` for sound.
    public var frames: UInt64?
    /// Pictures in the last second; `nil` for sound.
    public var framesPerSecond: Double?
}
