package import NIOCore

/// Notes when packets arrive and reports it to their sender in time.
///
/// Reports go out every 50 to 250 ms, so that they take about a twentieth of the bandwidth received, and sooner when very
/// many packets wait to be reported.
package struct TransportFeedbackGenerator: Sendable {
    /// What was received.
    package struct Counters: Sendable, Hashable {
        /// Packets noted.
        package var recorded: UInt64 = 0
        /// Packets that had been noted before.
        package var duplicates: UInt64 = 0
        /// Packets too late to be reported.
        package var tooOld: UInt64 = 0
        /// Jumps in the numbering so far that what lay before was forgotten.
        package var restarts: UInt64 = 0
        /// Reports made.
        package var reports: UInt64 = 0
    }

    private var unwrapper = SequenceUnwrapper()
    /// Microseconds of arrival by number, −1 for none. It grows to ``window`` if so many wait to be reported.
    private var arrivals: ContiguousArray<Int64>
    /// The first number of the next report, and the one after the highest noted.
    private var nextSequence: Int64?
    private var endSequence: Int64 = 0
    private var interval: TimeAmount = .milliseconds(100)
    private var lastReport: NIODeadline?
    private var bytesSinceReport = 0
    private var feedbackCount: UInt8 = 0
    /// What was counted so far.
    package private(set) var counters = Counters()

    /// A generator that has seen nothing.
    package init() {
        self.arrivals = ContiguousArray(repeating: -1, count: Int(Self.initialWindow))
    }

    /// Notes a packet that arrived.
    package mutating func record(_ sequence: UInt16, bytes: Int, now: NIODeadline) {
        var unwrapped = self.unwrapper.peek(sequence)
        if let next = self.nextSequence, unwrapped >= self.endSequence + Self.window / 2 || unwrapped < next - 32_000 {
            self.restart()
            unwrapped = Int64(sequence)
        }
        guard let next = self.nextSequence else {
            self.unwrapper = SequenceUnwrapper()
            unwrapped = self.unwrapper.unwrap(sequence)
            self.begin(at: unwrapped, bytes: bytes, now: now)
            return
        }
        guard unwrapped >= max(next - Self.reorderingLimit, self.endSequence - self.capacity), unwrapped >= 0 else {
            self.counters.tooOld += 1
            return
        }
        self.makeRoom(for: unwrapped, from: next - Self.reorderingLimit)
        _ = self.unwrapper.unwrap(sequence)
        while self.endSequence <= unwrapped {
            self.arrivals[self.slot(self.endSequence)] = -1
            self.endSequence += 1
        }
        guard self.arrivals[self.slot(unwrapped)] < 0 else {
            self.counters.duplicates += 1
            return
        }
        self.note(unwrapped, bytes: bytes, now: now)
        // Late ones are reported again from there on; then the sender sees that they were not lost.
        self.nextSequence = max(min(next, unwrapped), self.endSequence - self.capacity)
    }

    /// When the next report is due, a time of the past if it is already; `nil` while there is nothing to report.
    package var nextTimeout: NIODeadline? {
        guard let next = self.nextSequence, next < self.endSequence, let last = self.lastReport else { return nil }
        if self.endSequence - next >= Self.packetsThatHurry { return last }
        return last + self.interval
    }

    /// The report that is due at `now`, if one is. Call it until `nil`.
    package mutating func poll(now: NIODeadline) -> TransportFeedback? {
        guard let due = self.nextTimeout, due <= now, let next = self.nextSequence else { return nil }
        // Numbers are from the peer: skip those at the beginning that never came only when nothing came at all.
        guard let first = (next..<self.endSequence).first(where: { self.arrivals[self.slot($0)] >= 0 }) else {
            self.nextSequence = self.endSequence
            return nil
        }
        let reference = self.arrivals[self.slot(first)] / 64_000
        var previous = reference * 256
        var entries: [TransportFeedback.Arrival] = []
        let end = min(self.endSequence, next + Self.packetsPerReport)
        entries.reserveCapacity(Int(end - next))
        var sequence = next
        while sequence < end {
            let arrival = self.arrivals[self.slot(sequence)]
            if arrival < 0 {
                entries.append(.lost)
            } else {
                let ticks = arrival / 250
                guard let delta = Int16(exactly: ticks - previous) else { break }
                entries.append(.received(delta: delta))
                previous = ticks
            }
            sequence += 1
        }
        while entries.last == .lost { entries.removeLast() }
        let feedback = TransportFeedback(
            baseSequence: UInt16(truncatingIfNeeded: next),
            referenceTime: UInt32(truncatingIfNeeded: reference),
            feedbackCount: self.feedbackCount,
            arrivals: entries
        )
        self.nextSequence = next + Int64(entries.count)
        self.finishReport(size: 20 + entries.count, now: now)
        return feedback
    }

    private mutating func finishReport(size: Int, now: NIODeadline) {
        if let last = self.lastReport, now > last {
            let rate = Bitrate(bytes: self.bytesSinceReport, over: now - last)
            let wanted = (rate * 0.05).duration(of: size + Self.overhead)
            self.interval = max(.milliseconds(50), min(.milliseconds(250), wanted))
        }
        self.bytesSinceReport = 0
        self.lastReport = now
        self.feedbackCount &+= 1
        self.counters.reports += 1
    }

    private mutating func begin(at sequence: Int64, bytes: Int, now: NIODeadline) {
        self.nextSequence = sequence
        self.endSequence = sequence + 1
        if self.lastReport == nil { self.lastReport = now }
        self.note(sequence, bytes: bytes, now: now)
    }

    private mutating func note(_ sequence: Int64, bytes: Int, now: NIODeadline) {
        self.arrivals[self.slot(sequence)] = Int64(now.uptimeNanoseconds / 1000)
        self.bytesSinceReport += bytes
        self.counters.recorded += 1
    }

    private mutating func restart() {
        self.counters.restarts += 1
        self.nextSequence = nil
        for index in self.arrivals.indices { self.arrivals[index] = -1 }
    }

    private var capacity: Int64 { Int64(self.arrivals.count) }

    private func slot(_ sequence: Int64) -> Int { Int(sequence & (self.capacity - 1)) }

    private mutating func makeRoom(for last: Int64, from first: Int64) {
        while last - first >= self.capacity, self.capacity < Self.window {
            let old = self
            self.arrivals = ContiguousArray(repeating: -1, count: old.arrivals.count * 2)
            for sequence in max(0, self.endSequence - old.capacity)..<self.endSequence {
                self.arrivals[self.slot(sequence)] = old.arrivals[old.slot(sequence)]
            }
        }
    }

    private static let initialWindow: Int64 = 1024
    private static let window: Int64 = 8192
    private static let reorderingLimit: Int64 = 500
    private static let packetsThatHurry: Int64 = 400
    private static let packetsPerReport: Int64 = 600
    /// UDP, IP, SRTCP and RTCP headers, in bytes.
    private static let overhead = 60
}
