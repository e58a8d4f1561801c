/// What the bottleneck carried when its queue grew: the mean of the delivery rates then, and how far they scatter
/// (draft-ietf-rmcat-gcc-02 section 5.5).
struct LinkCapacityEstimator: Sendable {
    private var mean: Double?
    /// The variance, relative to the mean, in kbit/s.
    private var deviation = 0.4

    /// The mean, `nil` while nothing is known.
    var estimate: Bitrate? { self.mean.map { Bitrate($0 * 1000) } }
    /// Three deviations above the mean.
    var upperBound: Bitrate? { self.mean.map { Bitrate(($0 + 3 * self.spread($0)) * 1000) } }
    /// Three deviations below the mean.
    var lowerBound: Bitrate? { self.mean.map { Bitrate(($0 - 3 * self.spread($0)) * 1000) } }

    /// Takes the delivery rate at an overuse.
    mutating func addOveruse(_ rate: Bitrate) { self.update(rate.value / 1000, weight: 0.05) }

    /// Takes the result of a probe.
    mutating func addProbe(_ rate: Bitrate) { self.update(rate.value / 1000, weight: 0.5) }

    /// Forgets all.
    mutating func reset() { self.mean = nil }

    private mutating func update(_ sample: Double, weight: Double) {
        let mean = self.mean.map { $0 * (1 - weight) + sample * weight } ?? sample
        let error = mean - sample
        self.deviation = self.deviation * (1 - weight) + error * error / max(mean, 1) * weight
        self.deviation = min(max(self.deviation, 0.4), 2.5)
        self.mean = mean
    }

    private func spread(_ mean: Double) -> Double { (self.deviation * mean).squareRoot() }
}
