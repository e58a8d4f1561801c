/// XR (RFC 3611): of its blocks those that let a receiver measure the round trip.
public struct RTCPExtendedReport: Sendable, Hashable {
    /// What one receiver is told about its last reference time (RFC 3611 section 4.5).
    public struct ReceiverDelay: Sendable, Hashable {
        static let size = 12

        /// The receiver.
        public var ssrc: SSRC
        /// The middle 32 bits of its last reference time (LRR); 0 without one.
        public var lastReceiverReport: UInt32
        /// How long ago that came, in units of 1/65,536 s (DLRR); 0 without one.
        public var delaySinceLastReceiverReport: UInt32

        /// What a receiver is told.
        public init(ssrc: SSRC, lastReceiverReport: UInt32, delaySinceLastReceiverReport: UInt32) {
            self.ssrc = ssrc
            self.lastReceiverReport = lastReceiverReport
            self.delaySinceLastReceiverReport = delaySinceLastReceiverReport
        }
    }

    enum BlockType {
        static let receiverReferenceTime: UInt8 = 4
        static let delaySinceLastReceiverReport: UInt8 = 5
    }

    /// Who reports.
    public let ssrc: SSRC
    /// When the report was sent, on the reporter's clock: the first RRTR block (RFC 3611 section 4.4).
    public private(set) var referenceTime: NTPTimestamp?
    /// How many blocks of other kinds there are.
    public private(set) var otherBlockCount = 0
    private var delays = 0..<0

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        guard header.body.count >= 4, let ssrc: UInt32 = datagram.networkOrder(at: header.body.lowerBound)
        else { return nil }
        self.ssrc = SSRC(ssrc)
        var offset = header.body.lowerBound + 4
        while offset < header.body.upperBound {
            guard let word: UInt32 = datagram.networkOrder(at: offset) else { return nil }
            let content = offset + 4..<offset + 4 + 4 * Int(word & 0xFFFF)
            guard content.upperBound <= header.body.upperBound,
                self.readBlock(type: UInt8(word >> 24), of: datagram, content)
            else { return nil }
            offset = content.upperBound
        }
    }

    private mutating func readBlock(type: UInt8, of datagram: RawSpan, _ range: Range<Int>) -> Bool {
        switch type {
        case BlockType.receiverReferenceTime:
            guard range.count == 8, let time: UInt64 = datagram.networkOrder(at: range.lowerBound) else { return false }
            self.referenceTime = self.referenceTime ?? NTPTimestamp(rawValue: time)
        case BlockType.delaySinceLastReceiverReport:
            guard range.count % ReceiverDelay.size == 0 else { return false }
            if self.delays.isEmpty { self.delays = range }
        default:
            self.otherBlockCount += 1
        }
        return true
    }

    /// How many receivers are told about their reference times: the first DLRR block that is not empty.
    public var receiverDelayCount: Int { self.delays.count / ReceiverDelay.size }

    /// What the receiver at `index` is told, from 0; `nil` past the last.
    public func receiverDelay(at index: Int, in datagram: RawSpan) -> ReceiverDelay? {
        let offset = self.delays.lowerBound + index &* ReceiverDelay.size
        guard index >= 0, index < self.receiverDelayCount, let ssrc: UInt32 = datagram.networkOrder(at: offset),
            let last: UInt32 = datagram.networkOrder(at: offset + 4),
            let delay: UInt32 = datagram.networkOrder(at: offset + 8)
        else { return nil }
        return ReceiverDelay(
            ssrc: SSRC(ssrc),
            lastReceiverReport: last,
            delaySinceLastReceiverReport: delay
        )
    }

    /// What the receiver of this SSRC is told; `nil` if nothing is.
    public func receiverDelay(of ssrc: SSRC, in datagram: RawSpan) -> ReceiverDelay? {
        for index in 0..<self.receiverDelayCount {
            if let delay = self.receiverDelay(at: index, in: datagram), delay.ssrc == ssrc { return delay }
        }
        return nil
    }
}
