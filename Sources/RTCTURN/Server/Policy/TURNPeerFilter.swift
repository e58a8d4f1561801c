public import RTCBase

/// Which peers clients may reach through relays.
///
/// Without configuration nobody reaches what is not the public internet: the server's own host and networks, or the
/// instance metadata of a cloud (RFC 8656 section 21.4.2). An address that stands inside an IPv6 one (mapped, NAT64, 6to4,
/// Teredo) is judged too.
///
/// Rules are tried in this order: ``allowed``, ``denied``, the server's own addresses, special ranges.
public struct TURNPeerFilter: Sendable, Hashable {
    /// Ranges that are allowed whatever else is said.
    public var allowed: [TURNAddressRange]
    /// Ranges that are refused beyond the special ones.
    public var denied: [TURNAddressRange]
    /// Whether the special ranges are refused: loopback, link-local, multicast, broadcast, private (RFC 1918, RFC 6598, RFC
    /// 4193), unspecified, reserved and benchmarking networks, metadata addresses. Default `true`.
    public var deniesSpecialRanges: Bool
    /// Addresses of this server's host, with the ports that it listens on or 0. Peers there are refused, unless the address is
    /// one of ``relayAddresses``.
    public var ownAddresses: [TransportAddress]
    /// Addresses of relays. Peers there are refused but for ``relayPorts``, by which clients of one server reach each other,
    /// without those that are listened on.
    public var relayAddresses: [TransportAddress]
    /// The ports that relays have.
    public var relayPorts: ClosedRange<UInt16>

    /// A filter.
    public init(
        allowed: [TURNAddressRange] = [],
        denied: [TURNAddressRange] = [],
        deniesSpecialRanges: Bool = true,
        ownAddresses: [TransportAddress] = [],
        relayAddresses: [TransportAddress] = [],
        relayPorts: ClosedRange<UInt16> = 49_152...65_535
    ) {
        self.allowed = allowed
        self.denied = denied
        self.deniesSpecialRanges = deniesSpecialRanges
        self.ownAddresses = ownAddresses
        self.relayAddresses = relayAddresses
        self.relayPorts = relayPorts
    }

    /// What is known of a peer's IP address.
    enum Verdict: Sendable, Hashable {
        case allowed
        /// Allowed on the relays' ports.
        case allowedOnRelayPorts
        case denied
    }

    /// Whether a peer may be reached.
    public func allows(_ peer: TransportAddress) -> Bool {
        switch self.verdict(for: peer) {
        case .allowed: return peer.port != 0
        case .allowedOnRelayPorts: return self.mayBeRelay(peer)
        case .denied: return false
        }
    }

    /// Whether a port of a relay address can be a relay's.
    func mayBeRelay(_ peer: TransportAddress) -> Bool {
        self.relayPorts.contains(peer.port)
            && !self.ownAddresses.contains { $0.port == peer.port && $0.hasIP(of: peer) }
    }

    /// What is to be done with an IP address, whatever the port.
    func verdict(for peer: TransportAddress) -> Verdict {
        let embedded = Self.embeddedIPv4(in: peer)
        if self.allowed.contains(where: { $0.contains(peer) }) { return .allowed }
        for address in [peer] + embedded {
            if self.denied.contains(where: { $0.contains(address) }) { return .denied }
            // On the address itself other services listen, so only what is a relay is reached.
            if self.relayAddresses.contains(where: { $0.hasIP(of: address) }) {
                return address == peer ? .allowedOnRelayPorts : .denied
            }
            if self.ownAddresses.contains(where: { $0.hasIP(of: address) }) { return .denied }
            if self.deniesSpecialRanges, Self.isSpecial(address) { return .denied }
        }
        return .allowed
    }

    /// Whether an address is of a range that is not the public internet.
    static func isSpecial(_ address: TransportAddress) -> Bool {
        if address.isLoopback || address.isLinkLocal || address.isMulticast || address.isUnspecified
            || address.isPrivate
        {
            return true
        }
        return self.specialRanges.contains { $0.contains(address) }
    }

    private static let specialRanges: [TURNAddressRange] = [
        "0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "240.0.0.0/4", "169.254.169.254", "168.63.129.16", "::/128", "::1/128", "100::/64",
        "fec0::/10",
        "fd00:ec2::254", "2001:2::/48", "2001:db8::/32", "3fff::/20", "5f00::/16",
    ].compactMap { TURNAddressRange($0) }

    /// The IPv4 addresses that an IPv6 address leads to.
    static func embeddedIPv4(in address: TransportAddress) -> [TransportAddress] {
        guard address.family == .ipv6 else { return [] }
        let (high, low) = (address.ipv6High, address.ipLow)
        func ipv4(_ bits: UInt64) -> TransportAddress {
            TransportAddress(ipv4: UInt32(truncatingIfNeeded: bits), port: address.port)
        }
        // ::/96 (compatible), ::ffff:0:0/96 (mapped), ::ffff:0:0:0/96 (translated).
        if high == 0, low >> 32 == 0 || low >> 32 == 0xFFFF || low >> 32 == 0xFFFF_0000 { return [ipv4(low)] }
        // 64:ff9b::/96 and 64:ff9b:1::/48 (RFC 6052, RFC 8215; the latter with any of the prefix lengths).
        if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 { return [ipv4(low)] }
        if high >> 16 == 0x0064_FF9B_0001 { return self.translated(high, low).map(ipv4) }
        // 2002::/16 (6to4, RFC 3056) and 2001::/32 (Teredo, RFC 4380: server, and client with its bits turned around).
        if high >> 48 == 0x2002 { return [ipv4(high >> 16)] }
        if high >> 32 == 0x2001_0000 { return [ipv4(high), ipv4(~low)] }
        return []
    }

    /// The places of RFC 6052 section 2.2 for prefixes of 48, 56, 64 and 96 bits.
    private static func translated(_ high: UInt64, _ low: UInt64) -> [UInt64] {
        [
            (high & 0xFFFF) << 16 | low >> 40 & 0xFFFF,
            (high & 0xFF) << 24 | low >> 32 & 0xFF_FFFF,
            low >> 24 & 0xFFFF_FFFF,
            low & 0xFFFF_FFFF,
        ]
    }
}
