public import NIOCore

/// Says what the wall clock showed at an instant of the event loop's clock.
///
/// It is set once, so it runs as steadily as that clock does, whatever happens to the wall clock.
public struct NTPClock: Sendable, Hashable {
    private let reference: NTPTimestamp
    private let instant: NIODeadline

    /// A clock that showed `time` at `instant`.
    public init(_ time: NTPTimestamp, at instant: NIODeadline) {
        self.reference = time
        self.instant = instant
    }

    /// What it shows at an instant.
    public func time(at instant: NIODeadline) -> NTPTimestamp {
        self.reference.advanced(by: instant - self.instant)
    }
}
