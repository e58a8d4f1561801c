/// Says when what has an RTP timestamp was captured, on the sender's wall clock, from its reports (RFC 3550 section 6.4.1).
///
/// With it, streams of one sender are played in step. Reports are rounded and late, and the sender's two clocks drift apart:
/// a line is laid through the last ones. A report that is far off is taken for an error, two that agree for a new
/// beginning.
public struct SenderClock: Sendable {
    private struct Pair: Sendable {
        // Seconds by the stream's timestamps, and by how much the wall clock is ahead of them, both from the first report.
        var media: Double
        var offset: Double
    }

    /// How many reports the line is laid through.
    public static let capacity = 24
    // The line needs a length before its slope says more than the reports' rounding.
    private static let shortestLine = 5.0
    // No quartz is worse than this.
    private static let largestDrift = 0.001
    private static let largestDeviation = 0.25

    /// The rate of the timestamps, per second.
    public let clockRate: UInt32
    // The timestamp of the last report, unwrapped.
    private var newest: Int64?
    private var origin: (timestamp: Int64, ntpTime: NTPTimestamp)?
    private var pairs: [Pair] = []
    private var suspect: Pair?
    // The line: the offset at `middle`, and how it changes a second.
    private var middle = 0.0
    private var meanOffset = 0.0
    private var drift = 0.0

    /// A clock that has seen no report.
    ///
    /// - Parameter clockRate: 0 makes a clock that never says anything.
    public init(clockRate: UInt32) { self.clockRate = clockRate }

    /// Whether a report was seen, so that ``ntpTime(of:)`` answers.
    public var isSet: Bool { !self.pairs.isEmpty }

    /// How many more seconds the wall clock runs in a second of timestamps; 0 while too few reports were seen.
    public var estimatedDrift: Double { self.drift }

    /// Takes note of a sender report of the stream. One that repeats an earlier one says nothing new.
    public mutating func receive(_ report: RTCPSenderInfo) {
        guard self.clockRate > 0, report.ntpTime.rawValue != 0 else { return }
        let timestamp = self.unwrap(report.rtpTimestamp)
        self.newest = max(self.newest ?? timestamp, timestamp)
        let origin = self.origin ?? (timestamp, report.ntpTime)
        self.origin = origin
        let media = Double(timestamp - origin.timestamp) / Double(self.clockRate)
        let wall = Self.seconds(from: origin.ntpTime, to: report.ntpTime)
        self.add(Pair(media: media, offset: wall - media))
    }

    private mutating func add(_ pair: Pair) {
        guard let last = self.pairs.last else {
            self.pairs = [pair]
            self.layLine()
            return
        }
        guard pair.media != last.media || pair.offset != last.offset else { return }
        if abs(pair.offset - self.offset(at: pair.media)) <= Self.largestDeviation {
            self.suspect = nil
            if self.pairs.count >= Self.capacity { self.pairs.removeFirst() }
            self.pairs.append(pair)
        } else if let suspect = self.suspect, abs(suspect.offset - pair.offset) <= Self.largestDeviation {
            self.suspect = nil
            self.pairs = [suspect, pair]
        } else {
            self.suspect = pair
            return
        }
        self.layLine()
    }

    /// When what has this timestamp was captured, on the sender's wall clock; `nil` before the first report.
    ///
    /// - Parameter timestamp: Within 2³¹ units of the newest that was reported.
    public func ntpTime(of timestamp: UInt32) -> NTPTimestamp? {
        guard let origin = self.origin, self.isSet else { return nil }
        let media = Double(self.unwrap(timestamp) - origin.timestamp) / Double(self.clockRate)
        let seconds = media + self.offset(at: media)
        let whole = seconds.rounded(.down)
        let units = Int64(whole) << 32 &+ Int64((seconds - whole) * 4_294_967_296)
        return NTPTimestamp(rawValue: origin.ntpTime.rawValue &+ UInt64(bitPattern: units))
    }

    private func unwrap(_ timestamp: UInt32) -> Int64 {
        guard let newest = self.newest else { return Int64(timestamp) }
        return newest + Int64(Int32(bitPattern: timestamp &- UInt32(truncatingIfNeeded: newest)))
    }

    private func offset(at media: Double) -> Double { self.meanOffset + self.drift * (media - self.middle) }

    private mutating func layLine() {
        let count = Double(self.pairs.count)
        self.middle = self.pairs.reduce(0) { $0 + $1.media } / count
        self.meanOffset = self.pairs.reduce(0) { $0 + $1.offset } / count
        self.drift = 0
        let media = self.pairs.map(\.media)
        guard let first = media.min(), let last = media.max(), last - first >= Self.shortestLine else { return }
        var (products, squares) = (0.0, 0.0)
        for pair in self.pairs {
            products += (pair.media - self.middle) * (pair.offset - self.meanOffset)
            squares += (pair.media - self.middle) * (pair.media - self.middle)
        }
        self.drift = min(max(products / squares, -Self.largestDrift), Self.largestDrift)
    }

    private static func seconds(from first: NTPTimestamp, to second: NTPTimestamp) -> Double {
        Double(Int64(bitPattern: second.rawValue &- first.rawValue)) / 4_294_967_296
    }
}
