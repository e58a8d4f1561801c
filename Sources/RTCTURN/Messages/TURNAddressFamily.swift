public import RTCBase

/// The values of REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY (RFC 8656 section 18.6).
public enum TURNAddressFamily: UInt8, Sendable, Hashable {
    /// IPv4.
    case ipv4 = 0x01
    /// IPv6.
    case ipv6 = 0x02

    /// The family of an address.
    public init(_ family: TransportAddress.Family) {
        self = family == .ipv4 ? .ipv4 : .ipv6
    }

    /// The family as addresses have it.
    public var family: TransportAddress.Family { self == .ipv4 ? .ipv4 : .ipv6 }
}

/// The values of REQUESTED-TRANSPORT: an IP protocol number (RFC 8656 section 18.8).
public enum TURNRelayTransport: UInt8, Sendable, Hashable {
    /// TCP between server and peers (RFC 6062).
    case tcp = 6
    /// UDP between server and peers.
    case udp = 17
}

/// The flags of CHANGE-REQUEST (RFC 5780 section 7.2).
public struct STUNChangeRequest: OptionSet, Sendable, Hashable {
    /// The bits as in the attribute.
    public let rawValue: UInt32

    /// Flags from the attribute's bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The response comes from the server's other IP address.
    public static let changeIP = STUNChangeRequest(rawValue: 0x04)
    /// The response comes from the server's other port.
    public static let changePort = STUNChangeRequest(rawValue: 0x02)
}
