/// The number that names one RTP stream within its session (RFC 3550 section 3).
public struct SSRC: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    /// The number as it stands in the packets.
    public let rawValue: UInt32

    /// The stream of this number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The stream of this number.
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// The number in decimal, as in SDP.
    public var description: String { String(self.rawValue) }
}
