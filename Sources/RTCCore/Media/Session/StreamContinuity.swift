import NIOCore
import RTCRTP

/// Keeps sequence numbers and timestamps of a stream running on while what feeds it changes.
struct StreamContinuity {
    private(set) var nextSequence: UInt16
    private var timestampOffset: UInt32
    private var sequenceOffset: UInt16 = 0
    /// Whether numbers were used for what does not come from the feed.
    private var hasInterjected = false
    /// How many numbers below ``nextSequence`` belong to the feed as it is mapped now.
    private var room = 0
    /// The stream, or source of frames, that the offsets are for.
    private var feed: Feed?
    private var last: (timestamp: UInt32, instant: NIODeadline)?

    /// What feeds a stream.
    enum Feed: Hashable {
        case packets(SSRC)
        case frames(source: Int)
    }

    init(nextSequence: UInt16, timestampOffset: UInt32) {
        self.nextSequence = nextSequence
        self.timestampOffset = timestampOffset
    }

    /// The outgoing timestamp of a frame.
    mutating func timestamp(_ timestamp: UInt32, from feed: Feed, clockRate: UInt32, now: NIODeadline) -> UInt32 {
        self.change(to: feed, at: timestamp, clockRate: clockRate, now: now)
        let mapped = timestamp &+ self.timestampOffset
        self.noteTimestamp(mapped, now: now)
        return mapped
    }

    /// The number of the next packet made here.
    mutating func takeSequence() -> UInt16 {
        defer { self.nextSequence &+= 1 }
        return self.nextSequence
    }

    /// The number of the next packet that comes in between, whatever feeds the stream.
    mutating func interject() -> UInt16 {
        self.hasInterjected = true
        return self.takeSequence()
    }

    /// The timestamp that stands for an instant, as the stream's clock goes on from what was sent last.
    mutating func timestamp(at instant: NIODeadline, clockRate: UInt32) -> UInt32 {
        guard let last = self.last else {
            self.last = (self.timestampOffset, instant)
            return self.timestampOffset
        }
        return last.timestamp &+ Self.ticks(instant - last.instant, clockRate: clockRate)
    }

    private static func ticks(_ time: TimeAmount, clockRate: UInt32) -> UInt32 {
        let elapsed = Double(time.nanoseconds) / 1e9 * Double(clockRate)
        return UInt32(truncatingIfNeeded: Int64(max(0, min(elapsed, 1e15))))
    }

    /// The outgoing sequence number and timestamp of a packet that is forwarded. Gaps and reordering stay as they are.
    ///
    /// - Returns: `nil` for a late packet whose place other packets have taken: two packets must never share a number, because SRTP would
    ///   encrypt both with the same key stream (RFC 3711 section 9.1).
    mutating func map(
        _ header: RTPHeader,
        clockRate: UInt32,
        now: NIODeadline
    ) -> (sequence: UInt16, timestamp: UInt32)? {
        let feed = Feed.packets(header.ssrc)
        let hasChanged = feed != self.feed
        if hasChanged {
            self.change(to: feed, at: header.timestamp, clockRate: clockRate, now: now)
        }
        if hasChanged || self.hasInterjected { self.beginMapping(at: header.sequenceNumber) }
        var sequence = header.sequenceNumber &+ self.sequenceOffset
        var distance = SequenceNumbers.distance(from: self.nextSequence, to: sequence)
        if distance < -Self.maximumMisorder {
            // Too far to be late: the feed's numbers began elsewhere.
            self.beginMapping(at: header.sequenceNumber)
            (sequence, distance) = (self.nextSequence, 0)
        }
        let timestamp = header.timestamp &+ self.timestampOffset
        guard distance >= -self.room else { return nil }
        if distance >= 0 {
            self.nextSequence = sequence &+ 1
            self.room = min(self.room + distance + 1, Self.maximumMisorder)
            self.noteTimestamp(timestamp, now: now)
        }
        return (sequence, timestamp)
    }

    /// The packet with this number is to be the next.
    private mutating func beginMapping(at number: UInt16) {
        self.hasInterjected = false
        self.sequenceOffset = self.nextSequence &- number
        self.room = 0
    }

    private mutating func change(to feed: Feed, at timestamp: UInt32, clockRate: UInt32, now: NIODeadline) {
        guard feed != self.feed else { return }
        self.feed = feed
        guard let last = self.last else { return }
        // The stream's clock went on while nothing fed it; by one tick at least.
        let ticks = max(1, Self.ticks(now - last.instant, clockRate: clockRate))
        self.timestampOffset = last.timestamp &+ ticks &- timestamp
    }

    private mutating func noteTimestamp(_ timestamp: UInt32, now: NIODeadline) {
        if self.last?.timestamp != timestamp { self.last = (timestamp, now) }
    }

    /// How late a packet may be; receivers take no more either.
    private static let maximumMisorder = 1000
}
