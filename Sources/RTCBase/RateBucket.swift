package import NIOCore

/// What may be used in bursts, and refills with time: so much a second (`rate`), up to so much (`burst`).
package struct RateBucket: Sendable {
    private var level: Double
    private var lastRefill: NIODeadline

    /// A full bucket.
    package init(burst: Int, now: NIODeadline) {
        self.level = Double(burst)
        self.lastRefill = now
    }

    /// Takes so much; false if there is less.
    package mutating func take(_ amount: Int, rate: Double, burst: Int, now: NIODeadline) -> Bool {
        self.refill(rate: rate, burst: burst, now: now)
        guard self.level >= Double(amount) else { return false }
        self.level -= Double(amount)
        return true
    }

    /// How long until there is so much, if nothing is taken meanwhile; zero if there is. Never more than an hour.
    package mutating func wait(for amount: Int, rate: Double, burst: Int, now: NIODeadline) -> TimeAmount {
        self.refill(rate: rate, burst: burst, now: now)
        let missing = Double(amount) - self.level
        guard missing > 0 else { return .zero }
        // Rounded up: woken too early, one would wait again for nothing.
        return .nanoseconds(Int64((min(3_600, missing / rate) * 1e9).rounded(.up)) + 1)
    }

    /// Puts back what was taken for nothing.
    package mutating func giveBack(_ amount: Int, burst: Int) {
        self.level = min(Double(burst), self.level + Double(amount))
    }

    /// Takes so much, or what there is.
    package mutating func spend(_ amount: Int) { self.level = max(0, self.level - Double(amount)) }

    private mutating func refill(rate: Double, burst: Int, now: NIODeadline) {
        let elapsed = Double(max(0, (now - self.lastRefill).nanoseconds)) / 1e9
        self.lastRefill = max(self.lastRefill, now)
        self.level = min(Double(burst), self.level + elapsed * rate)
    }
}
