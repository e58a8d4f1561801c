package import NIOCore

/// Finds the rate that a path carries without long queues (RFC 8836), after Google Congestion Control
/// (draft-ietf-rmcat-gcc-02).
///
/// Three considerations, of which the lowest decides: the trend of the one-way delay, the packets lost, and what the peer
/// allows by REMB. Probes show where the path carries more. Tell of every packet sent and of all feedback; read
/// ``estimate`` and poll for what is to be done.
package struct BandwidthEstimator: Sendable {
    /// How an estimator behaves.
    package struct Configuration: Sendable {
        /// Below which the target never falls. 30 kbit/s by default.
        package var minimum = Bitrate.kilobitsPerSecond(30)
        /// Where to begin. 300 kbit/s by default.
        package var start = Bitrate.kilobitsPerSecond(300)
        /// Above which the target never rises. 50 Mbit/s by default.
        package var maximum = Bitrate.kilobitsPerSecond(50_000)
        /// How much faster than the target packets leave the pacer. 1.5 by default: enough to send a large frame early,
        /// little enough to keep the queues on the way short.
        package var pacingFactor = 1.5
        /// Whether probes are sent. They are by default.
        package var isProbing = true
        /// What round-trip time to suppose before one was measured. 100 ms by default.
        package var initialRoundTripTime = TimeAmount.milliseconds(100)

        /// The defaults.
        package init() {}
    }

    /// What is to be done.
    package enum Output: Sendable {
        /// The estimate changed enough to tell encoders and pacer.
        case estimate(NetworkEstimate)
        /// Send a probe: hand it to ``Pacer/startProbe(_:)``.
        case probe(ProbeCluster)
    }

    /// What an estimator counts.
    package struct Counters: Sendable, Hashable {
        /// Packets that arrived before they were sent, or whose times jump: their times were ignored.
        package var impossibleTimes: UInt64 = 0
        /// How often a growing queue lowered the target.
        package var overuses: UInt64 = 0
        /// Probes asked for.
        package var probes: UInt64 = 0
        /// Probes that gave a result.
        package var probeResults: UInt64 = 0
        /// How often missing feedback lowered the target.
        package var feedbackTimeouts: UInt64 = 0
    }

    var configuration: Configuration
    var interArrival = InterArrivalFilter()
    var trendline = TrendlineDetector()
    var queueDelay = QueueDelayEstimator(memory: .seconds(5))
    var competition = CompetitionDetector()
    var acknowledged = AcknowledgedRateEstimator()
    var rates: RateController
    var loss = LossController()
    var probeEstimator = ProbeEstimator()
    var probeController = ProbeController()
    var applicationLimit = ApplicationLimitDetector()
    var reportedLoss = ReportedLossController()
    var remoteLimit: Bitrate?
    var needed: Bitrate?
    var roundTripTime: TimeAmount
    var hasFeedback = false
    var lastArrival: Int64?
    var lastFeedback: NIODeadline?
    var firstUnacknowledgedSend: NIODeadline?
    var silenceSteps = 0
    var nextTick: NIODeadline?
    var lastReported: NetworkEstimate?
    /// What was counted so far.
    package internal(set) var counters = Counters()

    /// An estimator that knows nothing of the path.
    package init(configuration: Configuration = Configuration()) {
        self.configuration = configuration
        self.rates = RateController(rate: min(max(configuration.start, configuration.minimum), configuration.maximum))
        self.roundTripTime = configuration.initialRoundTripTime
    }

    var limits: ClosedRange<Bitrate> {
        self.configuration.minimum...max(self.configuration.minimum, self.configuration.maximum)
    }

    /// Up to where probing is worth while.
    var probeCeiling: Bitrate {
        var ceiling = self.configuration.maximum
        if let needed = self.needed { ceiling = min(ceiling, max(needed * 1.2, self.configuration.minimum)) }
        if let remoteLimit = self.remoteLimit, !self.hasFeedback { ceiling = min(ceiling, remoteLimit) }
        return ceiling
    }

    /// What is thought of the path at present.
    package var estimate: NetworkEstimate {
        let (target, state) = self.decide()
        return NetworkEstimate(
            target: target,
            pacingRate: max(target, .kilobitsPerSecond(50)) * self.configuration.pacingFactor,
            fractionLost: self.hasFeedback ? self.loss.fractionLost : self.reportedLoss.fractionLost,
            inherentLoss: self.loss.inherentLoss,
            queueDelay: .nanoseconds(Int64(min(self.queueDelay.delay, 1e6) * 1e6)),
            roundTripTime: self.roundTripTime,
            acknowledgedRate: self.acknowledged.rate,
            state: state,
            isApplicationLimited: self.applicationLimit.isLimited
        )
    }

    /// What all streams together may send: for each packet, which needs no more of the estimate.
    var target: Bitrate { self.decide().0 }

    private func decide() -> (Bitrate, NetworkEstimate.State) {
        var target = self.rates.rate
        var state: NetworkEstimate.State = self.rates.hasDecreased ? .delayLimited : .increasing
        if !self.hasFeedback, let reported = self.reportedLoss.rate, reported < target {
            target = reported
            state = .lossLimited
        }
        if let limit = self.loss.limit, limit < target {
            target = limit
            state = .lossLimited
        }
        if let remote = self.remoteLimit, remote < target {
            target = remote
            state = .remoteLimited
        }
        if self.silenceSteps > 0 { state = .feedbackMissing }
        return (min(max(target, self.limits.lowerBound), self.limits.upperBound), state)
    }

    /// Something to do, if anything is. Call it until `nil` after each input.
    package mutating func poll() -> Output? {
        if let probe = self.probeController.poll() {
            self.counters.probes += 1
            self.probeEstimator.begin(probe)
            return .probe(probe)
        }
        let estimate = self.estimate
        if let last = self.lastReported, !Self.isWorthTelling(last, estimate) { return nil }
        self.lastReported = estimate
        return .estimate(estimate)
    }

    /// Half a percent is below what an encoder can follow.
    private static func isWorthTelling(_ last: NetworkEstimate, _ new: NetworkEstimate) -> Bool {
        last.state != new.state || abs(new.target.value - last.target.value) > last.target.value * 0.005
    }
}
