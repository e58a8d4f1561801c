/// Counts what a ``WHIPRateLimit`` allows.
struct TokenBucket {
    private let limit: WHIPRateLimit
    private var tokens: Double
    private var last: Duration

    /// A full bucket.
    ///
    /// - Parameter now: The time since any instant, the same for all calls.
    init(_ limit: WHIPRateLimit, now: Duration) {
        self.limit = limit
        self.tokens = Double(limit.burst)
        self.last = now
    }

    /// Takes a token if there is one.
    mutating func take(now: Duration) -> Bool {
        let elapsed = (now - self.last) / .seconds(1)
        self.last = now
        self.tokens = min(Double(self.limit.burst), self.tokens + max(0, elapsed) * self.limit.perSecond)
        guard self.tokens >= 1 else { return false }
        self.tokens -= 1
        return true
    }

    /// Puts a token back that was taken for nothing.
    mutating func giveBack() { self.tokens = min(Double(self.limit.burst), self.tokens + 1) }
}

/// The time since it was made, on a clock of any kind.
struct Stopwatch: Sendable {
    let elapsed: @Sendable () -> Duration

    init(_ clock: some Clock<Duration>) {
        let start = clock.now
        self.elapsed = { start.duration(to: clock.now) }
    }
}
