internal import NIOCore

/// Decides when a shard rests before it looks for datagrams again.
///
/// Waking a thread costs as much as relaying several datagrams, and where many come at short intervals each would wake it. So
/// while more than a number come a second, the shard rests a moment between looks, and handles together what has come. Below
/// that it looks at once, and nothing is delayed. It also looks at once after a look that found many: there resting saves little,
/// and the time is needed.
struct WakeupModeration {
    private let pause: Int64
    private var windowEnd: NIODeadline
    private var lastCount = 0
    private var seen = 0
    private var isBusy = false

    init(pause: TimeAmount, now: NIODeadline) {
        self.pause = pause.nanoseconds
        self.windowEnd = now
    }

    /// How long to rest, in microseconds; 0 for not at all.
    ///
    /// - Parameter count: Datagrams relayed so far.
    mutating func rest(after count: Int, now: NIODeadline) -> Int32 {
        guard self.pause > 0 else { return 0 }
        let found = count - self.seen
        self.seen = count
        if now >= self.windowEnd {
            self.isBusy = count - self.lastCount > Self.busyCount && now < self.windowEnd + Self.window
            self.lastCount = count
            self.windowEnd = now + Self.window
        }
        return self.isBusy && found < Self.fullLook ? Int32(self.pause / 1_000) : 0
    }

    private static let window = TimeAmount.milliseconds(20)
    /// Datagrams in a window, from which on it is busy: 4,000 a second.
    private static let busyCount = 80
    /// Datagrams of one look that are many.
    private static let fullLook = 128
}
