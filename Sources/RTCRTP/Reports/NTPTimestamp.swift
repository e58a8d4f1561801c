public import NIOCore

/// A time as NTP counts it: seconds since 1900 in units of 2⁻³² s, beginning anew in 2036 (RFC 5905 section 6).
public struct NTPTimestamp: Sendable, Hashable, RawRepresentable {
    /// Seconds in the upper 32 bits, their fraction in the lower 32.
    public let rawValue: UInt64

    /// A time in units of 2⁻³² s.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// A time from its two halves.
    public init(seconds: UInt32, fraction: UInt32) {
        self.rawValue = UInt64(seconds) << 32 | UInt64(fraction)
    }

    /// A time of the wall clock.
    ///
    /// - Parameter nanoseconds: Since 1970 began, UTC.
    public init(unixNanoseconds nanoseconds: Int64) {
        let (seconds, rest) = Self.split(nanoseconds)
        let fraction = (UInt64(rest) << 32 + 500_000_000) / 1_000_000_000
        self.rawValue = UInt64(bitPattern: seconds &+ Self.unixEpoch) << 32 &+ fraction
    }

    /// The whole seconds.
    public var seconds: UInt32 { UInt32(truncatingIfNeeded: self.rawValue >> 32) }
    /// The fraction of a second, in units of 2⁻³² s.
    public var fraction: UInt32 { UInt32(truncatingIfNeeded: self.rawValue) }

    /// The middle 32 bits, units of 1/65,536 s: what reports say of a time (RFC 3550 section 6.4.1).
    public var compact: UInt32 { UInt32(truncatingIfNeeded: self.rawValue >> 16) }

    /// The time of the wall clock, in nanoseconds since 1970 began; years of the era that begins in 2036 are taken for
    /// what they are until 2104.
    public var unixNanoseconds: Int64 {
        // Seconds below the Unix epoch's can only be of the next era.
        let era: Int64 = Int64(self.seconds) < Self.unixEpoch ? 1 << 32 : 0
        let seconds = Int64(self.seconds) + era - Self.unixEpoch
        return seconds * 1_000_000_000 + Int64((UInt64(self.fraction) * 1_000_000_000 + 1 << 31) >> 32)
    }

    /// This time, later by `amount`.
    public func advanced(by amount: TimeAmount) -> NTPTimestamp {
        let (seconds, rest) = Self.split(amount.nanoseconds)
        let fraction = (UInt64(rest) << 32 + 500_000_000) / 1_000_000_000
        return NTPTimestamp(rawValue: self.rawValue &+ UInt64(bitPattern: seconds) << 32 &+ fraction)
    }

    /// How long `later` lies after this on the shorter way round.
    public func duration(to later: NTPTimestamp) -> TimeAmount {
        let units = Int64(bitPattern: later.rawValue &- self.rawValue)
        let fraction = (units & 0xFFFF_FFFF) * 1_000_000_000 + 1 << 31
        return .nanoseconds((units >> 32) * 1_000_000_000 + fraction >> 32)
    }

    // 1970 began so many seconds after 1900.
    private static let unixEpoch: Int64 = 2_208_988_800

    private static func split(_ nanoseconds: Int64) -> (seconds: Int64, rest: Int64) {
        let seconds = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard seconds.remainder < 0 else { return (seconds.quotient, seconds.remainder) }
        return (seconds.quotient - 1, seconds.remainder + 1_000_000_000)
    }
}
