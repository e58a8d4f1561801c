/// A packet of one RTP stream: its SSRC and its RTP sequence number.
public struct RTPPacketName: Sendable, Hashable {
    /// The stream.
    public var ssrc: SSRC
    /// The RTP sequence number.
    public var sequence: UInt16

    /// A packet.
    public init(ssrc: SSRC, sequence: UInt16) {
        self.ssrc = ssrc
        self.sequence = sequence
    }
}

/// The two bits of the IP header by which routers tell of congestion (RFC 3168 section 5).
public enum ExplicitCongestionNotification: UInt8, Sendable, Hashable {
    /// Not ECT: the sender does not take part.
    case notCapable = 0
    /// ECT(1): as L4S uses it.
    case capable1 = 1
    /// ECT(0).
    case capable0 = 2
    /// CE: a queue on the way grew.
    case congestionExperienced = 3
}

/// Which packets of each stream arrived, and when (RFC 8888 section 3.1).
public struct CongestionControlFeedback: Sendable, Hashable {
    /// What became of one packet.
    public enum Metric: Sendable, Hashable {
        /// It did not arrive, so far.
        case lost
        /// It arrived so many 1024ths of a second before the report was made. 0x1FFE says longer ago than can be written,
        /// 0x1FFF that the time is not known.
        case received(arrivalOffset: UInt16, ecn: ExplicitCongestionNotification)
    }

    /// The report about one stream.
    public struct StreamReport: Sendable, Hashable {
        /// The stream.
        public var ssrc: SSRC
        /// The RTP sequence number of the first packet.
        public var beginSequence: UInt16
        /// The packets, numbered upwards from ``beginSequence``.
        public var metrics: [Metric]

        /// A report.
        public init(ssrc: SSRC, beginSequence: UInt16, metrics: [Metric]) {
            self.ssrc = ssrc
            self.beginSequence = beginSequence
            self.metrics = metrics
        }
    }

    /// The streams.
    public var streams: [StreamReport]
    /// When the report was made: the middle 32 bits of the receiver's NTP time, 65,536ths of a second.
    public var reportTimestamp: UInt32

    /// A report.
    public init(streams: [StreamReport], reportTimestamp: UInt32) {
        self.streams = streams
        self.reportTimestamp = reportTimestamp
    }
}
