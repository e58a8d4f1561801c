public import RTCBase

/// The 96 bits that pair a STUN response with its request (RFC 8489 section 5), as one flat value.
public struct STUNTransactionID: Sendable, Hashable {
    /// The first eight bytes, in host byte order.
    public let high: UInt64
    /// The last four bytes, in host byte order.
    public let low: UInt32

    /// An ID from its two parts in host byte order.
    public init(high: UInt64, low: UInt32) {
        self.high = high
        self.low = low
    }

    /// A random ID.
    public static func random(using random: inout RandomSource) -> STUNTransactionID {
        STUNTransactionID(high: random.next(), low: UInt32(truncatingIfNeeded: random.next()))
    }
}
