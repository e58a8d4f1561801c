/// APP (RFC 3550 section 6.7): what an application sends for itself.
public struct RTCPApplicationPacket: Sendable, Hashable {
    /// The application's number, 0 to 31.
    public let subtype: UInt8
    /// Who sends it.
    public let ssrc: SSRC
    /// Four characters that name the application, the first one in the highest byte.
    public let name: UInt32
    /// Where the data lies in the datagram.
    public let dataRange: Range<Int>

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        guard header.body.count >= 8, let ssrc: UInt32 = datagram.networkOrder(at: header.body.lowerBound),
            let name: UInt32 = datagram.networkOrder(at: header.body.lowerBound + 4)
        else { return nil }
        self.subtype = header.count
        self.ssrc = SSRC(ssrc)
        self.name = name
        self.dataRange = header.body.lowerBound + 8..<header.body.upperBound
    }
}
