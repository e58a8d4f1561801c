import NIOCore

/// Raises the rate while the queues on the way are short and lowers it when they grow (draft-ietf-rmcat-gcc-02 section 5.5).
///
/// Far from the known capacity it grows by 8 % a second, near it by about a packet for each response time. At an overuse it
/// falls to 85 % of what was delivered, and lower when a long queue has to drain.
struct RateController: Sendable {
    private enum State {
        case hold
        case increase
    }

    private var state = State.hold
    private var capacity = LinkCapacityEstimator()
    private var lastUpdate: NIODeadline?
    private var lastDecrease: NIODeadline?
    /// What the delays allow.
    private(set) var rate: Bitrate
    /// Whether the last update lowered the rate.
    private(set) var hasDecreased = false

    init(rate: Bitrate) { self.rate = rate }

    /// What is known when the rate is updated.
    struct Input {
        var usage: TrendlineDetector.Usage
        var acknowledged: Bitrate?
        /// The share of packets lost that is not from congestion, 0 to 1.
        var inherentLoss: Double
        /// In milliseconds.
        var queueDelay: Double
        var roundTripTime: TimeAmount
        /// Whether the queue stays long whatever we do.
        var isCompeting: Bool
        var isApplicationLimited: Bool
        var limits: ClosedRange<Bitrate>
    }

    /// Takes the state of the path at `now`.
    mutating func update(_ input: Input, now: NIODeadline) {
        self.hasDecreased = false
        let elapsed = self.lastUpdate.map { min(max(0, (now - $0).nanoseconds), 1_000_000_000) } ?? 0
        self.lastUpdate = now
        switch input.usage {
        case .overuse:
            if self.mayDecrease(input, now: now) { self.decrease(input, now: now) }
            self.state = .hold
        case .underuse:
            self.state = .hold
        case .normal:
            if self.state == .increase {
                self.increase(input, seconds: Double(elapsed) / 1e9)
            }
            self.state = .increase
        }
        self.rate = min(max(self.rate, input.limits.lowerBound), input.limits.upperBound)
    }

    /// Takes what a probe has shown.
    mutating func apply(probe: Bitrate, limits: ClosedRange<Bitrate>) {
        self.capacity.addProbe(probe)
        self.rate = min(max(probe, limits.lowerBound), limits.upperBound)
    }

    /// Lowers the rate from outside, as when feedback stays away.
    mutating func lower(to rate: Bitrate) { self.rate = min(self.rate, rate) }

    /// Forgets the capacity, as when the route changes.
    mutating func reset(to rate: Bitrate) { self = RateController(rate: rate) }

    /// Once in a response time is enough: what was decided before has no effect yet.
    private func mayDecrease(_ input: Input, now: NIODeadline) -> Bool {
        guard let last = self.lastDecrease else { return true }
        let response = max(.milliseconds(50), min(input.roundTripTime, .milliseconds(500)))
        if now - last >= response { return true }
        guard let acknowledged = input.acknowledged else { return false }
        return acknowledged < self.rate * 0.5
    }

    private mutating func decrease(_ input: Input, now: NIODeadline) {
        self.lastDecrease = now
        self.hasDecreased = true
        guard let acknowledged = input.acknowledged else {
            self.rate = self.rate * 0.5
            return
        }
        // What random loss took was carried by the bottleneck, too.
        let delivered = acknowledged * (1 / (1 - min(input.inherentLoss, 0.3)))
        if let lower = self.capacity.lowerBound, delivered < lower { self.capacity.reset() }
        self.capacity.addOveruse(delivered)
        let excess = max(0, input.queueDelay - Self.harmlessQueue)
        let factor = max(Self.deepestCut, Self.cut - excess / Self.drainTime)
        let lowered = min(delivered * factor, self.rate * Self.leastCut)
        // Who yields to a flow that fills the queue anyway only gives it more room.
        self.rate = input.isCompeting ? max(lowered, self.rate * Self.competingCut) : lowered
    }

    private mutating func increase(_ input: Input, seconds: Double) {
        guard !input.isApplicationLimited else { return }
        if let acknowledged = input.acknowledged, let upper = self.capacity.upperBound, acknowledged > upper {
            self.capacity.reset()
        }
        var raised: Bitrate
        if self.capacity.estimate == nil || input.isCompeting {
            raised =
                self.rate + max(self.rate * (Self.growth(seconds) - 1), Bitrate(bitsPerSecond: Int(1000 * seconds)))
        } else {
            let response = Double(input.roundTripTime.nanoseconds) / 1e9 + 0.1
            let perSecond = max(4000, Self.packetBits / response)
            raised = self.rate + Bitrate(bitsPerSecond: Int(perSecond * seconds))
        }
        // Growing far beyond what arrives would only be guessing.
        if let acknowledged = input.acknowledged {
            raised = min(raised, max(self.rate, acknowledged * 1.5 + .kilobitsPerSecond(10)))
        }
        self.rate = raised
    }

    /// 1.08 to the power of `seconds`, which are at most one.
    private static func growth(_ seconds: Double) -> Double { 1 + 0.077 * seconds + 0.003 * seconds * seconds }

    private static let cut = 0.85
    private static let leastCut = 0.97
    private static let competingCut = 0.98
    private static let deepestCut = 0.6
    /// Milliseconds of queue that the ordinary cut drains by itself.
    private static let harmlessQueue = 60.0
    /// A queue of so many milliseconds above that would stop us entirely.
    private static let drainTime = 1500.0
    private static let packetBits = 9600.0
}
