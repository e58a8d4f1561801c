/// The 48-bit number of an RTP packet: rollover counter and sequence number (RFC 3711 section 3.3.1).
enum PacketIndex {
    /// The largest rollover counter.
    static let lastRollover: UInt64 = 0xFFFF_FFFF

    /// The index nearest to the newest one of the stream that has this sequence number; `nil` when the numbers are used up.
    ///
    /// Before the first rollover there is no earlier counter to belong to, so a number far ahead is taken as what it says.
    static func estimate(_ sequenceNumber: UInt16, newest: UInt64) -> UInt64? {
        let newestSequence = Int(newest & 0xFFFF)
        var rollover = newest >> 16
        if newestSequence < 0x8000 {
            if Int(sequenceNumber) - newestSequence > 0x8000, rollover > 0 { rollover -= 1 }
        } else if newestSequence - 0x8000 > Int(sequenceNumber) {
            guard rollover < Self.lastRollover else { return nil }
            rollover += 1
        }
        return rollover << 16 | UInt64(sequenceNumber)
    }
}
