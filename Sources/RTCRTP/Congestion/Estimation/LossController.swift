import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Finds the rate above which packets are lost to congestion, and takes no notice of those that a path loses at any rate.
///
/// The model has two unknowns: a share `p` of packets lost at whatever rate, and a bandwidth `b` beyond which all excess is
/// lost: a packet sent at rate `s` is lost with the probability p + (1 − p) · max(0, s − b) / s. The most likely pair under
/// the latest observations, the newest of which count most, gives the limit. Where several explain them equally well, the
/// higher bandwidth wins, but `p` may not exceed what real paths without congestion show.
struct LossController: Sendable {
    private struct Observation {
        var lost = 0.0
        var received = 0.0
        /// Bits per second.
        var sendRate = 0.0
    }

    private var observations: ContiguousArray<Observation> = []
    private var pending = Observation()
    private var pendingBytes = 0
    private var pendingBegan: NIODeadline?
    private var pendingEnd: NIODeadline?
    /// The bandwidth without loss from congestion, `nil` while loss does not limit us.
    private(set) var limit: Bitrate?
    /// The share of packets lost at any rate, 0 to 1.
    private(set) var inherentLoss = 0.0
    /// The share of packets lost lately, 0 to 1.
    private(set) var fractionLost = 0.0

    /// Takes what feedback told of one packet.
    mutating func add(_ result: PacketResult) {
        if result.wasReportedLost {
            self.pending.lost = max(0, self.pending.lost - 1)
        } else {
            self.pendingBytes += result.bytes
        }
        if result.arrival == nil { self.pending.lost += 1 } else { self.pending.received += 1 }
        self.pendingBegan = min(self.pendingBegan ?? result.sendTime, result.sendTime)
        self.pendingEnd = max(self.pendingEnd ?? result.sendTime, result.sendTime)
    }

    /// Closes the observation when it is long enough, and finds the limit anew.
    ///
    /// - Parameters:
    ///   - delayLimit: what the delays allow.
    ///   - acknowledged: what arrives.
    mutating func update(delayLimit: Bitrate, acknowledged: Bitrate?) {
        guard let began = self.pendingBegan, let end = self.pendingEnd, end - began >= Self.shortest,
            self.pending.lost + self.pending.received >= Self.fewest
        else { return }
        self.pending.sendRate = Bitrate(bytes: self.pendingBytes, over: end - began).value
        if self.observations.count == Self.window { self.observations.removeFirst() }
        self.observations.append(self.pending)
        self.pending = Observation()
        self.pendingBytes = 0
        self.pendingBegan = nil
        self.pendingEnd = nil
        self.findLimit(delayLimit: delayLimit, acknowledged: acknowledged)
    }

    /// A probe has shown that the path carries more.
    mutating func apply(probe: Bitrate) {
        guard let limit = self.limit, probe > limit, self.fractionLost < 0.1 else { return }
        self.limit = probe
    }

    private mutating func findLimit(delayLimit: Bitrate, acknowledged: Bitrate?) {
        var lost = 0.0
        var all = 0.0
        self.eachWeighted { observation, weight in
            lost += observation.lost * weight
            all += (observation.lost + observation.received) * weight
        }
        self.fractionLost = all > 0 ? lost / all : 0
        let current = min(self.limit ?? delayLimit, delayLimit)
        guard self.fractionLost >= Self.harmless else {
            self.inherentLoss = self.fractionLost
            let raised = current * Self.recovery
            self.limit = self.limit == nil || raised >= delayLimit ? nil : raised
            return
        }
        var candidates = [current * 1.04, current, current * 0.96, current * 0.85, delayLimit]
        if let acknowledged { candidates.append(min(acknowledged, current)) }
        var best = (score: -Double.infinity, bandwidth: current, loss: 0.0)
        for candidate in candidates {
            let (score, loss) = self.bestFit(bandwidth: candidate.value, packets: all)
            if score > best.score { best = (score, candidate, loss) }
        }
        self.inherentLoss = best.loss
        self.limit = best.bandwidth >= delayLimit ? nil : min(best.bandwidth, current * Self.recovery)
    }

    /// The likeliest loss without congestion if the bandwidth is this one, and the score of the two.
    private func bestFit(bandwidth: Double, packets: Double) -> (score: Double, loss: Double) {
        let ceiling = min(Self.inherentCeiling, Self.inherentBase + Self.inherentBalance / max(bandwidth, 1))
        var best = (score: -Double.infinity, loss: 0.0)
        for step in Self.losses {
            let loss = min(step, ceiling)
            let score = self.logLikelihood(bandwidth: bandwidth, loss: loss)
            if score > best.score { best = (score, loss) }
            if loss == ceiling { break }
        }
        // Between equals the higher bandwidth wins; the weight is far below that of one lost packet in a hundred.
        best.score += packets * Self.bandwidthBias * log(max(bandwidth, 1))
        return best
    }

    private func logLikelihood(bandwidth: Double, loss: Double) -> Double {
        var sum = 0.0
        self.eachWeighted { observation, weight in
            let rate = max(observation.sendRate, 1)
            let excess = max(0, rate - bandwidth) / rate
            let probability = min(max(loss + (1 - loss) * excess, 1e-4), 0.999)
            sum += weight * (observation.lost * log(probability) + observation.received * log(1 - probability))
        }
        return sum
    }

    private func eachWeighted(_ body: (Observation, Double) -> Void) {
        var weight = 1.0
        for observation in self.observations.reversed() {
            body(observation, weight)
            weight *= Self.ageing
        }
    }

    private static let window = 20
    private static let ageing = 0.9
    private static let shortest = TimeAmount.milliseconds(250)
    private static let fewest = 20.0
    private static let harmless = 0.01
    /// How much the limit may grow from one observation to the next.
    private static let recovery = 1.1
    private static let bandwidthBias = 0.002
    private static let losses = [0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3]
    private static let inherentBase = 0.06
    private static let inherentBalance = 100_000.0
    private static let inherentCeiling = 0.3
}
