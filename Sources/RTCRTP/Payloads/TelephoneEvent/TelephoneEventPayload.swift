/// The payload of one packet of a telephone event (RFC 4733 section 2.3).
public struct TelephoneEventPayload: Sendable, Hashable {
    /// The event: 0 to 15 are the tones of ``DTMFTone``.
    public var event: UInt8
    /// Whether the event is over (E).
    public var isEnd: Bool
    /// How loud, 0 to 63 in −dBm0.
    public var volume: UInt8
    /// How long the event has lasted, in ticks of the RTP timestamp; counted from the packet's timestamp.
    public var duration: UInt16

    /// Bytes of a payload.
    public static let byteCount = 4

    /// A payload. Volumes above 63 count as 63.
    public init(event: UInt8, isEnd: Bool, volume: UInt8, duration: UInt16) {
        self.event = event
        self.isEnd = isEnd
        self.volume = min(volume, 63)
        self.duration = duration
    }

    /// Reads the first event of a payload; `nil` if it is cut short.
    public init?(payload: RawSpan) {
        guard payload.byteCount >= Self.byteCount else { return nil }
        let word = payload.withUnsafeBytes { UInt32(bigEndian: $0.loadUnaligned(as: UInt32.self)) }
        self.event = UInt8(word >> 24)
        self.isEnd = word & 0x80_0000 != 0
        self.volume = UInt8(word >> 16 & 0x3F)
        self.duration = UInt16(word & 0xFFFF)
    }

    /// The four bytes as a number in network order.
    public var word: UInt32 {
        UInt32(self.event) << 24 | (self.isEnd ? 0x80_0000 : 0) | UInt32(self.volume & 0x3F) << 16
            | UInt32(self.duration)
    }
}
