internal import NIOCore

/// How much may be under way (RFC 9260 section 7.2).
///
/// The window grows as CUBIC has it (RFC 9438), after a slow start that ends when the round-trip time rises (as in RFC 9406). A
/// loss lowers it to what the path delivered in its least round-trip time (as TCP Westwood does), if that is more than CUBIC's
/// share: losses on a path without a queue are not congestion, and giving way to them leaves a link with 1 % of loss all
/// but unused. Where more than a twentieth is lost, or the queue is long, it gives way like CUBIC.
struct CongestionControl {
    private static let beta = 0.7
    private static let scale = 0.4
    /// The share of lost chunks from which on losses count as congestion whatever the delay.
    private static let lossLimit = 0.05

    private let packet: Int
    private let minimum: Int
    /// The congestion window in bytes.
    private(set) var window: Int
    /// Where slow start ends, in bytes.
    private(set) var threshold = Int.max

    // CUBIC: the window before the last loss, in bytes, when growth began again, and what Reno would have.
    private var windowBeforeLoss = 0.0
    private var epoch: NIODeadline?
    private var timeToReach = 0.0
    private var renoWindow = 0.0
    private var acknowledgedInEpoch = 0

    // Rounds of a round-trip time each.
    private var roundEnd: Int64 = 0
    private var roundBegan = NIODeadline.uptimeNanoseconds(0)
    private var roundBytes = 0
    private var roundLost = 0
    private var roundLeast = Int64.max
    private var lastRoundLeast = Int64.max
    private var samplesInRound = 0
    /// The bytes delivered per second: the most of the last rounds.
    private var rates = [0.0, 0.0, 0.0, 0.0]
    private var recentLoss = 0.0

    /// The largest window, in bytes.
    var limit: Int

    /// - Parameters:
    ///   - packet: The size of a full packet, in bytes.
    ///   - limit: The largest window, in bytes; 0 for none.
    init(packet: Int, initialPackets: Int, limit: Int) {
        self.limit = limit > 0 ? limit : Int.max
        self.packet = packet
        self.minimum = 4 * packet
        self.window = initialPackets * packet
    }

    var isInSlowStart: Bool { self.window < self.threshold }

    private var deliveryRate: Double { self.rates.max() ?? 0 }

    /// Bytes were acknowledged for the first time.
    ///
    /// - Parameters:
    ///   - highest: The highest number acknowledged.
    ///   - next: The number that is sent next: a round ends when it is acknowledged.
    ///   - wasLimited: Whether the window was what kept more from being sent.
    mutating func acknowledged(
        _ bytes: Int,
        highest: Int64,
        next: Int64,
        wasLimited: Bool,
        roundTrip: RetransmissionTimeout,
        now: NIODeadline
    ) {
        self.roundBytes += bytes
        if highest >= self.roundEnd { self.endRound(next: next, now: now) }
        guard wasLimited else { return }
        if self.isInSlowStart {
            // One acknowledgement stands for many packets: counting two of them at most (RFC 9260 section 7.2.1) would make this
            // several times slower than it is meant to be.
            self.window += min(bytes, self.window)
        } else {
            self.grow(bytes, roundTrip: roundTrip, now: now)
        }
        self.window = min(self.window, self.limit)
    }

    private mutating func endRound(next: Int64, now: NIODeadline) {
        let seconds = Double((now - self.roundBegan).nanoseconds) / 1e9
        if seconds > 0, self.roundEnd > 0 {
            self.rates.removeFirst()
            self.rates.append(Double(self.roundBytes) / seconds)
        }
        let packets = Double(self.roundBytes / self.packet + self.roundLost)
        if packets > 0 { self.recentLoss += (Double(self.roundLost) / packets - self.recentLoss) / 4 }
        self.roundEnd = next
        self.roundBegan = now
        self.roundBytes = 0
        self.roundLost = 0
        self.lastRoundLeast = self.roundLeast
        self.roundLeast = Int64.max
        self.samplesInRound = 0
    }

    /// A round-trip time was measured; slow start ends when a whole round has taken longer than the one before.
    mutating func measured(_ sample: TimeAmount, least: Int64) {
        self.roundLeast = min(self.roundLeast, sample.nanoseconds)
        self.samplesInRound += 1
        guard self.isInSlowStart, self.samplesInRound >= 8, self.lastRoundLeast < Int64.max,
            self.window >= 64 * self.packet
        else { return }
        let tolerance = max(self.lastRoundLeast / 8, 4_000_000)
        // Far above the path's own time, so that a host that was busy for a moment does not end it.
        if self.roundLeast > self.lastRoundLeast + tolerance, self.roundLeast > least + 2 * tolerance {
            self.threshold = self.window
        }
    }

    private mutating func grow(_ bytes: Int, roundTrip: RetransmissionTimeout, now: NIODeadline) {
        let packet = Double(self.packet)
        if self.epoch == nil {
            self.epoch = now
            self.acknowledgedInEpoch = 0
            let before = max(self.windowBeforeLoss, Double(self.window))
            self.windowBeforeLoss = before
            self.timeToReach = cubeRoot((before - Double(self.window)) / packet / Self.scale)
            self.renoWindow = Double(self.window)
        }
        guard let epoch = self.epoch else { return }
        let elapsed = Double((now - epoch).nanoseconds + roundTrip.smoothed) / 1e9
        let offset = elapsed - self.timeToReach
        let target = self.windowBeforeLoss + Self.scale * offset * offset * offset * packet
        self.renoWindow += packet * Double(bytes) / max(self.renoWindow, packet)
        let wanted = min(max(target, self.renoWindow), 1.5 * Double(self.window))
        guard wanted > Double(self.window) else { return }
        // Spread over a round.
        let share = (wanted - Double(self.window)) * Double(bytes) / Double(self.window)
        self.window += Int(share)
    }

    /// Chunks were lost.
    mutating func noteLost(_ count: Int) { self.roundLost += count }

    /// A loss began: once for all losses of a round.
    mutating func reduce(roundTrip: RetransmissionTimeout) {
        let current = Double(self.window)
        var reduced = Self.beta * current
        let delivered = self.deliveryRate * Double(roundTrip.least) / 1e9
        let isLossy = max(self.recentLoss, self.currentLoss) > Self.lossLimit
        if !isLossy { reduced = min(max(reduced, delivered), current) }
        self.windowBeforeLoss =
            current < self.windowBeforeLoss ? current * (1 + Self.beta) / 2 : current
        self.window = max(Int(reduced), self.minimum)
        self.threshold = self.window
        self.epoch = nil
    }

    private var currentLoss: Double {
        let packets = self.roundBytes / self.packet + self.roundLost
        return packets >= 50 ? Double(self.roundLost) / Double(packets) : 0
    }

    /// Nothing came back for a whole time-out (RFC 9260 section 7.2.3).
    mutating func timedOut() {
        self.threshold = max(self.window / 2, self.minimum)
        self.windowBeforeLoss = Double(self.window)
        self.window = self.packet
        self.epoch = nil
    }

    /// Nothing was sent for a while: the path may have changed (RFC 9260 section 7.2.1).
    mutating func rested(initialPackets: Int) {
        self.window = max(min(self.window, initialPackets * self.packet), self.window / 2)
        self.epoch = nil
    }
}

/// The cube root by Newton's method; 0 for what is not positive.
private func cubeRoot(_ value: Double) -> Double {
    guard value > 0 else { return 0 }
    var root = value > 1 ? value / 2 : 1
    for _ in 0..<40 {
        let next = (2 * root + value / (root * root)) / 3
        if abs(next - root) < 1e-9 * root { return next }
        root = next
    }
    return root
}
