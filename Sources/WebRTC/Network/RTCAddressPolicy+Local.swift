import NIOCore
import RTCBase
import RTCICE

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

    /// Whether sockets at an address can stay: it is wanted, or it is there, like loopback after a first interface came up.
    func keeps(_ address: TransportAddress, wanted: [TransportAddress]) -> Bool {
        let ip = address.withPort(0).over(.udp)
        return wanted.contains(ip) || NetworkInterface.current().contains { $0.address.withPort(0) == ip }
    }

    private func interfaceAddresses() -> [TransportAddress] {
        var usable: [TransportAddress] = []
        var loopback: [TransportAddress] = []
        for interface in NetworkInterface.current() where self.includes(interface.name) {
            let address = interface.address
            guard !usable.contains(address), !loopback.contains(address),
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

    private func includes(_ interface: String) -> Bool {
        guard !self.excludedInterfaces.contains(where: { Self.fits(interface, $0) }) else { return false }
        return self.includedInterfaces.isEmpty || self.includedInterfaces.contains { Self.fits(interface, $0) }
    }

    private static func fits(_ interface: String, _ pattern: String) -> Bool {
        pattern.hasSuffix("*") ? interface.hasPrefix(pattern.dropLast()) : interface == pattern
    }

    /// The addresses of a server that this host can have a way to: it needs an address of their family.
    func reachable(_ servers: [TransportAddress]) -> [TransportAddress] {
        let present = NetworkInterface.current().map(\.address)
            .filter { !$0.isLoopback && !($0.family == .ipv6 && $0.isLinkLocal) }
        let families = Set(present.map(\.family))
        return servers.filter { server in
            (server.family == .ipv4 || self.includesIPv6)
                && (server.isLoopback || families.isEmpty || families.contains(server.family))
        }
    }

    /// Where a socket to a server is bound: to an address of the policy if it names any, else wherever the system's routes lead.
    func flowAddress(towards server: TransportAddress) -> TransportAddress {
        let named = self.addresses.compactMap { TransportAddress(ip: $0, port: 0) }
            .first { $0.family == server.family && $0.isLoopback == server.isLoopback }
        return named
            ?? (server.family == .ipv4
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
            hosts += self.hostAddresses(for: udp.map { $0.withPort(ICECandidate.activePort).over(.tcp) }).map { host in
                var host = host
                host.tcpType = .active
                return host
            }
        }
        return hosts
    }

    private func hostAddresses(for bases: [TransportAddress]) -> [ICEHostAddress] {
        let announced = self.announcedAddresses.compactMap { TransportAddress(ip: $0, port: 0) }
        let interfaces = self.rewriteRules.isEmpty ? [] : NetworkInterface.current()
        var announcedFamilies: Set<TransportAddress.Family> = []
        return bases.map { base in
            if let rule = self.rule(for: base, interfaces) { return rule.host(at: base) }
            let mine = announced.filter { $0.family == base.family }.map { $0.withPort(base.port).over(base.transport) }
            guard !mine.isEmpty else { return ICEHostAddress(base: base, announced: [base]) }
            // One socket of a family speaks for the announced address; the others would only repeat it.
            let isFirst = announcedFamilies.insert(base.family).inserted
            let local = self.announcedReplaceLocal ? [] : [base]
            return ICEHostAddress(base: base, announced: (isFirst ? mine : []) + local)
        }
    }

    private func rule(for base: TransportAddress, _ interfaces: [NetworkInterface]) -> RTCAddressRewrite? {
        let ip = base.withPort(0).over(.udp)
        return self.rewriteRules.first { rule in
            if let local = rule.localAddress, TransportAddress(ip: local, port: 0) != ip { return false }
            guard let pattern = rule.interface else { return true }
            return interfaces.contains { $0.address.withPort(0) == ip && Self.fits($0.name, pattern) }
        }
    }
}

extension RTCAddressRewrite {
    fileprivate func host(at base: TransportAddress) -> ICEHostAddress {
        let told = self.announced.compactMap { TransportAddress(ip: $0, port: base.port)?.over(base.transport) }
            .filter { $0.family == base.family }
        return ICEHostAddress(base: base, announced: told + (self.keepsLocal ? [base] : []))
    }
}
