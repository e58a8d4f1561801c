public import RTCRTP
import Synchronization

/// What local tracks are fed from: a file, an encoder, another peer.
///
/// ```swift
/// let source = MediaStreamTrackSource(kind: .video, label: "clip")
/// try await connection.addTrack(MediaStreamTrack(source: source))
/// ```
public final class MediaStreamTrackSource: Sendable {
    /// What the source delivers.
    public let kind: MediaKind
    /// The label that its tracks get.
    public let label: String

    /// A source.
    public init(kind: MediaKind, label: String = "") {
        self.kind = kind
        self.label = label
    }
}
