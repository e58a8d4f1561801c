public import NIOCore
public import RTCBase

/// Says when reports are due (RFC 3550 sections 6.2 and 6.3, RFC 4585 section 3.5), for a session of few members.
///
/// It is told the time and what was sent, and says when to send next. Two sides alone need no delay against answering all
/// at once, so feedback goes out at once where the bandwidth lets it.
public struct RTCPScheduler: Sendable {
    /// How reports are spread.
    public struct Configuration: Sendable, Hashable {
        /// The shortest time between regular reports on average; RFC 3550 has 5 s, video feels better with 1 s.
        public var minimumInterval: TimeAmount = .seconds(1)
        /// The bandwidth of the session in bits per second; reports take a twentieth of it.
        public var sessionBandwidth: Int = 1_000_000
        /// How many take part, this side included; at least 2.
        public var memberCount = 2
        /// How many of them send media.
        public var senderCount = 1
        /// Whether this side sends media.
        public var isSender = true
        /// Whether feedback may always go out at once; otherwise one early packet is allowed between two regular reports.
        public var allowsImmediateFeedback = true

        /// The defaults.
        public init() {}
    }

    /// A packet that is due.
    public enum Due: Sendable, Hashable {
        /// A regular one: reports and CNAME.
        case regular
        /// An early one, for the feedback that asked for it; may be of reduced size.
        case early
    }

    /// How reports are spread; changes take effect with the next report.
    public var configuration: Configuration
    /// When the next regular report is due.
    public private(set) var nextRegular: NIODeadline

    private var random: RandomSource
    private var averageSize: Double = 128
    private var previousRegular: NIODeadline
    private var earlyRequest: NIODeadline?
    private var isEarlyAllowed = true

    /// A scheduler whose first report is due after half an interval, so that the peer hears soon.
    public init(configuration: Configuration = .init(), random: RandomSource, now: NIODeadline) {
        self.configuration = configuration
        self.random = random
        self.previousRegular = now
        self.nextRegular = now
        self.nextRegular = now + self.interval(minimum: self.configuration.minimumInterval / 2)
    }

    /// When something is due next.
    public var nextDeadline: NIODeadline {
        guard let early = self.earlyRequest, self.mayBeEarly else { return self.nextRegular }
        return min(early, self.nextRegular)
    }

    /// Asks for feedback to go out before the next regular report: at once if that is allowed, with that report otherwise.
    public mutating func requestEarly(now: NIODeadline) {
        self.earlyRequest = self.earlyRequest ?? now
    }

    /// What is due; `nil` if nothing is. Say with ``didSend(_:size:now:)`` that it was sent.
    public func due(now: NIODeadline) -> Due? {
        if now >= self.nextRegular { return .regular }
        guard let early = self.earlyRequest, self.mayBeEarly, now >= early else { return nil }
        return .early
    }

    /// Takes note that a packet was sent.
    ///
    /// - Parameter size: In bytes, with headers of UDP and IP.
    public mutating func didSend(_ due: Due, size: Int, now: NIODeadline) {
        self.noteSize(size)
        self.earlyRequest = nil
        switch due {
        case .regular:
            self.previousRegular = now
            self.isEarlyAllowed = true
            self.nextRegular = now + self.interval(minimum: self.configuration.minimumInterval)
        case .early:
            guard !self.configuration.allowsImmediateFeedback else { return }
            // What was sent early takes the place of the next regular report (RFC 4585 section 3.5.2).
            self.isEarlyAllowed = false
            let interval = self.interval(minimum: self.configuration.minimumInterval)
            self.nextRegular = max(self.nextRegular, self.previousRegular + interval * 2)
        }
    }

    /// Takes note of a packet received, whose size counts for the bandwidth that all share.
    ///
    /// - Parameter size: In bytes, with headers of UDP and IP.
    public mutating func didReceive(size: Int) { self.noteSize(size) }

    private var mayBeEarly: Bool { self.configuration.allowsImmediateFeedback || self.isEarlyAllowed }

    private mutating func noteSize(_ size: Int) {
        self.averageSize += (Double(min(max(size, 0), 65_535)) - self.averageSize) / 16
    }

    /// The time to the next regular report (RFC 3550 section 6.3.1), spread from a half to one and a half of it.
    private mutating func interval(minimum: TimeAmount) -> TimeAmount {
        let members = Double(max(self.configuration.memberCount, 2))
        let senders = Double(min(max(self.configuration.senderCount, 0), self.configuration.memberCount))
        // A twentieth of the session's bandwidth, in bytes per second.
        var bandwidth = Double(max(self.configuration.sessionBandwidth, 1)) / 8 / 20
        var count = members
        if senders > 0, senders <= members / 4 {
            bandwidth *= self.configuration.isSender ? 0.25 : 0.75
            count = self.configuration.isSender ? senders : members - senders
        }
        let seconds = max(Double(minimum.nanoseconds) / 1e9, min(self.averageSize * count / bandwidth, 60))
        // Members that wait for others to speak first make the mean longer than it should be by e - 1.5.
        let factor = (0.5 + Double(self.random.next() >> 11) / Double(1 << 53)) / 1.21828
        return .nanoseconds(Int64(seconds * factor * 1e9))
    }
}

extension TimeAmount {
    fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount {
        .nanoseconds(amount.nanoseconds / divisor)
    }
}
