import NIOCore
import RTCBase

@testable import RTCRTP

/// A sender with encoder, pacer and estimator, and its receiver, over a link that others may share.
final class SimulatedFlow {
    struct Profile {
        var start: Double = 0
        var framesPerSecond: Double = 30
        /// From which second on the encoder uses at most so many kbit/s.
        var encoderLimit: [(second: Double, kilobits: Double)] = [(0, 1e9)]
        var feedbackLoss: Double = 0
        /// Seconds in which no feedback comes through.
        var feedbackOutage: ClosedRange<Double>?
        var reverseDelay: Double = 25
        var maximum = 10_000
        var sendsFeedback = true
    }

    struct Sample {
        var time: Double
        var targetKilobits: Double
        var sentKilobits: Double
        var deliveredKilobits: Double
        var queueDelay: Double
    }

    let profile: Profile
    private(set) var estimator: BandwidthEstimator
    private var pacer: Pacer<Int>
    private(set) var history = SentPacketHistory(firstSequence: 65_000)
    private var generator = TransportFeedbackGenerator()
    private var arrivals = RingQueue<(time: Double, sequence: UInt16, bytes: Int)>()
    private var feedback = RingQueue<(time: Double, report: TransportFeedback)>()
    private var results: [PacketResult] = []
    private var random: RandomSource
    private var nextFrame: Double
    private var encoderKilobits: Double
    private var target: Double
    private var nextSample: Double
    private var sentBytes = 0
    private var deliveredBytes = 0
    private var queueDelays = 0.0
    private var queueSamples = 0
    private(set) var samples: [Sample] = []
    private(set) var expired = 0

    init(_ profile: Profile, seed: UInt64) {
        self.profile = profile
        var configuration = BandwidthEstimator.Configuration()
        configuration.maximum = .kilobitsPerSecond(profile.maximum)
        self.estimator = BandwidthEstimator(configuration: configuration)
        let begin = profile.start * 1000
        self.pacer = Pacer(rate: .kilobitsPerSecond(450), now: Self.deadline(begin))
        self.random = .seeded(seed)
        self.nextFrame = begin
        self.nextSample = begin + 100
        self.encoderKilobits = 300
        self.target = 300
    }

    static func deadline(_ milliseconds: Double) -> NIODeadline {
        .uptimeNanoseconds(UInt64(max(0, milliseconds) * 1e6) + 1_000_000_000)
    }

    static func milliseconds(_ deadline: NIODeadline) -> Double {
        (Double(deadline.uptimeNanoseconds) - 1e9) / 1e6
    }

    /// When something happens next.
    var next: Double {
        var next = min(self.nextFrame, self.nextSample)
        if let arrival = self.arrivals.first { next = min(next, arrival.time) }
        if let report = self.feedback.first { next = min(next, report.time) }
        for timeout in [self.pacer.nextTimeout, self.estimator.nextTimeout, self.generator.nextTimeout] {
            if let timeout { next = min(next, Self.milliseconds(timeout)) }
        }
        return next
    }

    func advance(to time: Double, link: SimulatedLink) {
        let now = Self.deadline(time)
        while let arrival = self.arrivals.first, arrival.time <= time {
            _ = self.arrivals.popFirst()
            self.deliveredBytes += arrival.bytes
            self.generator.record(arrival.sequence, bytes: arrival.bytes, now: now)
        }
        self.sendFeedback(time, now)
        while let report = self.feedback.first, report.time <= time {
            _ = self.feedback.popFirst()
            self.results.removeAll(keepingCapacity: true)
            self.history.match(report.report, into: &self.results)
            self.estimator.receive(self.results, now: now)
        }
        self.estimator.handleTimeout(now: now)
        if time >= self.nextFrame { self.encode(time, now) }
        self.release(time, now, link)
        self.follow(now)
        if time >= self.nextSample { self.sample(time) }
    }

    private func sendFeedback(_ time: Double, _ now: NIODeadline) {
        while let report = self.generator.poll(now: now) {
            let isOut = self.profile.feedbackOutage?.contains(time / 1000) ?? false
            guard self.profile.sendsFeedback, !isOut, self.unit() >= self.profile.feedbackLoss else { continue }
            self.feedback.append((time + self.profile.reverseDelay, report))
        }
    }

