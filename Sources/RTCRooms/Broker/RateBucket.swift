package import NIOCore

/// What may be used in bursts, and refills with time.
package struct RateBucket: Sendable {
    private var level: Double
    private var lastRefill: NIODeadline

    /// A full bucket.
    package init(burst: Int, now: NIODeadline) {
        self.level = Double(burst)
        self.lastRefill = now
    }

    /// Takes so much; false if there is less.
    package mutating func take(_ amount: Int, rate: Int, burst: Int, now: NIODeadline) -> Bool {
        let elapsed = Double(max(0, (now - self.lastRefill).nanoseconds)) / 1e9
        self.lastRefill = max(self.lastRefill, now)
        self.level = min(Double(burst), self.level + elapsed * Double(rate))
        guard self.level >= Double(amount) else { return false }
        self.level -= Double(amount)
        return true
    }
}
