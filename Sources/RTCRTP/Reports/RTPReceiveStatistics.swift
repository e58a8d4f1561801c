public import NIOCore

/// What has been received of one stream, and the report about it (RFC 3550 section 6.4 and appendices A.1, A.3 and A.8).
///
/// Give it the packets of the stream itself, not those that a retransmission or repair brought back: the sender is to hear
/// what the network did.
public struct RTPReceiveStatistics: Sendable {
    /// What a packet is among those of its stream.
    public enum Reception: Sendable, Hashable {
        /// The first one, or the first after the numbers began elsewhere.
        case first
        /// Newer than all before.
        case newest
        /// Older than the newest: late, or a duplicate.
        case older
        /// Too far from the others to belong to them, unless the next one is its successor. Not counted.
        case suspect
    }

    /// How far ahead a packet may be and still belong to the others.
    static let maximumDropout: UInt16 = 3000
    /// How far behind; appendix A.1 has 100, which two late packets in a row after a stall of the network pass.
    static let maximumMisorder: UInt16 = 1000

    /// The rate of the timestamps, per second.
    public var clockRate: UInt32
    /// How many packets were received, duplicates included.
    public private(set) var packetCount: UInt64 = 0
    /// How many bytes of payload, headers and padding left out.
    public private(set) var payloadByteCount: UInt64 = 0
    /// How many bytes of headers and padding.
    public private(set) var overheadByteCount: UInt64 = 0
    /// When the last packet came; `nil` before the first.
    public private(set) var lastArrival: NIODeadline?
    /// How many packets are missing so far: negative where duplicates outnumber them.
    public var lostCount: Int64 { self.pastLost + self.expectedCount - self.receivedCount }
    /// The highest sequence number, with the number of times it began anew above the 16th bit; `nil` before the first.
    public var highestSequenceNumber: UInt32? { self.isStarted ? self.cycles | UInt32(self.highest) : nil }
    /// The variance of interarrival times, in units of the clock rate (RFC 3550 appendix A.8).
    public var jitter: UInt32 { self.scaledJitter >> 4 }
    /// The same in nanoseconds.
    public var jitterTime: TimeAmount {
        .nanoseconds(self.clockRate == 0 ? 0 : Int64(self.jitter) * 1_000_000_000 / Int64(self.clockRate))
    }

    private var isStarted = false
    private var base: UInt32 = 0
    private var highest: UInt16 = 0
    private var cycles: UInt32 = 0
    private var suspectSuccessor: UInt16?
    private var receivedCount: Int64 = 0
    // What was lost before the numbers began elsewhere.
    private var pastLost: Int64 = 0
    private var expectedAtReport: Int64 = 0
    private var receivedAtReport: Int64 = 0
    // Sixteen times the jitter.
    private var scaledJitter: UInt32 = 0
    private var lastTransit: UInt32?
    private var senderReport: (compact: UInt32, arrival: NIODeadline)?

    /// Statistics of a stream that has not begun.
    public init(clockRate: UInt32) { self.clockRate = clockRate }

    /// Counts a packet.
    ///
    /// - Parameter isTimed: Whether the timestamp says when the packet was sent, so that jitter can be measured; `false` for telephone
    ///   events, which keep the timestamp of their beginning.
    @discardableResult
    public mutating func receive(_ view: RTPPacketView, isTimed: Bool = true, now: NIODeadline) -> Reception {
        self.receive(
            sequenceNumber: view.header.sequenceNumber,
            timestamp: view.header.timestamp,
            payloadSize: view.payloadRange.count,
            overhead: view.size - view.payloadRange.count,
            isTimed: isTimed,
            now: now
        )
    }

