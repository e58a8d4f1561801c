package import NIOCore

extension BandwidthEstimator {
    /// A packet leaves, with all its headers; padding and probes, too.
    package mutating func noteSent(bytes: Int, now: NIODeadline) {
        if self.nextTick == nil {
            self.nextTick = now + Self.tick
            if self.configuration.isProbing {
                self.probeController.begin(start: self.rates.rate, ceiling: self.probeCeiling, now: now)
            }
        }
        if self.firstUnacknowledgedSend == nil { self.firstUnacknowledgedSend = now }
        self.applicationLimit.noteSent(bytes: bytes, target: self.target, now: now)
    }

    /// Feedback was matched with what was sent.
    ///
    /// - Parameter results: in the order of sending; from ``SentPacketHistory``.
    package mutating func receive(_ results: some Sequence<PacketResult>, now: NIODeadline) {
        var newestSend: NIODeadline?
        var probed: Bitrate?
        var isMarked = false
        for result in results {
            self.loss.add(result)
            guard let arrival = result.arrival else { continue }
            newestSend = max(newestSend ?? result.sendTime, result.sendTime)
            isMarked = isMarked || result.isCongestionMarked
            self.takeTimes(result, arrival: arrival.nanoseconds, probed: &probed)
        }
        guard let newestSend else {
            self.loss.update(delayLimit: self.rates.rate, acknowledged: self.acknowledged.rate)
            return
        }
        self.hasFeedback = true
        self.lastFeedback = now
        self.firstUnacknowledgedSend = nil
        self.noteRoundTrip(from: newestSend, now: now)
        self.endSilence(now: now)
        self.applicationLimit.noteSent(bytes: 0, target: self.estimate.target, now: now)
        self.updateRates(isMarked: isMarked, probed: probed, now: now)
    }

    /// The peer allows so much (draft-alvestrand-rmcat-remb-03). Feedback of arrivals, where it comes too, stays in force.
    package mutating func receive(remoteEstimate: Bitrate, now: NIODeadline) {
        let remote = max(remoteEstimate, self.limits.lowerBound)
        self.remoteLimit = remote
        guard !self.hasFeedback else { return }
        // Without feedback of arrivals nothing else raises the rate.
        self.rates.reset(to: min(remote, self.limits.upperBound))
    }

    /// A report block tells of loss (RFC 3550 section 6.4.1). It counts only where feedback of arrivals does not come.
    ///
    /// - Parameters:
    ///   - fractionLost: the share of packets lost since the last report, 0 to 1.
    ///   - packets: how many packets the report is about.
    package mutating func receive(fractionLost: Double, packets: Int, now: NIODeadline) {
        guard !self.hasFeedback, packets > 0 else { return }
        self.lastFeedback = now
        self.reportedLoss.update(
            fractionLost: min(max(fractionLost, 0), 1),
            packets: packets,
            start: self.rates.rate,
            limits: self.limits,
            now: now
        )
        // Until a peer tells of arrivals or allows a rate, absence of loss is all there is to go by.
        if self.remoteLimit == nil, let rate = self.reportedLoss.rate, rate > self.rates.rate {
            self.rates.reset(to: rate)
        }
    }

    /// A round-trip time from RTCP or ICE.
    package mutating func update(roundTripTime: TimeAmount) {
        guard roundTripTime > .zero else { return }
        let sample = min(roundTripTime, .seconds(10))
        self.roundTripTime = .nanoseconds((self.roundTripTime.nanoseconds * 7 + sample.nanoseconds) / 8)
    }

    /// Changes the bounds of the target.
    package mutating func setLimits(minimum: Bitrate, maximum: Bitrate, now: NIODeadline) {
        let before = self.probeCeiling
        self.configuration.minimum = minimum
        self.configuration.maximum = max(minimum, maximum)
        self.ceilingChanged(from: before, now: now)
    }

    /// Says how much all streams together could use at their best; `nil` for as much as there is. Probing beyond is no use.
    package mutating func setNeeded(_ bitrate: Bitrate?, now: NIODeadline) {
        let before = self.probeCeiling
        self.needed = bitrate
        self.ceilingChanged(from: before, now: now)
    }

    /// Another path is used: what was known is forgotten, and probing begins anew.
    package mutating func routeChanged(now: NIODeadline) {
        let start = min(self.configuration.start, max(self.estimate.target, self.configuration.minimum))
        let counters = self.counters
        let needed = self.needed
        var probes = self.probeController
        self = BandwidthEstimator(configuration: self.configuration)
        self.counters = counters
        self.needed = needed
        self.rates.reset(to: start)
        self.nextTick = now + Self.tick
        if self.configuration.isProbing {
            probes.restart(start: start, ceiling: self.probeCeiling, now: now)
        }
        self.probeController = probes
    }

    /// When ``handleTimeout(now:)`` is next wanted; `nil` before the first packet.
    package var nextTimeout: NIODeadline? { self.nextTick }

