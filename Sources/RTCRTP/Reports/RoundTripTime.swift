public import NIOCore

/// How long a packet takes there and back, from what a report says of an earlier one (RFC 3550 section 6.4.1, RFC 3611
/// section 4.5).
public enum RoundTripTime {
    /// The time, not below zero.
    ///
    /// - Parameters:
    ///   - now: When the report came, on the clock of the one that it answers.
    ///   - last: The middle 32 bits of the NTP time of what it answers (LSR or LRR).
    ///   - delay: How long the peer waited with it, in units of 1/65,536 s (DLSR or DLRR).
    /// - Returns: `nil` if the report answers nothing, or says what cannot be: more than a minute, or a second less than
    ///   nothing.
    public static func measure(now: NTPTimestamp, last: UInt32, delay: UInt32) -> TimeAmount? {
        guard last != 0 else { return nil }
        let units = Int64(Int32(bitPattern: now.compact &- last &- delay))
        guard units > -65_536, units <= 60 * 65_536 else { return nil }
        // Clocks are rounded on both sides, so very short times come out below zero.
        return .nanoseconds((max(units, 0) * 1_000_000_000) >> 16)
    }

    /// A time in units of 1/65,536 s, as reports say delays; not below zero, nor above what 32 bits can say.
    static func units(of amount: TimeAmount) -> UInt32 {
        let nanoseconds = max(amount.nanoseconds, 0)
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard seconds < 65_536 else { return .max }
        return UInt32(seconds << 16 + (rest << 16) / 1_000_000_000)
    }
}
