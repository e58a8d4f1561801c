import NIOCore
import RTCRTP

/// A packet that waits for its turn.
struct PacedPacket {
    var packet: OutgoingPacket
    var stream: SendStream
    var sender: MediaSender
    var role: OutgoingPacketRole
    var enqueued: NIODeadline
}

/// What decides how much is sent and when: estimator, pacer, and the packets that feedback is awaited for.
final class CongestionControl {
    private var sent: SentPacketHistory
    private(set) var estimator: BandwidthEstimator
    private var pacer: Pacer<PacedPacket>
    private var allocator = BitrateAllocator()
    private var results: [PacketResult] = []
    /// What was dropped because it waited too long.
    private(set) var droppedPackets: UInt64 = 0
    /// Whether something came in since ``pollShares(among:now:)``.
    private var isChanged = true
    private var areSharesStale = false

    init(firstSequence: UInt16, now: NIODeadline) {
        self.sent = SentPacketHistory(capacity: 2048, firstSequence: firstSequence)
        self.estimator = BandwidthEstimator()
        var configuration = Pacer<PacedPacket>.Configuration()
        configuration.queueTimeLimit = .seconds(2)
        self.pacer = Pacer(rate: self.estimator.estimate.pacingRate, configuration: configuration, now: now)
    }

    var estimate: NetworkEstimate { self.estimator.estimate }

    /// Notes a packet that leaves.
    ///
    /// - Parameter stream: Its name, where the peer tells of arrivals by stream.
    /// - Returns: Its transport-wide number.
    func record(bytes: Int, probe: ProbeClusterID?, stream: RTPPacketName?, now: NIODeadline) -> UInt16 {
        self.estimator.noteSent(bytes: bytes, now: now)
        if self.nextTimeout == nil { self.updateTimeout() }
        return self.sent.record(bytes: bytes, probe: probe, stream: stream, now: now)
    }

    func enqueue(_ packet: PacedPacket, priority: PacketPriority, now: NIODeadline) {
        let bytes = packet.packet.source.size + MediaSession.datagramOverhead
        if self.pacer.enqueue(packet, bytes: bytes, priority: priority, now: now) != nil { self.droppedPackets &+= 1 }
        self.hurryIfNeeded(now: now)
        self.isChanged = true
    }

    /// Whether there is anything to do now.
    func isDue(now: NIODeadline) -> Bool { self.isChanged || self.nextTimeout.map { $0 <= now } ?? false }

    /// When there will be something to do; looked at far more often than it changes.
    private(set) var nextTimeout: NIODeadline?

    private func updateTimeout() { self.nextTimeout = .earliest(self.pacer.nextTimeout, self.estimator.nextTimeout) }

    /// Media that was encoded for more than the path seems to carry must get through all the same: a queue that lasts too long is worked
    /// off faster.
    private func hurryIfNeeded(now: NIODeadline) {
        let needed = Bitrate(bytes: self.pacer.queuedBytes, over: Self.longestQueue)
        let rate = max(self.estimator.estimate.pacingRate, needed)
        self.pacer.setRates(pacing: rate, now: now)
    }

    func poll(now: NIODeadline) -> Pacer<PacedPacket>.Output? {
        while let output = self.pacer.poll(now: now) {
            guard case .dropped = output else { return output }
            self.droppedPackets &+= 1
        }
        self.updateTimeout()
        return nil
    }

    func handleTimeout(now: NIODeadline) { self.estimator.handleTimeout(now: now) }

    // MARK: What the peer tells

    func receive(_ feedback: TransportFeedback, now: NIODeadline) {
        self.results.removeAll(keepingCapacity: true)
        self.sent.match(feedback, into: &self.results)
        self.estimator.receive(self.results, now: now)
        self.isChanged = true
    }

    func receive(_ feedback: CongestionControlFeedback, now: NIODeadline) {
        self.results.removeAll(keepingCapacity: true)
        self.sent.match(feedback, into: &self.results)
        self.estimator.receive(self.results, now: now)
        self.isChanged = true
    }

    func receive(remoteEstimate: Bitrate, now: NIODeadline) {
        self.estimator.receive(remoteEstimate: remoteEstimate, now: now)
        self.isChanged = true
    }

    func receive(fractionLost: Double, packets: Int, now: NIODeadline) {
        self.estimator.receive(fractionLost: fractionLost, packets: packets, now: now)
        self.isChanged = true
    }

    func update(roundTripTime: TimeAmount) { self.estimator.update(roundTripTime: roundTripTime) }

    func setNeeded(_ rate: Bitrate?, now: NIODeadline) { self.estimator.setNeeded(rate, now: now) }

    /// What the encodings need has changed: they are told anew, even if the estimate has not.
    func sharesChanged() {
        self.areSharesStale = true
        self.isChanged = true
    }

    /// The shares of the encodings if the estimate has changed, and the probes that are to be sent.
    func pollShares(
        among encodings: [BitrateAllocator.Encoding],
        now: NIODeadline
    ) -> [BitrateAllocator.Share]? {
        self.isChanged = false
        var estimate: NetworkEstimate?
        while let output = self.estimator.poll() {
            switch output {
            case .estimate(let new): estimate = new
            case .probe(let cluster): self.pacer.startProbe(cluster)
            }
        }
        guard estimate != nil || self.areSharesStale else { return nil }
        self.areSharesStale = false
        self.hurryIfNeeded(now: now)
        return self.allocator.allocate((estimate ?? self.estimate).target, among: encodings)
    }

    /// How long a queue may take before it is worked off faster.
    private static let longestQueue = TimeAmount.milliseconds(500)
}
