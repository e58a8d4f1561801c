/// Generic NACK (RFC 4585 section 6.2.1): packets that a receiver misses.
public struct RTCPGenericNACK: Sendable, Hashable {
    /// Who misses them.
    public let sender: SSRC
    /// The stream they belong to.
    public let media: SSRC
    private let range: Range<Int>

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        guard let sources = RTCPFeedbackSources(header, datagram), sources.content.count >= 4,
            sources.content.count % 4 == 0
        else { return nil }
        self.sender = sources.sender
        self.media = sources.media
        self.range = sources.content
    }

    /// Calls `body` with the sequence number of each missing packet, in the order sent.
    public func forEachSequenceNumber(in datagram: RawSpan, _ body: (UInt16) -> Void) {
        for offset in stride(from: self.range.lowerBound, to: self.range.upperBound, by: 4) {
            guard let word: UInt32 = datagram.networkOrder(at: offset) else { return }
            let first = UInt16(truncatingIfNeeded: word >> 16)
            body(first)
            for bit in 0..<UInt16(16) where word >> bit & 1 != 0 { body(first &+ bit &+ 1) }
        }
    }
}
