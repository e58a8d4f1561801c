package import NIOCore

/// The packets that were sent lately, by transport-wide sequence number, and what the peer says became of them.
///
/// A ring that grows while it would forget packets younger than a second or two, up to its capacity. Feedback that is repeated, or speaks of packets never sent or long forgotten, is counted and
/// ignored.
package struct SentPacketHistory: Sendable {
    /// What feedback was ignored, and why.
    package struct Counters: Sendable, Hashable {
        /// Entries about packets that were never sent, or so long ago that they are forgotten.
        package var unknown: UInt64 = 0
        /// Entries about packets that had been acknowledged before.
        package var duplicates: UInt64 = 0
        /// Reports that were read.
        package var reports: UInt64 = 0
    }

    private enum State: UInt8 {
        case outstanding
        case lost
        case received
    }

    private struct Entry {
        var sequence: Int64 = -1
        var bytes = 0
        var sendTime = NIODeadline.uptimeNanoseconds(0)
        var probe: ProbeClusterID?
        var state = State.outstanding
        var bytesUpToHere: UInt64 = 0
    }

    private struct StreamIndex {
        var ssrc: SSRC
        var sequences: ContiguousArray<Int64>
    }

    private var entries: ContiguousArray<Entry>
    private let capacity: Int
    private var streams: [StreamIndex] = []
    private var sentBytes: UInt64 = 0
    private var acknowledgedBytes: UInt64 = 0
    private var highestAcknowledged: Int64 = -1
    private var referenceTime: Int64?
    private var reportTime: Int64?
    /// The number of the next packet.
    package private(set) var nextSequence: Int64
    /// What was ignored so far.
    package private(set) var counters = Counters()

    /// An empty history.
    ///
    /// - Parameters:
    ///   - capacity: how many packets it remembers at most, rounded up to a power of two; at most 32,768.
    ///   - firstSequence: the number of the first packet.
    package init(capacity: Int = 8192, firstSequence: UInt16 = 0) {
        var size = 64
        while size < min(capacity, 32_768) { size *= 2 }
        self.capacity = size
        self.entries = ContiguousArray(repeating: Entry(), count: min(size, Self.initialCapacity))
        self.nextSequence = Int64(firstSequence)
    }

    /// Notes a packet that leaves now.
    ///
    /// - Parameters:
    ///   - stream: its SSRC and RTP sequence number, needed only where the peer reports as RFC 8888 says.
    /// - Returns: the transport-wide sequence number to write into it.
    package mutating func record(
        bytes: Int,
        probe: ProbeClusterID? = nil,
        stream: RTPPacketName? = nil,
        now: NIODeadline
    ) -> UInt16 {
        let sequence = self.nextSequence
        self.nextSequence += 1
        self.sentBytes &+= UInt64(max(0, bytes))
        let oldest = self.entries[self.slot(sequence)]
        if oldest.sequence >= 0, self.entries.count < self.capacity, now - oldest.sendTime < Self.wantedAge {
            self.grow()
        }
        self.entries[self.slot(sequence)] = Entry(
            sequence: sequence,
            bytes: max(0, bytes),
            sendTime: now,
            probe: probe,
            bytesUpToHere: self.sentBytes
        )
        if let stream { self.index(stream, as: sequence) }
        return UInt16(truncatingIfNeeded: sequence)
    }

    /// How many bytes were sent after the newest packet that the peer has acknowledged.
    package var bytesInFlight: Int { Int(clamping: self.sentBytes &- self.acknowledgedBytes) }

    /// Appends what `feedback` tells to `results`, in the order of sending.
    package mutating func match(_ feedback: TransportFeedback, into results: inout [PacketResult]) {
        self.counters.reports += 1
        var ticks = self.unwrapReference(feedback.referenceTime) * 256
        let first = self.unwrap(feedback.baseSequence)
        for (index, entry) in feedback.arrivals.enumerated() {
            var arrival: TimeAmount?
            if case .received(let delta) = entry {
                ticks += Int64(delta)
                arrival = .microseconds(ticks * 250)
            }
            guard let first else {
                self.counters.unknown += 1
                continue
            }
            self.resolve(first + Int64(index), arrival: arrival, isMarked: false, into: &results)
        }
    }

    /// Appends what `feedback` tells to `results`, in the order of sending. Streams must have been named when sending.
    package mutating func match(_ feedback: CongestionControlFeedback, into results: inout [PacketResult]) {
        self.counters.reports += 1
        let report = self.unwrapReport(feedback.reportTimestamp)
        let begin = results.count
        for stream in feedback.streams {
            for (index, metric) in stream.metrics.enumerated() {
                let name = RTPPacketName(
                    ssrc: stream.ssrc,
                    sequence: stream.beginSequence &+ UInt16(truncatingIfNeeded: index)
                )
                guard let sequence = self.lookUp(name) else {
                    self.counters.unknown += 1
                    continue
                }
                switch metric {
                case .lost:
                    self.resolve(sequence, arrival: nil, isMarked: false, into: &results)
                case .received(let offset, let ecn):
                    // 65,536ths of a second; the two highest offsets say "too long ago" and "unknown".
                    guard offset < 0x1FFE else { continue }
                    let units = report - Int64(offset) * 64
                    let arrival = TimeAmount.nanoseconds(units * 15_625 / 1024 * 1000)
                    self.resolve(sequence, arrival: arrival, isMarked: ecn == .congestionExperienced, into: &results)
                }
            }
        }
        results[begin...].sort { $0.sequence < $1.sequence }
    }

    private mutating func resolve(
        _ sequence: Int64,
        arrival: TimeAmount?,
        isMarked: Bool,
        into results: inout [PacketResult]
    ) {
        guard sequence >= 0, sequence < self.nextSequence else {
            self.counters.unknown += 1
            return
        }
        let entry = self.entries[self.slot(sequence)]
        guard entry.sequence == sequence else {
            self.counters.unknown += 1
            return
        }
        switch (entry.state, arrival) {
        case (.received, _), (.lost, nil):
            self.counters.duplicates += 1
            return
        default: break
        }
        self.entries[self.slot(sequence)].state = arrival == nil ? .lost : .received
        if arrival != nil, sequence > self.highestAcknowledged {
            self.highestAcknowledged = sequence
            self.acknowledgedBytes = entry.bytesUpToHere
        }
        var result = PacketResult(
            sequence: sequence,
            bytes: entry.bytes,
            sendTime: entry.sendTime,
            arrival: arrival,
            probe: entry.probe
        )
        result.isCongestionMarked = isMarked
        result.wasReportedLost = entry.state == .lost
        results.append(result)
    }

    /// The number meant by its low 16 bits: the last one sent that has them.
    private func unwrap(_ sequence: UInt16) -> Int64? {
        let last = self.nextSequence - 1
        let behind = Int64(UInt16(truncatingIfNeeded: last) &- sequence)
        let unwrapped = last - behind
        return unwrapped >= 0 && behind < Int64(self.entries.count) ? unwrapped : nil
    }

    private mutating func unwrapReference(_ time: UInt32) -> Int64 {
        let time = Int64(time & 0xFF_FFFF)
        guard let last = self.referenceTime else {
            // A round ahead, so that earlier times stay positive.
            self.referenceTime = time + 0x100_0000
            return time + 0x100_0000
        }
        var step = (time - last) & 0xFF_FFFF
        if step >= 0x80_0000 { step -= 0x100_0000 }
        self.referenceTime = max(last, last + step)
        return last + step
    }

    private mutating func unwrapReport(_ time: UInt32) -> Int64 {
        guard let last = self.reportTime else {
            self.reportTime = Int64(time) + 0x1_0000_0000
            return Int64(time) + 0x1_0000_0000
        }
        let step = Int64(Int32(bitPattern: time &- UInt32(truncatingIfNeeded: last)))
        self.reportTime = max(last, last + step)
        return last + step
    }

    private mutating func index(_ name: RTPPacketName, as sequence: Int64) {
        var position = self.streams.firstIndex { $0.ssrc == name.ssrc }
        if position == nil {
            if self.streams.count >= Self.maximumStreams { self.streams.removeFirst() }
            let empty = ContiguousArray<Int64>(repeating: -1, count: Self.packetsPerStream)
            self.streams.append(StreamIndex(ssrc: name.ssrc, sequences: empty))
            position = self.streams.count - 1
        }
        guard let position else { return }
        // The transport-wide number and the low bits of the RTP one that a slot stands for.
        let slot = Int(name.sequence) & (Self.packetsPerStream - 1)
        self.streams[position].sequences[slot] = sequence << 16 | Int64(name.sequence)
    }

    private func lookUp(_ name: RTPPacketName) -> Int64? {
        guard let position = self.streams.firstIndex(where: { $0.ssrc == name.ssrc }) else { return nil }
        let value = self.streams[position].sequences[Int(name.sequence) & (Self.packetsPerStream - 1)]
        guard value >= 0, value & 0xFFFF == Int64(name.sequence) else { return nil }
        return value >> 16
    }

    private func slot(_ sequence: Int64) -> Int { Int(sequence) & (self.entries.count - 1) }

    private mutating func grow() {
        let old = self.entries
        self.entries = ContiguousArray(repeating: Entry(), count: old.count * 2)
        for entry in old where entry.sequence >= 0 { self.entries[self.slot(entry.sequence)] = entry }
    }

    /// Feedback comes within a round trip and a quarter of a second.
    private static let wantedAge = TimeAmount.seconds(2)
    private static let initialCapacity = 64
    private static let maximumStreams = 64
    private static let packetsPerStream = 2048
}
