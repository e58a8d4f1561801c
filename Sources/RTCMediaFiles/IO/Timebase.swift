/// The length of a tick as a fraction of a second.
public struct Timebase: Sendable, Hashable {
    /// The seconds that ``denominator`` ticks last.
    public let numerator: UInt32
    /// How many ticks there are in ``numerator`` seconds.
    public let denominator: UInt32

    /// A tick of `numerator / denominator` seconds; `nil` if either is 0.
    public init?(numerator: UInt32, denominator: UInt32) {
        guard numerator > 0, denominator > 0 else { return nil }
        self.numerator = numerator
        self.denominator = denominator
    }

    private init(unchecked denominator: UInt32) {
        self.numerator = 1
        self.denominator = denominator
    }

    /// Milliseconds.
    public static let milliseconds = Timebase(unchecked: 1000)
    /// The RTP clock of video, 90,000 ticks a second.
    public static let video = Timebase(unchecked: 90_000)
    /// Pictures of 30 a second.
    public static let thirtieth = Timebase(unchecked: 30)
    /// The RTP clock of Opus, 48,000 ticks a second.
    public static let opus = Timebase(unchecked: 48_000)

    /// How long `ticks` last; `nil` beyond what a `Duration` holds.
    public func duration(of ticks: UInt64) -> Duration? {
        let product = UInt128(ticks) * UInt128(self.numerator)
        let (seconds, rest) = product.quotientAndRemainder(dividingBy: UInt128(self.denominator))
        guard let whole = Int64(exactly: seconds), whole < Int64.max >> 1 else { return nil }
        let attoseconds = rest * 1_000_000_000_000_000_000 / UInt128(self.denominator)
        return Duration(secondsComponent: whole, attosecondsComponent: Int64(attoseconds))
    }

    /// The tick nearest to a time; `nil` before zero and beyond 64 bits.
    public func ticks(in duration: Duration) -> UInt64? {
        guard duration >= .zero else { return nil }
        let (seconds, attoseconds) = duration.components
        let unit = UInt128(1_000_000_000_000_000_000)
        // Split, because attoseconds times ticks would not fit.
        let whole = UInt128(seconds) * UInt128(self.denominator)
        let (ticks, rest) = whole.quotientAndRemainder(dividingBy: UInt128(self.numerator))
        let part = (rest * unit + UInt128(attoseconds) * UInt128(self.denominator)) / UInt128(self.numerator)
        return UInt64(exactly: ticks + (part + unit / 2) / unit)
    }
}

extension Duration {
    /// The RTP timestamp of this time in a clock that began with 0: its low 32 bits.
    package func rtpTimestamp(clockRate: Int) -> UInt32 {
        let (seconds, attoseconds) = self.components
        let unit = Int128(1_000_000_000_000_000_000)
        let part = (Int128(attoseconds) * Int128(clockRate) + unit / 2) / unit
        return UInt32(truncatingIfNeeded: Int128(seconds) * Int128(clockRate) + part)
    }
}
