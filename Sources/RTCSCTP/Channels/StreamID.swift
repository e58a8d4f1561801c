/// The number of a stream, which is the `id` of a data channel (RFC 8831 section 6.1).
///
/// 0 to 65,534; 65,535 is reserved.
public struct StreamID: RawRepresentable, Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number.
    public let rawValue: UInt16

    /// A stream number.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The largest number a channel may have.
    public static let maximum = StreamID(rawValue: 65_534)

    /// Whether one number is smaller than another.
    public static func < (lhs: StreamID, rhs: StreamID) -> Bool { lhs.rawValue < rhs.rawValue }

    /// The number.
    public var description: String { String(self.rawValue) }
}
