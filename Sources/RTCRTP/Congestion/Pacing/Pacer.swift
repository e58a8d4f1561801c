package import NIOCore

/// Spreads packets over time at a little more than the target rate, so that frames do not fill the queues on the way.
///
/// A leaky bucket: each packet fills it by its size, and it drains at the pacing rate. Packets leave in bursts of a few
/// milliseconds, which segment offload can take in one piece. The queue is bounded in time and in packets; beyond the
/// bounds the oldest is dropped and counted.
///
/// `Element` is whatever stands for a packet: a buffer, or an index into the caller's table. Every element comes back
/// once, from ``poll(now:)`` or ``enqueue(_:bytes:priority:now:)``, so that a table can free its slot.
package struct Pacer<Element> {
    /// How a pacer behaves.
    package struct Configuration: Sendable {
        /// How much of the rate leaves at once. 5 ms by default.
        package var burst: TimeAmount = .milliseconds(5)
        /// How long a packet may wait before it is dropped. 500 ms by default.
        package var queueTimeLimit: TimeAmount = .milliseconds(500)
        /// How many packets may wait. 4,096 by default.
        package var maximumPackets = 4096
        /// Whether sound waits for its turn. Otherwise (the default) it leaves at once, and still fills the bucket.
        package var pacesAudio = false
        /// The size of a packet of padding, in bytes. 1,200 by default.
        package var paddingPacketSize = 1200

        /// The defaults.
        package init() {}
    }

    /// What is to be done now.
    package enum Output {
        /// Send the packet, as part of the probe if there is one.
        case send(Element, probe: ProbeClusterID?)
        /// Send one packet of padding of about so many bytes. It counts as sent, whether it could be or not.
        case sendPadding(bytes: Int, probe: ProbeClusterID?)
        /// The packet waited too long and is not sent.
        case dropped(Element)
    }

    /// What a pacer counts.
    package struct Counters: Sendable, Hashable {
        /// Packets handed out.
        package var sentPackets: UInt64 = 0
        /// Packets dropped because they waited too long.
        package var expired: UInt64 = 0
        /// Packets dropped because too many waited.
        package var overflowed: UInt64 = 0
        /// Bytes of padding asked for.
        package var paddingBytes: UInt64 = 0
        /// Probes that were begun.
        package var probes: UInt64 = 0
        /// Probes given up because too many waited.
        package var refusedProbes: UInt64 = 0
        /// The sum of the times that packets waited; divide by ``sentPackets``.
        package var totalQueueTime: TimeAmount = .zero
    }

    struct Entry {
        var element: Element
        var bytes: Int
        var enqueued: NIODeadline
    }

    struct Probe {
        let cluster: ProbeCluster
        var sentBytes = 0
        var sentPackets = 0
        var next: NIODeadline?
    }

    let configuration: Configuration
    var queues: ContiguousArray<RingQueue<Entry>>
    var waitingProbes: [Probe] = []
    var rate: Bitrate
    var paddingRate: Bitrate = .zero
    /// When the bucket will have drained; the past while it is empty.
    var drained: NIODeadline
    /// When the burst that may still go on began.
    var burstBegan: NIODeadline?
    /// When the next packet of padding is due.
    var nextPadding: NIODeadline

    /// What was counted so far.
    package internal(set) var counters = Counters()
    /// How many bytes wait.
    package internal(set) var queuedBytes = 0
    /// How many packets wait.
    package internal(set) var queuedPackets = 0

    /// A pacer with nothing in it.
    package init(rate: Bitrate, configuration: Configuration = Configuration(), now: NIODeadline) {
        self.configuration = configuration
        self.rate = rate
        self.drained = now
        self.nextPadding = now
        self.queues = ContiguousArray(repeating: RingQueue(), count: PacketPriority.allCases.count)
        self.waitingProbes.reserveCapacity(Self.maximumProbes)
    }

    /// Changes the rates; what is in the bucket drains at the new one.
    ///
    /// - Parameters:
    ///   - pacing: at which packets leave; the target times a factor.
    ///   - padding: up to which padding fills up when nothing else waits; zero by default.
    package mutating func setRates(pacing: Bitrate, padding: Bitrate = .zero, now: NIODeadline) {
        if self.drained > now, pacing != self.rate {
            let scale = self.rate.value / max(1, pacing.value)
            let rest = min(Double((self.drained - now).nanoseconds) * scale, 1e9)
            self.drained = now + .nanoseconds(Int64(rest))
        }
        if self.paddingRate == .zero { self.nextPadding = now }
        self.rate = pacing
        self.paddingRate = padding
    }

    /// Puts a packet into the queue.
    ///
    /// - Returns: the packet that had to give way because too many waited: the oldest of the least urgent ones, which may
    ///   be this one.
    package mutating func enqueue(
        _ element: Element,
        bytes: Int,
        priority: PacketPriority,
        now: NIODeadline
    ) -> Element? {
        self.queues[Int(priority.rawValue)].append(Entry(element: element, bytes: bytes, enqueued: now))
        self.queuedBytes += bytes
        self.queuedPackets += 1
        guard self.queuedPackets > self.configuration.maximumPackets,
            let victim = self.queues.lastIndex(where: { !$0.isEmpty }), let evicted = self.take(from: victim)
        else { return nil }
        self.counters.overflowed += 1
        return evicted.element
    }

    /// Begins a probe as soon as those before it are through. At most four wait; more are refused and counted.
    package mutating func startProbe(_ cluster: ProbeCluster) {
        guard self.waitingProbes.count < Self.maximumProbes else {
            self.counters.refusedProbes += 1
            return
        }
        self.waitingProbes.append(Probe(cluster: cluster))
    }

    /// What is to be done at `now`; `nil` when nothing is due. Call it until then.
    package mutating func poll(now: NIODeadline) -> Output? {
        if let expired = self.takeExpired(now: now) {
            self.counters.expired += 1
            return .dropped(expired.element)
        }
        if !self.configuration.pacesAudio, !self.queues[0].isEmpty, let entry = self.take(from: 0) {
            return self.send(entry, probe: nil, now: now)
        }
        if !self.waitingProbes.isEmpty { return self.pollProbe(now: now) }
        if self.queuedPackets > 0 {
            guard self.mayRelease(now: now), let entry = self.takeMostUrgent() else { return nil }
            return self.send(entry, probe: nil, now: now)
        }
        return self.pollPadding(now: now)
    }

    /// When ``poll(now:)`` will have something to do, a time of the past if it has already; `nil` while nothing waits.
    package var nextTimeout: NIODeadline? {
        if !self.configuration.pacesAudio, let audio = self.queues[0].first { return audio.enqueued }
        var earliest: NIODeadline?
        if let probe = self.waitingProbes.first {
            earliest = probe.next ?? .uptimeNanoseconds(0)
        } else if self.queuedPackets > 0 {
            earliest = self.drained
        } else if self.paddingRate > .zero {
            earliest = max(self.nextPadding, self.drained)
        }
        guard let earliest, let oldest = self.oldest else { return earliest }
        return min(earliest, oldest + self.configuration.queueTimeLimit)
    }

    /// How long what waits now will take at the present rate.
    package var expectedQueueTime: TimeAmount { self.rate.duration(of: self.queuedBytes) }

    /// When the packet that has waited longest came.
    var oldest: NIODeadline? {
        var oldest: NIODeadline?
        for index in self.queues.indices {
            guard let first = self.queues[index].first else { continue }
            oldest = min(oldest ?? first.enqueued, first.enqueued)
        }
        return oldest
    }

    private mutating func take(from index: Int) -> Entry? {
        guard let entry = self.queues[index].popFirst() else { return nil }
        self.queuedBytes -= entry.bytes
        self.queuedPackets -= 1
        return entry
    }

    private mutating func takeMostUrgent() -> Entry? {
        for index in self.queues.indices where !self.queues[index].isEmpty { return self.take(from: index) }
        return nil
    }

    private mutating func takeExpired(now: NIODeadline) -> Entry? {
        guard self.queuedPackets > 0 else { return nil }
        for index in self.queues.indices {
            guard let first = self.queues[index].first else { continue }
            if first.enqueued + self.configuration.queueTimeLimit < now { return self.take(from: index) }
        }
        return nil
    }

    private mutating func send(_ entry: Entry, probe: ProbeClusterID?, now: NIODeadline) -> Output {
        self.fill(entry.bytes, now: now)
        self.counters.sentPackets += 1
        self.counters.totalQueueTime = self.counters.totalQueueTime + (now - entry.enqueued)
        return .send(entry.element, probe: probe)
    }

    /// A burst begins with the bucket empty and goes on, at the same moment, until it holds a burst's worth.
    private mutating func mayRelease(now: NIODeadline) -> Bool {
        if self.drained <= now {
            self.burstBegan = now
            return true
        }
        return self.burstBegan == now && self.drained < now + self.configuration.burst
    }

    private mutating func fill(_ bytes: Int, now: NIODeadline) {
        self.drained = max(self.drained, now) + self.rate.duration(of: bytes)
    }

    private mutating func pollProbe(now: NIODeadline) -> Output? {
        var probe = self.waitingProbes[0]
        if let next = probe.next, next > now { return nil }
        if probe.next == nil { self.counters.probes += 1 }
        let output: Output
        let bytes: Int
        if let entry = self.takeMostUrgent() {
            bytes = entry.bytes
            output = self.send(entry, probe: probe.cluster.id, now: now)
        } else {
            bytes = self.configuration.paddingPacketSize
            self.counters.paddingBytes += UInt64(bytes)
            output = .sendPadding(bytes: bytes, probe: probe.cluster.id)
        }
        probe.sentBytes += bytes
        probe.sentPackets += 1
        // A late wake-up is caught up with, but not by more than would distort the rate.
        let scheduled = probe.next ?? now
        let begin = now - scheduled > Self.probeLatenessLimit ? now : scheduled
        probe.next = begin + probe.cluster.rate.duration(of: bytes)
        if probe.sentBytes >= probe.cluster.minimumBytes, probe.sentPackets >= probe.cluster.minimumPackets {
            self.waitingProbes.removeFirst()
        } else {
            self.waitingProbes[0] = probe
        }
        return output
    }

    private mutating func pollPadding(now: NIODeadline) -> Output? {
        guard self.paddingRate > .zero, self.nextPadding <= now, self.mayRelease(now: now) else { return nil }
        let bytes = self.configuration.paddingPacketSize
        self.fill(bytes, now: now)
        self.nextPadding = max(self.nextPadding, now) + self.paddingRate.duration(of: bytes)
        self.counters.paddingBytes += UInt64(bytes)
        return .sendPadding(bytes: bytes, probe: nil)
    }

    private static var maximumProbes: Int { 4 }
    private static var probeLatenessLimit: TimeAmount { .milliseconds(2) }
}

extension Pacer: Sendable where Element: Sendable {}
extension Pacer.Entry: Sendable where Element: Sendable {}
extension Pacer.Probe: Sendable where Element: Sendable {}
extension Pacer.Output: Sendable where Element: Sendable {}
