package import NIOCore

/// Notes when the packets of each stream arrive and reports it as RFC 8888 says, every 50 ms or when many wait.
package struct CongestionControlFeedbackGenerator: Sendable {
    private struct Arrival {
        var time: NIODeadline
        var ecn: ExplicitCongestionNotification
    }

    private struct Stream {
        let ssrc: SSRC
        var unwrapper = SequenceUnwrapper()
        var arrivals: ContiguousArray<Arrival?>
        /// The number that everything began with, or began anew.
        var first: Int64
        /// The first number of the next report, and the one after the highest noted.
        var next: Int64
        var end: Int64
        var lastArrival: NIODeadline

        /// The oldest number that is still reported when it comes late.
        var oldest: Int64 {
            max(self.first, min(self.next, self.end - CongestionControlFeedbackGenerator.reorderingLimit))
        }
    }

    private var streams: [Stream] = []
    private var pending = 0
    private var lastReport: NIODeadline?
    /// Packets that were not noted: too old.
    package private(set) var ignored: UInt64 = 0
    private let interval: TimeAmount

    /// A generator that has seen nothing.
    package init(interval: TimeAmount = .milliseconds(50)) { self.interval = interval }

    /// Notes a packet that arrived.
    package mutating func record(
        _ packet: RTPPacketName,
        ecn: ExplicitCongestionNotification = .notCapable,
        now: NIODeadline
    ) {
        let position = self.position(of: packet, now: now)
        let sequence = self.streams[position].unwrapper.peek(packet.sequence)
        if sequence >= self.streams[position].end + Self.window {
            self.streams[position].first = sequence
            self.streams[position].next = sequence
            self.streams[position].end = sequence
        }
        guard sequence >= max(0, self.streams[position].oldest) else {
            self.ignored += 1
            return
        }
        self.streams[position].lastArrival = now
        _ = self.streams[position].unwrapper.unwrap(packet.sequence)
        while self.streams[position].end <= sequence {
            self.streams[position].arrivals[Self.slot(self.streams[position].end)] = nil
            self.streams[position].end += 1
        }
        // The first copy counts; RFC 8888 section 3.1 wants a mark of any copy kept.
        let earlier = self.streams[position].arrivals[Self.slot(sequence)]
        let isMarked = ecn == .congestionExperienced || earlier?.ecn == .congestionExperienced
        self.streams[position].arrivals[Self.slot(sequence)] = Arrival(
            time: earlier?.time ?? now,
            ecn: isMarked ? .congestionExperienced : ecn
        )
        // Late ones are reported again from there on; then the sender sees that they were not lost (RFC 8888 section 4).
        let next = min(self.streams[position].next, sequence)
        self.streams[position].next = max(next, self.streams[position].end - Self.window)
        self.pending += 1
        if self.lastReport == nil { self.lastReport = now }
    }

    /// When the next report is due, a time of the past if it is already; `nil` while there is nothing to report.
    package var nextTimeout: NIODeadline? {
        guard self.pending > 0, let last = self.lastReport else { return nil }
        return self.pending >= Self.packetsThatHurry ? last : last + self.interval
    }

    /// The report that is due at `now`, if one is.
    ///
    /// - Parameter ntpTime: the middle 32 bits of the NTP time at `now`.
    package mutating func poll(ntpTime: UInt32, now: NIODeadline) -> CongestionControlFeedback? {
        guard let due = self.nextTimeout, due <= now else { return nil }
        var reports: [CongestionControlFeedback.StreamReport] = []
        for position in self.streams.indices where self.streams[position].next < self.streams[position].end {
            let stream = self.streams[position]
            let metrics = (stream.next..<stream.end).map { Self.metric(stream.arrivals[Self.slot($0)], now: now) }
            let begin = UInt16(truncatingIfNeeded: stream.next)
            reports.append(.init(ssrc: stream.ssrc, beginSequence: begin, metrics: metrics))
            self.streams[position].next = stream.end
        }
        self.pending = 0
        self.lastReport = now
        return CongestionControlFeedback(streams: reports, reportTimestamp: ntpTime)
    }

    private static func metric(_ arrival: Arrival?, now: NIODeadline) -> CongestionControlFeedback.Metric {
        guard let arrival else { return .lost }
        let offset = max(0, (now - arrival.time).nanoseconds / 1000) * 1024 / 1_000_000
        return .received(arrivalOffset: UInt16(min(offset, 0x1FFE)), ecn: arrival.ecn)
    }

    /// The place of a packet's stream: a new one, or that of the stream that has been silent longest, where there is none.
    private mutating func position(of packet: RTPPacketName, now: NIODeadline) -> Int {
        if let position = self.streams.firstIndex(where: { $0.ssrc == packet.ssrc }) { return position }
        if self.streams.count >= Self.maximumStreams,
            let silent = self.streams.indices.min(by: {
                self.streams[$0].lastArrival < self.streams[$1].lastArrival
            })
        {
            self.streams.remove(at: silent)
        }
        let sequence = Int64(packet.sequence)
        let empty = ContiguousArray<Arrival?>(repeating: nil, count: Int(Self.window))
        self.streams.append(
            Stream(
                ssrc: packet.ssrc,
                arrivals: empty,
                first: sequence,
                next: sequence,
                end: sequence,
                lastArrival: now
            )
        )
        return self.streams.count - 1
    }

    private static func slot(_ sequence: Int64) -> Int { Int(sequence & (self.window - 1)) }

    private static let window: Int64 = 1024
    private static let reorderingLimit: Int64 = 256
    private static let maximumStreams = 64
    private static let packetsThatHurry = 256
}
