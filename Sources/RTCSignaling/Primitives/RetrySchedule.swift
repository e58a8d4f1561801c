package import NIOCore
package import RTCBase

/// When something that failed is tried again: soon at first, then ever more seldom, and not for ever.
package struct RetrySchedule: Sendable {
    private static var shortest: TimeAmount { .milliseconds(100) }
    private static var longest: TimeAmount { .seconds(5) }

    private let limit: TimeAmount
    private var random: RandomSource
    private var failingSince: NIODeadline?
    private var delay = Self.shortest
    private var reachedAt: NIODeadline?

    /// - Parameter limit: How long failures may go on before it is given up.
    package init(limit: TimeAmount, random: RandomSource = .system) {
        self.limit = limit
        self.random = random
    }

    /// It went well.
    package mutating func succeeded() {
        self.failingSince = nil
        self.reachedAt = nil
        self.delay = Self.shortest
    }

    /// The other side was reached, by something that goes on: failures before do not count, and if it goes on for a while it went
    /// well. What is cut off at once waits longer each time all the same.
    package mutating func reached(now: NIODeadline) {
        self.failingSince = nil
        self.reachedAt = now
    }

    /// It failed.
    ///
    /// - Parameter least: The least time that the other side wants to pass.
    /// - Returns: How long to wait; nil to give up. Half of it is random, so that clients that failed together do not come back
    ///   together.
    package mutating func failed(atLeast least: TimeAmount? = nil, now: NIODeadline) -> TimeAmount? {
        if let reached = self.reachedAt, now >= reached + Self.longest { self.delay = Self.shortest }
        self.reachedAt = nil
        let since = self.failingSince ?? now
        self.failingSince = since
        guard now < since + self.limit else { return nil }
        let half = self.delay.nanoseconds / 2
        let wait = TimeAmount.nanoseconds(half + Int64.random(in: 0...half, using: &self.random))
        self.delay = min(self.delay * 2, Self.longest)
        return max(wait, least ?? .zero)
    }
}
