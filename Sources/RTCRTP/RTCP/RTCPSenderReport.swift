/// What a sender has sent (RFC 3550 section 6.4.1): the second part of a sender report.
public struct RTCPSenderInfo: Sendable, Hashable {
    /// When the report was sent, on the sender's clock.
    public var ntpTime: NTPTimestamp
    /// The same instant in units of the stream's timestamps.
    public var rtpTimestamp: UInt32
    /// How many packets were sent since the beginning, modulo 2³².
    public var packetCount: UInt32
    /// How many bytes of payload, headers and padding left out, modulo 2³².
    public var octetCount: UInt32

    /// What was sent.
    public init(ntpTime: NTPTimestamp, rtpTimestamp: UInt32, packetCount: UInt32, octetCount: UInt32) {
        self.ntpTime = ntpTime
        self.rtpTimestamp = rtpTimestamp
        self.packetCount = packetCount
        self.octetCount = octetCount
    }
}

/// SR (RFC 3550 section 6.4.1).
public struct RTCPSenderReport: Sendable, Hashable {
    /// The stream reported about.
    public let ssrc: SSRC
    /// What was sent.
    public let info: RTCPSenderInfo
    /// How the sender hears others.
    public let reportBlocks: RTCPReportBlockList

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        let start = header.body.lowerBound
        guard header.body.count >= 24, let ssrc: UInt32 = datagram.networkOrder(at: start),
            let ntpTime: UInt64 = datagram.networkOrder(at: start + 4),
            let rtpTimestamp: UInt32 = datagram.networkOrder(at: start + 12),
            let packetCount: UInt32 = datagram.networkOrder(at: start + 16),
            let octetCount: UInt32 = datagram.networkOrder(at: start + 20),
            let blocks = RTCPReportBlockList(count: header.count, range: start + 24..<header.body.upperBound)
        else { return nil }
        self.ssrc = SSRC(ssrc)
        self.info = RTCPSenderInfo(
            ntpTime: NTPTimestamp(rawValue: ntpTime),
            rtpTimestamp: rtpTimestamp,
            packetCount: packetCount,
            octetCount: octetCount
        )
        self.reportBlocks = blocks
    }
}

/// RR (RFC 3550 section 6.4.2).
public struct RTCPReceiverReport: Sendable, Hashable {
    /// Who reports.
    public let ssrc: SSRC
    /// How it hears others.
    public let reportBlocks: RTCPReportBlockList

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        let start = header.body.lowerBound
        guard header.body.count >= 4, let ssrc: UInt32 = datagram.networkOrder(at: start),
            let blocks = RTCPReportBlockList(count: header.count, range: start + 4..<header.body.upperBound)
        else { return nil }
        self.ssrc = SSRC(ssrc)
        self.reportBlocks = blocks
    }
}
