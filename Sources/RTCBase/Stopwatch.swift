package import NIOCore

/// Tells time as engines take it, by a clock of any kind.
package struct Stopwatch: Sendable {
    /// The time since the stopwatch was made: comparable with what it told before, and with nothing else.
    package let now: @Sendable () -> NIODeadline

    package init(_ clock: some Clock<Duration>) {
        let start = clock.now
        self.now = { .uptimeNanoseconds(0) + TimeAmount(start.duration(to: clock.now)) }
    }
}
