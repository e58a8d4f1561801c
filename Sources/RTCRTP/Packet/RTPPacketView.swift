/// What an RTP packet says and where its parts lie: a flat value, made in one pass without allocating.
///
/// It does not hold the packet. What is not copied out is read from the same packet again, which the caller passes
/// along; with another one the answers are wrong, but nothing traps.
public struct RTPPacketView: Sendable, Hashable {
    /// The fixed fields.
    public private(set) var header: RTPHeader
    /// How many contributing sources are listed, 0 to 15.
    public let contributingSourceCount: Int
    /// What the header extension's first 16 bits say; `nil` without an extension.
    public let extensionProfile: UInt16?
    /// Where the content of the header extension lies, in bytes; empty without an extension.
    public let extensionRange: Range<Int>
    /// Where the payload lies, padding left out.
    public let payloadRange: Range<Int>
    /// How many bytes of padding there are, the one that counts them included; 0 to 255.
    public let paddingSize: Int

    /// Whether the extension's content are elements as of RFC 8285.
    public var extensionForm: HeaderExtensionForm? { self.extensionProfile.flatMap(HeaderExtensionForm.init) }
    /// The size of everything before the payload, in bytes.
    public var headerSize: Int { self.payloadRange.lowerBound }
    /// The packet's size, in bytes.
    public var size: Int { self.payloadRange.upperBound + self.paddingSize }

    /// Reads a packet; `nil` if it is not well-formed: another version, a border outside the packet, padding that is
    /// longer than what there is, or a packet type of RTCP (RFC 5761 section 4).
    ///
    /// Elements of the header extension are not looked at: see ``extensions``.
    public init?(_ packet: RawSpan) {
        guard let head: UInt32 = packet.networkOrder(at: 0), head >> 30 == 2,
            let timestamp: UInt32 = packet.networkOrder(at: 4), let ssrc: UInt32 = packet.networkOrder(at: 8)
        else { return nil }
        let payloadType = PayloadType(lowBitsOf: UInt8(truncatingIfNeeded: head >> 16))
        guard payloadType.isUsableBesideRTCP else { return nil }
        self.header = RTPHeader(
            marker: head & 0x80_0000 != 0,
            payloadType: payloadType,
            sequenceNumber: UInt16(truncatingIfNeeded: head),
            timestamp: timestamp,
            ssrc: SSRC(ssrc)
        )
        self.contributingSourceCount = Int(head >> 24 & 0xF)
        var offset = RTPHeader.fixedSize + 4 * self.contributingSourceCount
        if head & 0x1000_0000 != 0 {
            guard let word: UInt32 = packet.networkOrder(at: offset) else { return nil }
            self.extensionProfile = UInt16(truncatingIfNeeded: word >> 16)
            let start = offset + 4
            offset = start + 4 * Int(word & 0xFFFF)
            self.extensionRange = start..<offset
        } else {
            self.extensionProfile = nil
            self.extensionRange = offset..<offset
        }
        guard offset <= packet.byteCount else { return nil }
        var end = packet.byteCount
        if head & 0x2000_0000 != 0 {
            guard end > offset, let padding: UInt8 = packet.networkOrder(at: end - 1), padding > 0,
                Int(padding) <= end - offset
            else { return nil }
            end -= Int(padding)
        }
        self.paddingSize = packet.byteCount - end
        self.payloadRange = offset..<end
    }

    /// The contributing source at `index`, from 0; `nil` past the last.
    public func contributingSource(at index: Int, in packet: RawSpan) -> SSRC? {
        guard index >= 0, index < self.contributingSourceCount,
            let number: UInt32 = packet.networkOrder(at: RTPHeader.fixedSize + 4 * index)
        else { return nil }
        return SSRC(number)
    }

    /// The same with other fixed fields.
    func with(_ header: RTPHeader) -> RTPPacketView {
        var view = self
        view.header = header
        return view
    }
}
