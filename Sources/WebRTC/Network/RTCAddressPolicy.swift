import NIOCore
import NIOPosix
import RTCBase
import RTCCore
import RTCICE

/// The TCP candidates of this side (RFC 6544 section 4.5).
public struct RTCTcpCandidates: OptionSet, Sendable, Hashable {
    /// One bit for each role.
    public let rawValue: UInt8

    /// Roles by their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Connect to passive candidates of peers. A peer thereby makes this host open TCP connections to addresses that it
    /// names, 16 at most; ports of well-known other services are left alone (WHATWG fetch's list).
    public static let active = RTCTcpCandidates(rawValue: 1)
    /// Listen: an endpoint on its own port number, a connection without an endpoint on a port that the system chooses.
    public static let passive = RTCTcpCandidates(rawValue: 2)
}

/// Which local addresses a connection or endpoint uses, and what it tells peers of them.
///
/// Beyond W3C: a browser has no say in this, a server in a container or behind a one-to-one NAT needs one (RFC 8828 section 5).
public struct RTCAddressPolicy: Sendable, Hashable {
    /// The policy of a new connection: all interfaces, without loopback unless there is nothing else.
    public static let defaults = RTCAddressPolicy()

    /// Listen on these addresses only, IP literals without port. Empty, the default: on the interfaces' addresses.
    public var addresses: [String] = []
    /// Whether loopback addresses are used beside others. Default `false`; a machine without any other uses them anyway.
    public var includesLoopback = false
    /// Whether IPv6 addresses are used. Default `true`.
    public var includesIPv6 = true
    /// Whether link-local addresses (169.254.0.0/16, fe80::/10) are used. Default `false`.
    public var includesLinkLocal = false
    /// Interfaces not to use: names, or beginnings of names followed by `*`, for example `docker*`. Default none.
    public var excludedInterfaces: [String] = []
    /// Addresses to announce beside the local ones, or instead of them: IP literals. For a server behind a one-to-one NAT.
    public var announcedAddresses: [String] = []
    /// Whether ``announcedAddresses`` replace the local addresses of their family. Default `true`.
    public var announcedReplaceLocal = true

    /// Which TCP candidates there are (RFC 6544), for peers that no UDP reaches. Default none.
    public var tcp: RTCTcpCandidates = []
    /// Whether UDP candidates are offered. Default `true`. Without them only TCP and relays remain.
    public var usesUDP = true

    /// The default policy.
    public init() {}

    /// Checks that all addresses are IP literals.
    ///
    /// - Throws: `RTCError.Code.syntax` for one that is not.
    func validate() throws(RTCError) {
        for address in self.addresses + self.announcedAddresses where TransportAddress(ip: address, port: 0) == nil {
            throw RTCError(.syntax, "'\(address)' is no IP address")
        }
    }
}

extension RTCAddressPolicy {
    /// The addresses to bind sockets to, without ports.
    func localAddresses() -> [TransportAddress] {
        guard self.addresses.isEmpty else {
            var explicit = self.addresses.compactMap { TransportAddress(ip: $0, port: 0) }
            let wantsAll4 = explicit.contains { $0.family == .ipv4 && $0.isUnspecified }
            let wantsAll6 = explicit.contains { $0.family == .ipv6 && $0.isUnspecified }
            guard wantsAll4 || wantsAll6 else { return explicit }
            explicit.removeAll { $0.isUnspecified }
            let found = self.interfaceAddresses().filter {
                (wantsAll4 && $0.family == .ipv4) || (wantsAll6 && $0.family == .ipv6)
            }
            return explicit + found.filter { !explicit.contains($0) }
        }
        return self.interfaceAddresses()
    }

    private func interfaceAddresses() -> [TransportAddress] {
        let devices = (try? System.enumerateDevices()) ?? []
        var usable: [TransportAddress] = []
        var loopback: [TransportAddress] = []
        for device in devices where !self.excludes(device.name) {
            guard let socketAddress = device.address, let address = TransportAddress(socketAddress),
                !usable.contains(address), !loopback.contains(address),
                !address.isMulticast, !address.isUnspecified
            else { continue }
            if address.family == .ipv6, !self.includesIPv6 { continue }
            if address.isLinkLocal, !self.includesLinkLocal { continue }
            if address.isLoopback {
                loopback.append(address)
            } else {
                usable.append(address)
            }
        }
        return usable.isEmpty || self.includesLoopback ? usable + loopback : usable
    }

    private func excludes(_ interface: String) -> Bool {
        self.excludedInterfaces.contains { pattern in
            pattern.hasSuffix("*") ? interface.hasPrefix(pattern.dropLast()) : interface == pattern
        }
    }

    /// Where a socket to a server is bound: to an address of the policy if it names any, else wherever the system's routes lead.
    func flowAddress(towards server: TransportAddress) -> TransportAddress {
        let named = self.addresses.compactMap { TransportAddress(ip: $0, port: 0) }
            .first { $0.family == server.family && $0.isLoopback == server.isLoopback }
        return named ?? (server.family == .ipv4
            ? TransportAddress(ipv4: 0, port: 0) : TransportAddress(ipv6High: 0, low: 0, port: 0))
    }

    /// What peers are told of sockets bound to `bases`.
    func hostAddresses(udp: [TransportAddress], tcp listeners: [TransportAddress]) -> [ICEHostAddress] {
        var hosts = self.usesUDP ? self.hostAddresses(for: udp) : []
        if self.tcp.contains(.passive) {
            hosts += self.hostAddresses(for: listeners).map { host in
                var host = host
                host.tcpType = .passive
                return host
            }
        }
        if self.tcp.contains(.active) {
            hosts += udp.map { address in
                ICEHostAddress(base: address.withPort(ICECandidate.activePort).over(.tcp), tcpType: .active)
            }
        }
        return hosts
    }

    private func hostAddresses(for bases: [TransportAddress]) -> [ICEHostAddress] {
        let announced = self.announcedAddresses.compactMap { TransportAddress(ip: $0, port: 0) }
        var announcedFamilies: Set<TransportAddress.Family> = []
        return bases.map { base in
            let mine = announced.filter { $0.family == base.family }.map { $0.withPort(base.port).over(base.transport) }
            guard !mine.isEmpty else { return ICEHostAddress(base: base, announced: [base]) }
            // One socket of a family speaks for the announced address; the others would only repeat it.
            let isFirst = announcedFamilies.insert(base.family).inserted
            let local = self.announcedReplaceLocal ? [] : [base]
            return ICEHostAddress(base: base, announced: (isFirst ? mine : []) + local)
        }
    }
}
