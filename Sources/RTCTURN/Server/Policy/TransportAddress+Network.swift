package import RTCBase

extension TransportAddress {
    /// What one subscriber has: the IPv4 address, or the upper 64 bits of the IPv6 address; without port.
    package var network: TransportAddress {
        switch self.family {
        case .ipv4: self.withPort(0)
        case .ipv6: TransportAddress(ipv6High: self.ipv6High, low: 0, port: 0)
        }
    }

    /// Whether the IP addresses are the same, whatever the ports.
    func hasIP(of other: TransportAddress) -> Bool {
        self.ipLow == other.ipLow && self.ipv6High == other.ipv6High && self.family == other.family
    }
}
