import NIOCore
import RTCBase

/// A bottleneck: a queue in front of a link of changing capacity, then delay, jitter and loss. Packets stay in order.
final class SimulatedLink {
    struct Profile {
        /// From which second on which capacity in kbit/s holds.
        var capacity: [(second: Double, kilobits: Double)]
        var queueLimit: Double = 300
        var delay: Double = 25
        var jitter: Double = 0
        var loss: Double = 0
        /// The share of time spent in a state in which half of the packets are lost.
        var burstLoss: Double = 0
    }

    let profile: Profile
    private var random: RandomSource
    private var free = 0.0
    private var lastArrival = 0.0
    private var isInBurst = false
    private(set) var dropped = 0

    init(_ profile: Profile, seed: UInt64) {
        self.profile = profile
        self.random = .seeded(seed)
    }

    /// Bits per millisecond.
    func capacity(at time: Double) -> Double {
        var current = self.profile.capacity[0].kilobits
        for step in self.profile.capacity where step.second * 1000 <= time { current = step.kilobits }
        return current
    }

    /// How long a packet that comes now waits, in milliseconds.
    func queueDelay(at time: Double) -> Double { max(0, self.free - time) }

    /// When a packet arrives at the other end, all in milliseconds; `nil` if it is lost.
    func send(bytes: Int, at time: Double) -> Double? {
        guard self.queueDelay(at: time) <= self.profile.queueLimit else {
            self.dropped += 1
            return nil
        }
        self.free = max(self.free, time) + Double(bytes * 8) / self.capacity(at: time)
        guard !self.isLost() else { return nil }
        var arrival = self.free + self.profile.delay
        if self.profile.jitter > 0 { arrival += self.unit() * self.profile.jitter }
        self.lastArrival = max(self.lastArrival, arrival)
        return self.lastArrival
    }

    private func isLost() -> Bool {
        if self.profile.burstLoss > 0 {
            let leave = 0.2
            let enter = leave * self.profile.burstLoss / (1 - self.profile.burstLoss)
            if self.unit() < (self.isInBurst ? leave : enter) { self.isInBurst.toggle() }
            if self.isInBurst, self.unit() < 0.5 { return true }
        }
        return self.profile.loss > 0 && self.unit() < self.profile.loss
    }

    private func unit() -> Double { Double(self.random.next() >> 11) / 9_007_199_254_740_992 }
}