    /// Counts a packet.
    ///
    /// - Parameters:
    ///   - payloadSize: In bytes, headers and padding left out.
    ///   - overhead: Headers and padding, in bytes.
    ///   - isTimed: Whether the timestamp says when the packet was sent, so that jitter can be measured.
    @discardableResult
    public mutating func receive(
        sequenceNumber: UInt16,
        timestamp: UInt32,
        payloadSize: Int,
        overhead: Int,
        isTimed: Bool = true,
        now: NIODeadline
    ) -> Reception {
        let reception = self.place(sequenceNumber)
        guard reception != .suspect else { return reception }
        self.receivedCount += 1
        self.packetCount &+= 1
        self.payloadByteCount &+= UInt64(max(payloadSize, 0))
        self.overheadByteCount &+= UInt64(max(overhead, 0))
        self.lastArrival = now
        // Packets that are late would say more about the reordering than about the queues.
        if isTimed, reception != .older { self.updateJitter(timestamp: timestamp, now: now) }
        return reception
    }

    private mutating func place(_ number: UInt16) -> Reception {
        guard self.isStarted else { return self.restart(at: number) }
        let distance = number &- self.highest
        if distance == 0 || distance > UInt16.max - Self.maximumMisorder + 1 {
            self.suspectSuccessor = nil
            return .older
        }
        if distance < Self.maximumDropout {
            if number < self.highest { self.cycles &+= 1 << 16 }
            self.highest = number
            self.suspectSuccessor = nil
            return .newest
        }
        if number == self.suspectSuccessor { return self.restart(at: number) }
        self.suspectSuccessor = number &+ 1
        return .suspect
    }

    private mutating func restart(at number: UInt16) -> Reception {
        self.pastLost = self.lostCount
        self.isStarted = true
        self.base = UInt32(number)
        self.highest = number
        self.cycles = 0
        self.suspectSuccessor = nil
        self.receivedCount = 0
        self.expectedAtReport = 0
        self.receivedAtReport = 0
        self.lastTransit = nil
        return .first
    }

    private var expectedCount: Int64 {
        self.isStarted ? Int64((self.cycles | UInt32(self.highest)) &- self.base) + 1 : 0
    }

    private mutating func updateJitter(timestamp: UInt32, now: NIODeadline) {
        let transit = self.units(of: now) &- timestamp
        defer { self.lastTransit = transit }
        guard let last = self.lastTransit else { return }
        let difference = Int32(bitPattern: transit &- last).magnitude
        // A jump of minutes is a new beginning of the timestamps, not jitter.
        guard difference < self.clockRate &* 10 else { return }
        self.scaledJitter = self.scaledJitter &+ difference &- (self.scaledJitter &+ 8) >> 4
    }

    private func units(of instant: NIODeadline) -> UInt32 {
        let (seconds, rest) = instant.uptimeNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let rate = UInt64(self.clockRate)
        return UInt32(truncatingIfNeeded: seconds &* rate &+ rest &* rate / 1_000_000_000)
    }

    /// Takes note of a sender report of the stream, so that the next block answers it.
    public mutating func receive(_ senderReport: RTCPSenderInfo, now: NIODeadline) {
        self.senderReport = (senderReport.ntpTime.compact, now)
    }

    /// The report block about what was received since the last one; `nil` before the first packet.
    public mutating func makeReportBlock(ssrc: SSRC, now: NIODeadline) -> RTCPReportBlock? {
        guard let highest = self.highestSequenceNumber else { return nil }
        let expected = self.expectedCount - self.expectedAtReport
        let lost = expected - (self.receivedCount - self.receivedAtReport)
        self.expectedAtReport = self.expectedCount
        self.receivedAtReport = self.receivedCount
        let fraction = expected <= 0 || lost <= 0 ? 0 : min((lost << 8) / expected, 255)
        return RTCPReportBlock(
            ssrc: ssrc,
            fractionLost: UInt8(fraction),
            cumulativeLost: Int32(min(max(self.lostCount, -0x80_0000), 0x7F_FFFF)),
            highestSequenceNumber: highest,
            jitter: self.jitter,
            lastSenderReport: self.senderReport?.compact ?? 0,
            delaySinceLastSenderReport: self.senderReport.map { RoundTripTime.units(of: now - $0.arrival) } ?? 0
        )
    }
}
