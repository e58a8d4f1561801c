/// An RTCP packet, or a format of feedback, that is not understood here.
public struct RTCPUnknownPacket: Sendable, Hashable {
    /// The packet's type.
    public let type: RTCPPacketType
    /// The five bits that are a count or a format, 0 to 31.
    public let format: UInt8
    /// What follows the first four bytes in the datagram, padding left out.
    public let bodyRange: Range<Int>

    init(_ header: RTCPHeader) {
        self.type = header.type
        self.format = header.count
        self.bodyRange = header.body
    }
}