    /// Lets time pass: probes that are due, feedback that stays away.
    package mutating func handleTimeout(now: NIODeadline) {
        guard let tick = self.nextTick, tick <= now else { return }
        self.nextTick = now + Self.tick
        self.applicationLimit.noteSent(bytes: 0, target: self.estimate.target, now: now)
        self.checkSilence(now: now)
        self.updateProbes(now: now)
    }

    private static let tick = TimeAmount.milliseconds(100)
}

extension BandwidthEstimator {
    private mutating func takeTimes(_ result: PacketResult, arrival: Int64, probed: inout Bitrate?) {
        let send = Int64(result.sendTime.uptimeNanoseconds)
        if let last = self.lastArrival, arrival < last - Self.farthestBack {
            self.counters.impossibleTimes += 1
            // Where the receiver's clock was set back for good, its times would be refused for ever.
            self.lastArrival = last - Self.forgetting
            return
        }
        self.lastArrival = max(self.lastArrival ?? arrival, arrival)
        self.acknowledged.add(
            bytes: result.bytes,
            arrival: arrival,
            isApplicationLimited: self.applicationLimit.isLimited
        )
        self.queueDelay.add(send: send, arrival: arrival)
        self.competition.add(send: send, arrival: arrival)
        if let delta = self.interArrival.add(send: send, arrival: arrival) {
            self.trendline.update(delta, arrival: Double(arrival) / 1e6)
        }
        if let id = result.probe, let rate = self.probeEstimator.add(result, id: id, arrival: arrival) {
            probed = max(probed ?? .zero, rate)
        }
    }

    private mutating func noteRoundTrip(from sendTime: NIODeadline, now: NIODeadline) {
        // Includes the time that the receiver waited before it reported; what RTCP tells is more exact.
        let sample = now - sendTime
        if sample > .zero { self.update(roundTripTime: sample) }
    }

    private mutating func updateRates(isMarked: Bool, probed: Bitrate?, now: NIODeadline) {
        let usage = isMarked ? .overuse : self.trendline.usage
        self.rates.update(
            RateController.Input(
                usage: usage,
                acknowledged: self.acknowledged.rate,
                inherentLoss: self.loss.inherentLoss,
                queueDelay: self.queueDelay.delay,
                roundTripTime: self.roundTripTime,
                isCompeting: self.competition.isCompeting,
                isApplicationLimited: self.applicationLimit.isLimited,
                limits: self.limits
            ),
            now: now
        )
        if self.rates.hasDecreased { self.counters.overuses += 1 }
        if let probed { self.takeProbe(probed, usage: usage, now: now) }
        self.loss.update(delayLimit: self.rates.rate, acknowledged: self.acknowledged.rate)
        self.updateProbes(now: now)
    }

    private mutating func takeProbe(_ rate: Bitrate, usage: TrendlineDetector.Usage, now: NIODeadline) {
        self.counters.probeResults += 1
        guard usage != .overuse else { return }
        if rate > self.rates.rate {
            self.rates.apply(probe: rate, limits: self.limits)
            self.loss.apply(probe: rate)
        }
        self.probeController.noteResult(rate, ceiling: self.probeCeiling, now: now)
    }

    private mutating func updateProbes(now: NIODeadline) {
        let target = self.estimate.target
        self.probeController.noteTarget(target, now: now)
        guard self.configuration.isProbing, self.hasFeedback, self.silenceSteps == 0 else { return }
        self.probeController.update(
            target: target,
            ceiling: self.probeCeiling,
            applicationLimitedSince: self.applicationLimit.since,
            isQueueShort: self.trendline.usage != .overuse && self.queueDelay.delay < Self.shortQueue,
            now: now
        )
    }

    private mutating func ceilingChanged(from before: Bitrate, now: NIODeadline) {
        let after = self.probeCeiling
        guard self.configuration.isProbing, after > before else { return }
        self.probeController.ceilingRose(to: after, target: self.estimate.target, now: now)
    }

    /// Feedback that stays away while we send means a path that carries nothing, or a queue of seconds.
    private mutating func checkSilence(now: NIODeadline) {
        guard self.hasFeedback, let began = self.firstUnacknowledgedSend else { return }
        let patience = max(Self.shortestPatience, self.roundTripTime * 3)
        let since = max(began, self.lastFeedback ?? began)
        let due = since + patience + Self.silenceInterval * self.silenceSteps
        guard now >= due else { return }
        self.silenceSteps = min(self.silenceSteps + 1, 1000)
        self.counters.feedbackTimeouts += 1
        self.rates.lower(to: max(self.rates.rate * 0.7, self.limits.lowerBound))
    }

    private mutating func endSilence(now: NIODeadline) {
        guard self.silenceSteps > 0 else { return }
        self.silenceSteps = 0
    }

    private static let farthestBack: Int64 = 2_000_000_000
    private static let forgetting: Int64 = 100_000_000
    private static let shortestPatience = TimeAmount.milliseconds(800)
    private static let silenceInterval = TimeAmount.milliseconds(400)
    /// Milliseconds above which a probe would only lengthen the queue.
    private static let shortQueue = 60.0
}
