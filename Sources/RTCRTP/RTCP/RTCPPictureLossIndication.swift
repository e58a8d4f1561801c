/// PLI (RFC 4585 section 6.3.1): a receiver has lost pictures and wants one to begin anew with.
public struct RTCPPictureLossIndication: Sendable, Hashable {
    /// Who wants it.
    public let sender: SSRC
    /// The stream.
    public let media: SSRC

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        guard let sources = RTCPFeedbackSources(header, datagram) else { return nil }
        self.sender = sources.sender
        self.media = sources.media
    }
}
