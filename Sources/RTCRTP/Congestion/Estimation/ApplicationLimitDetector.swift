import NIOCore

/// Tells whether we send clearly less than we may, so that what arrives says little about the path.
struct ApplicationLimitDetector: Sendable {
    /// Bytes that might have been sent and were not, within half a second's worth of 65 % of the target.
    private var unused = 0.0
    private var lastUpdate: NIODeadline?
    /// Since when we send less; `nil` while we do not.
    private(set) var since: NIODeadline?

    /// Whether we send less.
    var isLimited: Bool { self.since != nil }

    /// Takes a packet that leaves, or none to let the time pass.
    mutating func noteSent(bytes: Int, target: Bitrate, now: NIODeadline) {
        let rate = target.value * Self.share / 8
        let bound = max(1, rate * Self.window)
        let elapsed = self.lastUpdate.map { Double(max(0, (now - $0).nanoseconds)) / 1e9 } ?? 0
        self.lastUpdate = now
        self.unused = min(max(self.unused + rate * elapsed - Double(bytes), -bound), bound)
        let ratio = self.unused / bound
        if ratio > Self.begin, self.since == nil { self.since = now }
        if ratio < Self.end { self.since = nil }
    }

    private static let share = 0.65
    private static let window = 0.5
    private static let begin = 0.8
    private static let end = 0.5
}
