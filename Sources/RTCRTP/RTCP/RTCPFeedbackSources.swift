/// Who gives feedback, and about which stream: the first two words of feedback (RFC 4585 section 6.1).
struct RTCPFeedbackSources: Sendable, Hashable {
    static let size = 8

    let sender: SSRC
    let media: SSRC
    /// What follows.
    let content: Range<Int>

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        guard header.body.count >= Self.size,
            let sender: UInt32 = datagram.networkOrder(at: header.body.lowerBound),
            let media: UInt32 = datagram.networkOrder(at: header.body.lowerBound + 4)
        else { return nil }
        self.sender = SSRC(sender)
        self.media = SSRC(media)
        self.content = header.body.lowerBound + Self.size..<header.body.upperBound
    }
}
