internal import NIOCore

/// The round-trip time and the time-outs that follow from it (RFC 9260 section 6.3, RFC 6298).
struct RetransmissionTimeout {
    private let initial: Int64
    private let minimum: Int64
    private let maximum: Int64
    private var variation: Int64 = 0
    /// The smoothed round-trip time in nanoseconds; 0 before the first sample.
    private(set) var smoothed: Int64 = 0
    /// The smallest round-trip time seen in nanoseconds; 0 before the first sample.
    private(set) var least: Int64 = 0
    /// The time-out in nanoseconds.
    private(set) var value: Int64

    init(initial: Int, minimum: Int, maximum: Int) {
        self.minimum = Int64(minimum) * 1_000_000
        self.maximum = Int64(maximum) * 1_000_000
        self.initial = Int64(initial) * 1_000_000
        self.value = self.initial
    }

    mutating func addSample(_ sample: TimeAmount) {
        let sample = max(sample.nanoseconds, 1_000)
        if self.smoothed == 0 {
            self.smoothed = sample
            self.variation = sample / 2
            self.least = sample
        } else {
            self.variation += (abs(self.smoothed - sample) - self.variation) / 4
            self.smoothed += (sample - self.smoothed) / 8
            self.least = min(self.least, sample)
        }
        self.forgetBackOff()
    }

    /// Forgets what was measured: another path leads to the peer.
    mutating func reset() {
        self.smoothed = 0
        self.variation = 0
        self.least = 0
        self.value = self.initial
    }

    /// Takes back what expired time-outs have added.
    mutating func forgetBackOff() {
        self.value =
            self.smoothed == 0
            ? self.initial : min(max(self.smoothed + 4 * self.variation, self.minimum), self.maximum)
    }

    /// The time-out expired.
    mutating func backOff() { self.value = min(self.value * 2, self.maximum) }

    var timeout: TimeAmount { .nanoseconds(self.value) }

    /// How long to wait for an acknowledgement before the last chunk is sent again to provoke one (RFC 8985 section 7.2).
    ///
    /// - Parameter isLone: Whether a single packet is under way, whose acknowledgement the peer may delay.
    func probeTimeout(isLone: Bool) -> TimeAmount {
        guard self.smoothed > 0 else { return self.timeout }
        let delayed: Int64 = isLone ? 200_000_000 : 0
        return .nanoseconds(min(max(2 * self.smoothed + delayed, 10_000_000), self.value))
    }
}
