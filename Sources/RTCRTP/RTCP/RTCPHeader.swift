/// The first four bytes of an RTCP packet, and where the rest lies.
struct RTCPHeader: Sendable, Hashable {
    static let size = 4

    /// A count or a format: five bits.
    var count: UInt8
    var type: RTCPPacketType
    /// What follows the header, padding left out.
    var body: Range<Int>
    /// Where the next packet begins.
    var end: Int

    /// Reads the header at `offset`; `nil` if the packet does not fit or its padding is longer than it.
    ///
    /// Only the last packet may be padded (RFC 3550 section 6.4.1), but transport-wide feedback is seen to be wherever it
    /// stands.
    init?(_ datagram: RawSpan, at offset: Int) {
        guard let word: UInt32 = datagram.networkOrder(at: offset), word >> 30 == 2 else { return nil }
        self.count = UInt8(word >> 24 & 0x1F)
        self.type = RTCPPacketType(rawValue: UInt8(word >> 16 & 0xFF))
        self.end = offset + Self.size + 4 * Int(word & 0xFFFF)
        guard self.end <= datagram.byteCount else { return nil }
        var bodyEnd = self.end
        let start = offset + Self.size
        if word & 0x2000_0000 != 0 {
            guard bodyEnd > start, let padding: UInt8 = datagram.networkOrder(at: bodyEnd - 1), padding > 0,
                Int(padding) <= bodyEnd - start
            else { return nil }
            bodyEnd -= Int(padding)
        }
        self.body = start..<bodyEnd
    }
}
