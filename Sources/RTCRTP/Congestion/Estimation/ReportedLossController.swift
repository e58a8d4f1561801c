import NIOCore

/// The rate by the loss of RTCP's report blocks, for peers that tell nothing better (draft-ietf-rmcat-gcc-02 section 6).
struct ReportedLossController: Sendable {
    private var lastUpdate: NIODeadline?
    private var lastDecrease: NIODeadline?
    /// The rate, `nil` before the first report.
    private(set) var rate: Bitrate?
    /// The share of packets lost, smoothed, 0 to 1.
    private(set) var fractionLost = 0.0

    /// Takes a report.
    mutating func update(
        fractionLost: Double,
        packets: Int,
        start: Bitrate,
        limits: ClosedRange<Bitrate>,
        now: NIODeadline
    ) {
        // A report about few packets says little.
        let weight = min(1, Double(packets) / 20) * 0.5
        self.fractionLost += weight * (fractionLost - self.fractionLost)
        var rate = self.rate ?? start
        let elapsed = self.lastUpdate.map { min(Double((now - $0).nanoseconds) / 1e9, 2) } ?? 0
        self.lastUpdate = now
        if self.fractionLost < 0.02 {
            rate = rate * (1 + 0.08 * max(0, elapsed))
        } else if self.fractionLost > 0.1, self.lastDecrease.map({ now - $0 >= .milliseconds(300) }) ?? true {
            rate = rate * (1 - 0.5 * self.fractionLost)
            self.lastDecrease = now
        }
        self.rate = min(max(rate, limits.lowerBound), limits.upperBound)
    }
}
