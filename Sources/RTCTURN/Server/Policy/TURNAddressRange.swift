public import RTCBase

/// A range of IP addresses in CIDR notation, such as `10.0.0.0/8` or `fc00::/7`.
public struct TURNAddressRange: Sendable, Hashable, CustomStringConvertible {
    /// The first address; its port is 0.
    public let base: TransportAddress
    /// How many leading bits count.
    public let prefixLength: Int

    /// Parses `address/length`, or an address alone.
    ///
    /// - Returns: `nil` if it is neither, or the length is not of the family.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let base = TransportAddress(ip: first, port: 0) else {
            return nil
        }
        let bits = base.family == .ipv4 ? 32 : 128
        guard let length = parts.count == 2 ? Int(parts[1]) : bits, (0...bits).contains(length) else { return nil }
        self.base = base
        self.prefixLength = length
    }

    /// Whether an address lies within.
    public func contains(_ address: TransportAddress) -> Bool {
        guard address.family == self.base.family else { return false }
        if address.family == .ipv4 {
            return Self.agree(address.ipLow << 32, self.base.ipLow << 32, self.prefixLength)
        }
        return Self.agree(address.ipv6High, self.base.ipv6High, min(self.prefixLength, 64))
            && Self.agree(address.ipLow, self.base.ipLow, max(self.prefixLength - 64, 0))
    }

    /// `address/length`.
    public var description: String { "\(self.base.ip)/\(self.prefixLength)" }

    private static func agree(_ left: UInt64, _ right: UInt64, _ bits: Int) -> Bool {
        bits == 0 || (left ^ right) >> (64 - UInt64(bits)) == 0
    }
}
