/// The number of a TURN channel (RFC 8656 section 12).
public struct TURNChannelNumber: RawRepresentable, Sendable, Hashable {
    /// The number, 0x4000 to 0x7FFF.
    public let rawValue: UInt16

    /// A channel by its number; `nil` outside 0x4000 to 0x7FFF, where RFC 5766 had channels. Clients of it are about still,
    /// so servers bind all of these.
    public init?(rawValue: UInt16) {
        guard rawValue >> 14 == 1 else { return nil }
        self.rawValue = rawValue
    }

    /// The numbers that clients choose from: those that RFC 8656 left.
    public static let range: ClosedRange<UInt16> = 0x4000...0x4FFF
}
