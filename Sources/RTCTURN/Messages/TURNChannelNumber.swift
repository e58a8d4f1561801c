/// The number of a TURN channel (RFC 8656 section 12).
public struct TURNChannelNumber: RawRepresentable, Sendable, Hashable {
    /// The number, 0x4000 to 0x4FFF.
    public let rawValue: UInt16

    /// A channel by its number; `nil` outside 0x4000 to 0x4FFF.
    public init?(rawValue: UInt16) {
        guard Self.range.contains(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    /// The numbers that may be bound.
    public static let range: ClosedRange<UInt16> = 0x4000...0x4FFF
}
