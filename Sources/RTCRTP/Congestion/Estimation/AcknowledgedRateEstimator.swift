/// The rate at which packets arrive at the peer, from their arrival times.
///
/// Samples of 150 ms are weighed against the estimate as a Bayesian would: one far from it counts less, so that frames of
/// different size do not shake it and a lasting change still moves it within a few samples.
struct AcknowledgedRateEstimator: Sendable {
    private var windowBegan: Int64?
    private var lastArrival: Int64 = 0
    private var bytes = 0
    private var estimate: Double?
    private var variance = 50.0

    /// The rate, `nil` until half a second was seen.
    var rate: Bitrate? { self.estimate.map { Bitrate($0 * 1000) } }

    /// Takes one packet that arrived, `arrival` in nanoseconds.
    mutating func add(bytes: Int, arrival: Int64, isApplicationLimited: Bool) {
        guard let began = self.windowBegan, arrival >= began else {
            self.windowBegan = arrival
            self.bytes = 0
            self.lastArrival = arrival
            return
        }
        let length = self.estimate == nil ? Self.firstWindow : Self.window
        if arrival - began >= length {
            let elapsed = arrival - began
            // A pause belongs to the sender, not to the path.
            if arrival - self.lastArrival < Self.pause {
                let sample = Double(self.bytes) * 8 / (Double(elapsed) / 1e6)
                self.update(sample, isApplicationLimited: isApplicationLimited)
            }
            self.windowBegan = arrival
            self.bytes = 0
        }
        self.bytes += bytes
        self.lastArrival = max(self.lastArrival, arrival)
    }

    /// Kilobits per second.
    private mutating func update(_ sample: Double, isApplicationLimited: Bool) {
        guard let estimate = self.estimate else {
            self.estimate = sample
            return
        }
        // While the application limits us, a low sample tells about it and not about the path.
        let scale = isApplicationLimited && sample < estimate ? 20.0 : 10.0
        let uncertainty = scale * abs(estimate - sample) / max(1, estimate + min(sample, 40))
        let sampleVariance = max(uncertainty * uncertainty, 1)
        let predicted = self.variance + 5
        self.estimate = (sampleVariance * estimate + predicted * sample) / (sampleVariance + predicted)
        self.variance = sampleVariance * predicted / (sampleVariance + predicted)
    }

    private static let firstWindow: Int64 = 500_000_000
    private static let window: Int64 = 150_000_000
    private static let pause: Int64 = 2_000_000_000
}
