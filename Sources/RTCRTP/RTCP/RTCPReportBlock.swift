/// How a receiver hears one source (RFC 3550 section 6.4.1): six words of a sender or receiver report.
public struct RTCPReportBlock: Sendable, Hashable {
    static let size = 24

    /// The source.
    public var ssrc: SSRC
    /// The part of the packets lost since the last report, in 1/256.
    public var fractionLost: UInt8
    /// How many packets were lost since the beginning, −8,388,608 to 8,388,607; negative where duplicates outnumber losses.
    public var cumulativeLost: Int32
    /// The highest sequence number received, with the number of times it began anew in the upper 16 bits.
    public var highestSequenceNumber: UInt32
    /// The variance of the packets' interarrival time, in units of the clock rate.
    public var jitter: UInt32
    /// The middle 32 bits of the last sender report's NTP time (LSR); 0 without one.
    public var lastSenderReport: UInt32
    /// How long ago that report came, in units of 1/65,536 s (DLSR); 0 without one.
    public var delaySinceLastSenderReport: UInt32

    /// A block. The cumulative number of lost packets is brought into what 24 bits can say.
    public init(
        ssrc: SSRC,
        fractionLost: UInt8,
        cumulativeLost: Int32,
        highestSequenceNumber: UInt32,
        jitter: UInt32,
        lastSenderReport: UInt32 = 0,
        delaySinceLastSenderReport: UInt32 = 0
    ) {
        self.ssrc = ssrc
        self.fractionLost = fractionLost
        self.cumulativeLost = min(max(cumulativeLost, -0x80_0000), 0x7F_FFFF)
        self.highestSequenceNumber = highestSequenceNumber
        self.jitter = jitter
        self.lastSenderReport = lastSenderReport
        self.delaySinceLastSenderReport = delaySinceLastSenderReport
    }

    init?(_ datagram: RawSpan, at offset: Int) {
        guard let ssrc: UInt32 = datagram.networkOrder(at: offset),
            let loss: UInt32 = datagram.networkOrder(at: offset + 4),
            let highest: UInt32 = datagram.networkOrder(at: offset + 8),
            let jitter: UInt32 = datagram.networkOrder(at: offset + 12),
            let last: UInt32 = datagram.networkOrder(at: offset + 16),
            let delay: UInt32 = datagram.networkOrder(at: offset + 20)
        else { return nil }
        self.ssrc = SSRC(ssrc)
        self.fractionLost = UInt8(loss >> 24)
        self.cumulativeLost = Int32(bitPattern: loss << 8) >> 8
        self.highestSequenceNumber = highest
        self.jitter = jitter
        self.lastSenderReport = last
        self.delaySinceLastSenderReport = delay
    }
}

/// The report blocks of a sender or receiver report.
public struct RTCPReportBlockList: Sendable, Hashable {
    /// How many there are, 0 to 31.
    public let count: Int
    private let start: Int

    init?(count: UInt8, range: Range<Int>) {
        self.count = Int(count)
        self.start = range.lowerBound
        guard range.count >= self.count * RTCPReportBlock.size else { return nil }
    }

    /// The block at `index`, from 0; `nil` past the last.
    public func block(at index: Int, in datagram: RawSpan) -> RTCPReportBlock? {
        guard index >= 0, index < self.count else { return nil }
        return RTCPReportBlock(datagram, at: self.start + index * RTCPReportBlock.size)
    }

    /// Calls `body` with each block in the order sent.
    public func forEach(in datagram: RawSpan, _ body: (RTCPReportBlock) -> Void) {
        for index in 0..<self.count {
            guard let block = self.block(at: index, in: datagram) else { return }
            body(block)
        }
    }
}
