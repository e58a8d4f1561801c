/// The number that tells a packet's format, 0 to 127; what it stands for is agreed in SDP (RFC 3550 section 5.1).
public struct PayloadType: Sendable, Hashable, Comparable, RawRepresentable, CustomStringConvertible {
    /// The number, 0 to 127.
    public let rawValue: UInt8

    /// A payload type; `nil` for numbers above 127.
    public init?(rawValue: UInt8) {
        guard rawValue < 128 else { return nil }
        self.rawValue = rawValue
    }

    /// The payload type in the low seven bits of `byte`.
    public init(lowBitsOf byte: UInt8) { self.rawValue = byte & 0x7F }

    /// The number in decimal, as in SDP.
    public var description: String { String(self.rawValue) }

    /// Orders by number.
    public static func < (lhs: PayloadType, rhs: PayloadType) -> Bool { lhs.rawValue < rhs.rawValue }
}
