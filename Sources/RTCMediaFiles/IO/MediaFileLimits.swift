/// What a reader takes from a file at most. A file that asks for more is refused, and no memory is taken for it.
public struct MediaFileLimits: Sendable, Hashable {
    /// Bytes of one frame, access unit or packet. Default 16 MiB.
    public var frameSize: Int
    /// Bytes of one header or comment that the file can make as long as it wants. Default 1 MiB.
    public var headerSize: Int

    /// Limits in bytes; what is below 1 counts as 1.
    public init(frameSize: Int = 16 << 20, headerSize: Int = 1 << 20) {
        self.frameSize = max(1, frameSize)
        self.headerSize = max(1, headerSize)
    }

    /// The defaults named at each property.
    public static var defaults: MediaFileLimits { MediaFileLimits() }
}