    private func follow(_ now: NIODeadline) {
        while let output = self.estimator.poll() {
            switch output {
            case .estimate(let estimate):
                self.target = Double(estimate.target.bitsPerSecond) / 1000
                self.pacer.setRates(pacing: estimate.pacingRate, now: now)
            case .probe(let cluster): self.pacer.startProbe(cluster)
            }
        }
    }

    /// The encoder comes nearer to the target by a third with each frame, and no frame has quite the size it should.
    private func encode(_ time: Double, _ now: NIODeadline) {
        var limit = self.profile.encoderLimit[0].kilobits
        for step in self.profile.encoderLimit where step.second * 1000 <= time { limit = step.kilobits }
        self.estimator.setNeeded(limit < 1e8 ? .kilobitsPerSecond(Int(limit)) : nil, now: now)
        self.encoderKilobits += (min(self.target, limit) - self.encoderKilobits) / 3
        let interval = 1000 / self.profile.framesPerSecond
        var left = max(60, Int(self.encoderKilobits * interval / 8 * (0.8 + 0.4 * self.unit())))
        let packets = (left + 1199) / 1200
        for index in 0..<packets {
            let bytes = left / (packets - index)
            left -= bytes
            _ = self.pacer.enqueue(bytes, bytes: bytes, priority: .video, now: now)
        }
        self.nextFrame += interval
    }

    private func release(_ time: Double, _ now: NIODeadline, _ link: SimulatedLink) {
        while let output = self.pacer.poll(now: now) {
            switch output {
            case .dropped: self.expired += 1
            case .send(let bytes, let probe): self.transmit(bytes, probe, time, now, link)
            case .sendPadding(let bytes, let probe): self.transmit(bytes, probe, time, now, link)
            }
        }
    }

    private func transmit(
        _ bytes: Int,
        _ probe: ProbeClusterID?,
        _ time: Double,
        _ now: NIODeadline,
        _ link: SimulatedLink
    ) {
        let sequence = self.history.record(bytes: bytes, probe: probe, now: now)
        self.estimator.noteSent(bytes: bytes, now: now)
        self.sentBytes += bytes
        self.queueDelays += link.queueDelay(at: time)
        self.queueSamples += 1
        if let arrival = link.send(bytes: bytes, at: time) { self.arrivals.append((arrival, sequence, bytes)) }
    }

    private func sample(_ time: Double) {
        self.samples.append(
            Sample(
                time: time / 1000,
                targetKilobits: self.target,
                sentKilobits: Double(self.sentBytes * 8) / 100,
                deliveredKilobits: Double(self.deliveredBytes * 8) / 100,
                queueDelay: self.queueSamples > 0 ? self.queueDelays / Double(self.queueSamples) : 0
            )
        )
        self.sentBytes = 0
        self.deliveredBytes = 0
        self.queueDelays = 0
        self.queueSamples = 0
        self.nextSample += 100
    }

    private func unit() -> Double { Double(self.random.next() >> 11) / 9_007_199_254_740_992 }

    /// The mean of a figure between two seconds.
    func mean(_ path: KeyPath<Sample, Double>, _ from: Double, _ to: Double) -> Double {
        let values = self.samples.filter { $0.time > from && $0.time <= to }.map { $0[keyPath: path] }
        return values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }

    /// The value below which 95 % of a figure's samples between two seconds lie.
    func percentile95(_ path: KeyPath<Sample, Double>, _ from: Double, _ to: Double) -> Double {
        let values = self.samples.filter { $0.time > from && $0.time <= to }.map { $0[keyPath: path] }.sorted()
        return values.isEmpty ? 0 : values[Int(Double(values.count - 1) * 0.95)]
    }

    /// How many seconds after `from` the target first reaches `kilobits`; infinite if never.
    func seconds(from: Double, untilTargetReaches kilobits: Double) -> Double {
        let reached = self.samples.first { $0.time >= from && $0.targetKilobits >= kilobits }
        return reached.map { $0.time - from } ?? .infinity
    }
}
