public import RTCRTP

/// One frame of a file, with its place in time.
public struct MediaFileFrame: Sendable, Hashable {
    /// The encoded frame. Its timestamp is ``time`` in ticks of the format's clock rate, from 0 at the beginning of the file.
    public var frame: EncodedFrame
    /// When the frame is shown or heard, from the beginning of the file. Not negative.
    public var time: Duration
    /// When the frame is to be decoded, and thus sent. Differs from ``time`` only where the encoder reordered pictures.
    public var decodeTime: Duration
    /// How long it lasts, where the file says; otherwise until the next frame.
    public var duration: Duration?
    /// The track's place in the file, from 0. Files of one track have 0.
    public var track: Int

    /// A frame; without a `decodeTime` it is decoded when it is shown.
    public init(
        frame: EncodedFrame,
        time: Duration,
        decodeTime: Duration? = nil,
        duration: Duration? = nil,
        track: Int = 0
    ) {
        self.frame = frame
        self.time = time
        self.decodeTime = decodeTime ?? time
        self.duration = duration
        self.track = track
    }
}
