/// What of several RTP headers can be won back: their fields, added without carry.
package struct FlexFECRecovery: Sendable, Hashable {
    /// The first 16 bits without the version: padding, extension, contributing sources, marker, payload type.
    package private(set) var flags: UInt16
    /// The size of all that follows the first 12 bytes.
    package private(set) var length: UInt16
    /// The timestamp.
    package private(set) var timestamp: UInt32

    private static let flagBits: UInt16 = 0x3FFF

    /// The sum of these fields; the two highest bits of `flags` are left out.
    package init(flags: UInt16 = 0, length: UInt16 = 0, timestamp: UInt32 = 0) {
        self.flags = flags & Self.flagBits
        self.length = length
        self.timestamp = timestamp
    }

    /// The fields of one packet; `nil` if it is shorter than a header or longer than the length can say.
    init?(packet: RawSpan) {
        guard let flags: UInt16 = packet.networkOrder(at: 0), let timestamp: UInt32 = packet.networkOrder(at: 4),
            packet.byteCount >= RTPHeader.fixedSize,
            let length = UInt16(exactly: packet.byteCount - RTPHeader.fixedSize)
        else { return nil }
        self.init(flags: flags, length: length, timestamp: timestamp)
    }

    /// Adds without carry, which also takes away.
    mutating func add(_ other: FlexFECRecovery) {
        self.flags ^= other.flags
        self.length ^= other.length
        self.timestamp ^= other.timestamp
    }
}
