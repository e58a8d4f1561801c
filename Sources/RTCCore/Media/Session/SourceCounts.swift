import NIOCore
import RTCRTP

/// What a track delivers for one encoding of its sender, whether or not it is sent.
struct SourceCounts {
    private(set) var frames: UInt64 = 0
    private(set) var rate = FrameRate()
    var level: AudioLevel?
    private var lastTimestamp: UInt32?

    /// Notes a frame, or a packet of one.
    mutating func note(_ timestamp: UInt32, now: NIODeadline) {
        guard timestamp != self.lastTimestamp else { return }
        self.lastTimestamp = timestamp
        self.frames &+= 1
        self.rate.note(now: now)
    }
}
