package import NIOCore
package import RTCBase

/// How long to wait before the next attempt: longer from one to the next, and for nobody the same.
package struct BackOff: Sendable {
    private let first: TimeAmount
    private let longest: TimeAmount
    private var random: RandomSource
    /// Attempts since ``reset()``.
    package private(set) var attempts = 0

    /// - Parameters:
    ///   - first: The longest first delay; each next is twice as long.
    ///   - longest: The longest delay of all.
    package init(first: TimeAmount, longest: TimeAmount, random: RandomSource) {
        self.first = first
        self.longest = longest
        self.random = random
    }

    /// The next delay: between the half and the whole of what it is due to be.
    package mutating func next() -> TimeAmount {
        let doublings = min(self.attempts, 30)
        self.attempts += 1
        let due = min(Double(self.first.nanoseconds) * Double(1 << doublings), Double(self.longest.nanoseconds))
        return .nanoseconds(Int64(due * Double.random(in: 0.5...1, using: &self.random)))
    }

    /// Begins with short delays again.
    package mutating func reset() { self.attempts = 0 }
}
