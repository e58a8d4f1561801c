import NIOCore

/// Decides when to probe the path, and how high.
///
/// At the start at three and six times the first rate, and twice as high again as long as that succeeds; while the
/// application sends little, every five seconds at twice the estimate; after the rate fell by a third, every few seconds up
/// to where it was; and when more is needed than before.
struct ProbeController: Sendable {
    private var nextID: UInt32 = 1
    private var queue: [ProbeCluster] = []
    private var hasBegun = false
    private var furtherAbove: Bitrate?
    private var awaitingUntil: NIODeadline?
    private var lastProbe: NIODeadline?
    private var recoveryLevel: Bitrate?
    private var recoveryInterval = ProbeController.shortestRecovery
    private var recoveryDue: NIODeadline?
    private var lastTarget: Bitrate?

    /// The probe to send, if one is wanted.
    mutating func poll() -> ProbeCluster? { self.queue.isEmpty ? nil : self.queue.removeFirst() }

    /// Whether a probe waits to be sent.
    var hasProbe: Bool { !self.queue.isEmpty }

    /// Asks for the first probes.
    mutating func begin(start: Bitrate, ceiling: Bitrate, now: NIODeadline) {
        guard !self.hasBegun else { return }
        self.hasBegun = true
        self.request(start * 3, ceiling: ceiling, now: now)
        if start * 3 < ceiling { self.request(start * 6, ceiling: ceiling, now: now) }
    }

    /// Forgets the past and begins anew.
    mutating func restart(start: Bitrate, ceiling: Bitrate, now: NIODeadline) {
        let next = self.nextID
        self = ProbeController()
        self.nextID = next
        self.begin(start: start, ceiling: ceiling, now: now)
    }

    /// More than before is wanted: up to `ceiling`.
    mutating func ceilingRose(to ceiling: Bitrate, target: Bitrate, now: NIODeadline) {
        guard self.hasBegun, target < ceiling else { return }
        self.request(min(ceiling, target * 3), ceiling: ceiling, now: now)
    }

    /// A probe has shown `rate`; where it nearly succeeded, the next is twice as high.
    mutating func noteResult(_ rate: Bitrate, ceiling: Bitrate, now: NIODeadline) {
        guard let above = self.furtherAbove, rate > above, rate < ceiling else { return }
        self.request(rate * 2, ceiling: ceiling, now: now)
    }

    /// Takes the estimate after each change.
    mutating func noteTarget(_ target: Bitrate, now: NIODeadline) {
        if let last = self.lastTarget, target < last * 0.66 {
            self.recoveryLevel = max(self.recoveryLevel ?? .zero, last)
            self.recoveryInterval = Self.shortestRecovery
            self.recoveryDue = now + Self.firstRecovery
        }
        if let level = self.recoveryLevel, target >= level * 0.9 { self.recoveryLevel = nil }
        // A fall may take several steps: the level to measure against sinks slowly, and rises at once.
        self.lastTarget = max(target, (self.lastTarget ?? target) * 0.985)
    }

    /// Asks for what is due at `now`.
    mutating func update(
        target: Bitrate,
        ceiling: Bitrate,
        applicationLimitedSince: NIODeadline?,
        isQueueShort: Bool,
        now: NIODeadline
    ) {
        guard self.hasBegun, self.queue.isEmpty, target < ceiling else { return }
        if let until = self.awaitingUntil {
            guard now >= until else { return }
            self.awaitingUntil = nil
            self.furtherAbove = nil
        }
        guard isQueueShort else { return }
        if let level = self.recoveryLevel, let due = self.recoveryDue, now >= due {
            self.recoveryInterval = min(self.recoveryInterval + Self.shortestRecovery, Self.longestRecovery)
            self.recoveryDue = now + self.recoveryInterval
            self.request(min(level, target * 2), ceiling: ceiling, now: now)
        } else if let since = applicationLimitedSince, now - max(since, self.lastProbe ?? since) >= Self.periodic {
            self.request(target * 2, ceiling: ceiling, now: now)
        }
    }

    private mutating func request(_ rate: Bitrate, ceiling: Bitrate, now: NIODeadline) {
        guard self.queue.count < 4 else { return }
        let rate = min(rate, ceiling)
        self.queue.append(
            ProbeCluster(id: ProbeClusterID(rawValue: self.nextID), rate: rate, duration: Self.duration)
        )
        self.nextID &+= 1
        self.furtherAbove = rate * 0.7
        self.awaitingUntil = now + Self.patience
        self.lastProbe = now
    }

    private static let duration = TimeAmount.milliseconds(15)
    private static let patience = TimeAmount.seconds(1)
    private static let periodic = TimeAmount.seconds(5)
    private static let firstRecovery = TimeAmount.seconds(2)
    private static let shortestRecovery = TimeAmount.seconds(3)
    private static let longestRecovery = TimeAmount.seconds(6)
}
