public import RTCRTP

/// A track of a file with several tracks.
public struct MediaFileTrack: Sendable, Hashable {
    /// How it is encoded.
    public var format: PayloadFormat
    /// How many channels sound has, 1 or 2; 0 for pictures.
    public var channelCount: Int
    /// The size of pictures, where it is known; writers take it from the first key frame.
    public var size: PictureSize?
    /// How long the track is, where the file says.
    public var duration: Duration?

    /// A track; Opus has two channels by default, and G.711 one.
    public init(format: PayloadFormat, channelCount: Int? = nil) {
        self.format = format
        let usual = format == .opus ? 2 : 1
        self.channelCount = format.kind == .audio ? min(max(channelCount ?? usual, 1), 2) : 0
    }
}
