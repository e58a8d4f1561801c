public import RTCRTP

/// A format of files with several tracks.
public enum MediaContainer: Sendable, Hashable, CaseIterable {
    /// WebM: Opus, VP8, VP9, AV1.
    case webM
    /// Matroska: all that WebM has, H.264, H.265 and G.711.
    case matroska
    /// Fragmented MP4: Opus, VP9, AV1, H.264, H.265.
    case mp4

    /// The formats that a track may have.
    public var formats: Set<PayloadFormat> {
        switch self {
        case .webM: [.opus, .vp8, .vp9, .av1]
        case .matroska: [.opus, .vp8, .vp9, .av1, .h264, .h265, .pcmu, .pcma]
        case .mp4: [.opus, .vp9, .av1, .h264, .h265]
        }
    }

    /// The name in FFmpeg's libraries.
    var muxer: String {
        switch self {
        case .webM: "webm"
        case .matroska: "matroska"
        case .mp4: "mp4"
        }
    }

    /// What the muxer is told.
    func options(flushInterval: Duration) -> [String: String] {
        let milliseconds = max(1, (flushInterval.nanoseconds ?? 0) / 1_000_000)
        switch self {
        case .webM, .matroska:
            return ["cluster_time_limit": "\(milliseconds)", "cluster_size_limit": "\(5 << 20)"]
        case .mp4:
            // Key frames can be minutes apart, so fragments are also cut by time; the offset between tracks stands in the
            // times of the fragments, as there is no edit list.
            return [
                "movflags": "frag_keyframe+empty_moov+default_base_moof+frag_discont",
                "frag_duration": "\(milliseconds * 1000)",
            ]
        }
    }
}
