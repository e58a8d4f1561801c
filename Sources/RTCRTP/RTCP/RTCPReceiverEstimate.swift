/// REMB (draft-alvestrand-rmcat-remb-03 section 2.2): how much a receiver thinks it can take of some streams together.
public struct RTCPReceiverEstimate: Sendable, Hashable {
    static let identifier: UInt32 = 0x5245_4D42

    /// Who estimates.
    public let sender: SSRC
    /// The estimate in bits per second; what is written has 18 significant bits and is never more.
    public let bitrate: UInt64
    /// The streams.
    public let sources: RTCPSSRCList

    static func isPresent(_ header: RTCPHeader, _ datagram: RawSpan) -> Bool {
        header.body.count >= 12 && datagram.networkOrder(at: header.body.lowerBound + 8) == Self.identifier
    }

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        guard let sources = RTCPFeedbackSources(header, datagram), sources.content.count >= 8,
            let word: UInt32 = datagram.networkOrder(at: sources.content.lowerBound + 4)
        else { return nil }
        self.sender = sources.sender
        self.bitrate = ScaledBitrate.value(exponent: word >> 18 & 0x3F, mantissa: word & 0x3_FFFF)
        let start = sources.content.lowerBound + 8
        let end = start + 4 * Int(word >> 24)
        guard end <= sources.content.upperBound else { return nil }
        self.sources = RTCPSSRCList(range: start..<end)
    }
}
