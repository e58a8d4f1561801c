import NIOCore

/// Says when what has an RTP timestamp is due, by the fastest packets lately: those that waited in no queue.
struct PlayoutClock: Sendable {
    private let clockRate: Double
    private var timestamps = TimestampUnwrapper()
    private var origin: (timestamp: Int64, arrival: NIODeadline)?
    /// By how much the fastest packet came before the origin's time, in nanoseconds; not above zero.
    private var fastest: Int64 = 0

    init(clockRate: UInt32) { self.clockRate = Double(max(clockRate, 1)) }

    mutating func note(_ timestamp: UInt32, arrival: NIODeadline) {
        let time = self.timestamps.unwrap(timestamp)
        guard let origin = self.origin else {
            self.origin = (time, arrival)
            return
        }
        let offset = (arrival - origin.arrival).nanoseconds - self.nanoseconds(time - origin.timestamp)
        // A clock that runs slower than ours must not be waited for ever longer: the minimum ages.
        self.fastest = min(offset, self.fastest + Self.aging)
    }

    /// When a frame is to leave; not before it came.
    func due(_ timestamp: UInt32, arrival: NIODeadline, target: TimeAmount) -> NIODeadline {
        guard let origin = self.origin else { return arrival }
        var timestamps = self.timestamps
        let media = self.nanoseconds(timestamps.unwrap(timestamp) - origin.timestamp)
        let early = media + self.fastest + target.nanoseconds - (arrival - origin.arrival).nanoseconds
        return arrival + .nanoseconds(min(max(early, 0), Self.longestHold))
    }

    /// A peer's timestamps may be anything: what they amount to is bounded to a century.
    private func nanoseconds(_ ticks: Int64) -> Int64 {
        Int64(min(max(Double(ticks) / self.clockRate * 1e9, -Self.century), Self.century))
    }

    private static let century = 3e18
    /// Nanoseconds that a frame is held at most, whatever its timestamp says.
    private static let longestHold: Int64 = 10_000_000_000

    /// Nanoseconds a packet.
    private static let aging: Int64 = 2_000
}
