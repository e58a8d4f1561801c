/// Tells RTP from RTCP where both come from one port (RFC 5761 section 4, RFC 7983).
public enum RTPPacketKind: Sendable, Hashable {
    /// Media, or something that repairs it.
    case rtp
    /// Reports and feedback.
    case rtcp

    /// What `datagram` is by its first two bytes, encrypted or not; `nil` if it is neither.
    ///
    /// Payload types 64 to 95 are RTCP's packet types 192 to 223 and are never RTP's.
    public init?(_ datagram: RawSpan) {
        guard let head: UInt16 = datagram.networkOrder(at: 0), head >> 14 == 2 else { return nil }
        if (64...95).contains(head & 0x7F) {
            guard datagram.byteCount >= 8 else { return nil }
            self = .rtcp
        } else {
            guard datagram.byteCount >= RTPHeader.fixedSize else { return nil }
            self = .rtp
        }
    }
}

extension PayloadType {
    /// Whether RTP may use this number beside RTCP on one port: not 64 to 95 (RFC 5761 section 4).
    public var isUsableBesideRTCP: Bool { !(64...95).contains(self.rawValue) }
}
