/// Congestion control feedback (RFC 8888): which packets of each stream arrived, when, and with which mark.
public struct RTCPCongestionFeedback: Sendable, Hashable {
    /// The mark of a packet's IP header (RFC 3168 section 5).
    public enum ECN: UInt8, Sendable, Hashable {
        /// The sender does not take part.
        case notECT
        /// ECT(1).
        case ect1
        /// ECT(0).
        case ect0
        /// A router met congestion.
        case ce
    }

    /// When a packet arrived, before the report's time.
    public enum Arrival: Sendable, Hashable {
        /// So many units of 1/1,024 s, 0 to 8,189.
        case before(UInt16)
        /// More than 8,189 units.
        case longBefore
        /// Nothing is told about it.
        case unknown
    }

    /// What is told about one packet: `nil` stands for one that did not arrive.
    public struct Metric: Sendable, Hashable {
        /// The mark it arrived with.
        public var ecn: ECN
        /// When it arrived.
        public var arrival: Arrival

        /// A packet that arrived.
        public init(ecn: ECN = .notECT, arrival: Arrival) {
            self.ecn = ecn
            self.arrival = arrival
        }

        init?(bits: UInt16) {
            guard bits & 0x8000 != 0, let ecn = ECN(rawValue: UInt8(bits >> 13 & 3)) else { return nil }
            self.ecn = ecn
            switch bits & 0x1FFF {
            case 0x1FFF: self.arrival = .unknown
            case 0x1FFE: self.arrival = .longBefore
            case let offset: self.arrival = .before(offset)
            }
        }

        var bits: UInt16 {
            let offset: UInt16 =
                switch self.arrival {
                case .before(let units): min(units, 0x1FFE)
                case .longBefore: 0x1FFE
                case .unknown: 0x1FFF
                }
            return 0x8000 | UInt16(self.ecn.rawValue) << 13 | offset
        }
    }

    /// What is to be told about one stream.
    public struct Stream: Sendable, Hashable {
        /// The stream.
        public var ssrc: SSRC
        /// The sequence number of the first packet told about.
        public var firstSequenceNumber: UInt16
        /// What is told about it and those after it, at most 16,384; `nil` for a packet that did not arrive.
        public var metrics: [Metric?]

        /// What is told about a stream.
        public init(ssrc: SSRC, firstSequenceNumber: UInt16, metrics: [Metric?]) {
            self.ssrc = ssrc
            self.firstSequenceNumber = firstSequenceNumber
            self.metrics = metrics
        }
    }

    /// The most packets of a stream that are told about (RFC 8888 section 3.1).
    public static let maximumMetricCount = 16_384

    /// Who received.
    public let sender: SSRC
    /// When the report was made: the middle 32 bits of an NTP time of the receiver, units of 1/65,536 s.
    public let reportTimestamp: UInt32
    private let streams: Range<Int>

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        guard header.body.count >= 8, let sender: UInt32 = datagram.networkOrder(at: header.body.lowerBound),
            let timestamp: UInt32 = datagram.networkOrder(at: header.body.upperBound - 4)
        else { return nil }
        self.sender = SSRC(sender)
        self.reportTimestamp = timestamp
        self.streams = header.body.lowerBound + 4..<header.body.upperBound - 4
        guard self.forEachPacket(in: datagram, { _, _, _ in }) else { return nil }
    }

    /// Calls `body` with each packet told about: stream, sequence number, and what is told, `nil` if it did not arrive.
    ///
    /// - Returns: Whether the list is well-formed.
    @discardableResult
    public func forEachPacket(in datagram: RawSpan, _ body: (SSRC, UInt16, Metric?) -> Void) -> Bool {
        var offset = self.streams.lowerBound
        while offset < self.streams.upperBound {
            guard let ssrc: UInt32 = datagram.networkOrder(at: offset),
                let range: UInt32 = datagram.networkOrder(at: offset + 4)
            else { return false }
            var number = UInt16(truncatingIfNeeded: range >> 16)
            let count = Int(range & 0xFFFF)
            offset += 8
            let end = offset + (2 * count + 3) & ~3
            guard count <= Self.maximumMetricCount, end <= self.streams.upperBound else { return false }
            for index in 0..<count {
                guard let bits: UInt16 = datagram.networkOrder(at: offset + 2 * index) else { return false }
                body(SSRC(ssrc), number, Metric(bits: bits))
                number &+= 1
            }
            offset = end
        }
        return true
    }
}
