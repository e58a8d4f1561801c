/// What a track or an RTP stream carries (W3C mediacapture-streams `kind`).
public enum MediaKind: String, Sendable, Hashable, CaseIterable {
    /// Sound.
    case audio
    /// Pictures.
    case video
}
