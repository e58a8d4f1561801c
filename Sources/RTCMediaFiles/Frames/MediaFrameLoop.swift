public import RTCRTP

/// Plays a file over and over: times go on where the last round ended.
public final class MediaFrameLoop {
    private let reader: any MediaFrameReader
    /// Where the round at hand began.
    private var origin: Duration = .zero
    /// Where the last frame so far ends, in this round.
    private var end: Duration = .zero
    private var lastDecodeTime: Duration?

    /// Plays what `reader` gives, from where it stands.
    public init(_ reader: any MediaFrameReader) { self.reader = reader }

    /// How the frames are encoded.
    public var format: PayloadFormat { self.reader.format }

    /// The next frame; times and RTP timestamps never go back to zero.
    ///
    /// - Throws: What the reader throws; ``MediaFileError/Code/malformed`` for a file without frames.
    public func nextFrame() throws(MediaFileError) -> MediaFileFrame {
        if let frame = try self.reader.nextFrame() { return self.placed(frame) }
        try self.reader.rewind()
        self.origin += self.end
        self.end = .zero
        self.lastDecodeTime = nil
        guard let frame = try self.reader.nextFrame() else {
            throw MediaFileError(.malformed, "a file without frames")
        }
        return self.placed(frame)
    }

    private func placed(_ frame: MediaFileFrame) -> MediaFileFrame {
        // Where the file does not say how long a frame lasts, the last lasts as long as the one before.
        let step = self.lastDecodeTime.map { frame.decodeTime - $0 } ?? Self.usualDuration
        let duration = frame.duration ?? max(step, .milliseconds(1))
        self.lastDecodeTime = frame.decodeTime
        self.end = max(self.end, frame.time + duration)
        var placed = frame
        placed.time += self.origin
        placed.decodeTime += self.origin
        placed.frame.timestamp = placed.time.rtpTimestamp(clockRate: self.format.clockRate)
        return placed
    }

    private static let usualDuration = Duration.milliseconds(33)
}
