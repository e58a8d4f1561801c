public import NIOCore

/// Bits per second; never negative.
public struct Bitrate: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Bits per second, 0 to ``maximum``.
    public let bitsPerSecond: Int

    /// A rate in bits per second, brought into the range of 0 to 1 Tbit/s.
    public init(bitsPerSecond: Int) {
        self.bitsPerSecond = min(max(0, bitsPerSecond), Self.limit)
    }

    /// The rate in bits per second, brought into the range of 0 to 1 Tbit/s; zero for what is no number.
    init(_ bitsPerSecond: Double) {
        // A comparison with NaN is false, so it ends as zero.
        guard bitsPerSecond > 0 else {
            self = .zero
            return
        }
        self.bitsPerSecond = Int(min(bitsPerSecond, Double(Self.limit)))
    }

    /// No bits at all.
    public static let zero = Bitrate(bitsPerSecond: 0)
    /// 1 Tbit/s: more than anything here is made for.
    public static let maximum = Bitrate(bitsPerSecond: Bitrate.limit)

    /// A rate in bits per second.
    public static func bitsPerSecond(_ value: Int) -> Bitrate { Bitrate(bitsPerSecond: value) }
    /// A rate in thousands of bits per second.
    public static func kilobitsPerSecond(_ value: Int) -> Bitrate {
        Bitrate(bitsPerSecond: min(max(0, value), self.limit / 1000) * 1000)
    }

    /// The rate of `bytes` spread over `duration`; zero for a duration that is not positive.
    public init(bytes: Int, over duration: TimeAmount) {
        guard duration.nanoseconds > 0 else {
            self = .zero
            return
        }
        self.init(Double(bytes) * 8e9 / Double(duration.nanoseconds))
    }

    /// How many whole bytes this rate carries in `duration`.
    public func bytes(in duration: TimeAmount) -> Int {
        Int(Double(self.bitsPerSecond) * Double(max(0, duration.nanoseconds)) / 8e9)
    }

    /// How long this rate takes for `bytes`; an hour for a rate of zero.
    public func duration(of bytes: Int) -> TimeAmount {
        guard self.bitsPerSecond > 0 else { return .hours(1) }
        return .nanoseconds(Int64(min(Double(max(0, bytes)) * 8e9 / Double(self.bitsPerSecond), 3.6e12)))
    }

    var value: Double { Double(self.bitsPerSecond) }

    private static let limit = 1_000_000_000_000

    /// The rate with its unit.
    public var description: String {
        self.bitsPerSecond >= 10_000 ? "\(self.bitsPerSecond / 1000) kbit/s" : "\(self.bitsPerSecond) bit/s"
    }

    /// Orders by speed.
    public static func < (lhs: Bitrate, rhs: Bitrate) -> Bool { lhs.bitsPerSecond < rhs.bitsPerSecond }
    /// The sum, at most ``maximum``.
    public static func + (lhs: Bitrate, rhs: Bitrate) -> Bitrate {
        Bitrate(bitsPerSecond: lhs.bitsPerSecond + rhs.bitsPerSecond)
    }
    /// The difference, at least zero.
    public static func - (lhs: Bitrate, rhs: Bitrate) -> Bitrate {
        Bitrate(bitsPerSecond: lhs.bitsPerSecond - rhs.bitsPerSecond)
    }
    /// The rate times a factor; zero for negative factors.
    public static func * (lhs: Bitrate, rhs: Double) -> Bitrate { Bitrate(lhs.value * rhs) }
}
