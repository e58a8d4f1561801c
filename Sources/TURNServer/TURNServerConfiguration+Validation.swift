internal import NIOCore
internal import RTCBase
internal import RTCTURN

/// A configuration whose every part has been checked.
struct ValidConfiguration: Sendable {
    struct Relay: Sendable {
        let address: TransportAddress
        let announced: TransportAddress
    }

    let configuration: TURNServerConfiguration
    let relays: [TransportAddress.Family: Relay]
    let relayPorts: ClosedRange<UInt16>
    let threads: Int
    let alternate: TransportAddress?
}

extension TURNServerConfiguration {
    /// Throws a ``TURNServerConfigurationError`` if the configuration cannot be served.
    public func validate() throws { _ = try self.validated() }

    func validated() throws -> ValidConfiguration {
        try self.checkListeners()
        try self.checkNumbers()
        try self.checkCredentials()
        let ports = self.relayPorts
        guard ports.lowerBound >= 1, ports.upperBound <= 65_535 else {
            throw TURNServerConfigurationError.relayPortsOutOfRange(ports)
        }
        return ValidConfiguration(
            configuration: self,
            relays: try self.relays(),
            relayPorts: UInt16(ports.lowerBound)...UInt16(ports.upperBound),
            threads: self.threads ?? min(System.coreCount, 256),
            alternate: try self.alternate()
        )
    }

    private static func address(_ text: String, port: UInt16 = 0) throws -> TransportAddress {
        guard let address = TransportAddress(ip: text, port: port) else {
            throw TURNServerConfigurationError.notAnAddress(text)
        }
        return address
    }

    private func checkListeners() throws {
        guard !self.listeners.isEmpty else { throw TURNServerConfigurationError.noListeners }
        for listener in self.listeners {
            _ = try Self.address(listener.address)
            guard (0...65_535).contains(listener.port) else {
                throw TURNServerConfigurationError.portOutOfRange(listener.port)
            }
            if listener.transport == .tls, listener.tls == nil {
                throw TURNServerConfigurationError.missingCertificate(
                    listener: "\(listener.address):\(listener.port)"
                )
            }
        }
    }

    private func checkNumbers() throws {
        let checks: [(String, Int, ClosedRange<Int>)] = [
            ("threads", self.threads ?? 1, 1...256),
            ("wakeupPause", Int(self.wakeupPause.nanoseconds / 1_000), 0...10_000),
            ("connections", self.connections, 0...1_000_000),
            ("connectionsPerAddress", self.connectionsPerAddress, 1...1_000_000),
            ("stalledReaderTimeout", Int(self.stalledReaderTimeout.nanoseconds / 1_000_000_000), 1...3_600),
            ("bytesPerConnection", self.bytesPerConnection, 1_024...1 << 30),
            ("limits.allocations", self.limits.allocations, 1...10_000_000),
            ("limits.allocationsPerUser", self.limits.allocationsPerUser, 1...10_000_000),
            ("limits.bytesPerSecondPerUser", self.limits.bytesPerSecondPerUser ?? 1_500, 1_500...1 << 40),
            ("bytesPerSecondPerAllocation", self.bytesPerSecondPerAllocation ?? 1_500, 1_500...1 << 40),
            ("core.permissionsPerAllocation", self.core.permissionsPerAllocation, 1...1_000),
            ("core.channelsPerAllocation", self.core.channelsPerAllocation, 1...1_000),
            ("core.defaultLifetime", Int(self.core.defaultLifetime), 1...86_400),
            (
                "core.maximumLifetime", Int(self.core.maximumLifetime),
                min(Int(self.core.defaultLifetime), 86_400)...86_400
            ),
            (
                "core.unauthenticatedResponsesPerSecond", self.core.unauthenticatedResponsesPerSecond,
                1...1_000_000_000
            ),
        ]
        for (setting, number, range) in checks where !range.contains(number) {
            throw TURNServerConfigurationError.outOfRange(setting: setting, number)
        }
    }

    private var hasCredentials: Bool {
        !self.users.isEmpty || !self.sharedSecrets.isEmpty || self.authenticator != nil
    }

    private func checkCredentials() throws {
        guard !self.relayAddresses.isEmpty else {
            if self.hasCredentials { throw TURNServerConfigurationError.credentialsWithoutRelays }
            return
        }
        guard self.hasCredentials || self.allowsAnyone else { throw TURNServerConfigurationError.noCredentials }
        guard OpaqueString.prepare(self.realm) != nil else {
            throw TURNServerConfigurationError.unsuitableText(self.realm)
        }
        for (name, password) in self.users
        where STUNLongTermCredential(username: name, realm: self.realm, password: password) == nil {
            throw TURNServerConfigurationError.unsuitableText(name)
        }
        guard !self.sharedSecrets.contains(where: \.isEmpty) else { throw TURNServerConfigurationError.emptySecret }
    }

    private func relays() throws -> [TransportAddress.Family: ValidConfiguration.Relay] {
        var relays: [TransportAddress.Family: ValidConfiguration.Relay] = [:]
        for relay in self.relayAddresses {
            let address = try Self.address(relay.address)
            let announced = try relay.announced.map { try Self.address($0) } ?? address
            guard announced.family == address.family, !announced.isUnspecified else {
                throw TURNServerConfigurationError.announcedAddress(relay.announced ?? relay.address)
            }
            if let before = relays[address.family] {
                throw TURNServerConfigurationError.severalRelayAddresses(before.address.ip, relay.address)
            }
            relays[address.family] = ValidConfiguration.Relay(address: address, announced: announced)
        }
        return relays
    }

    private func alternate() throws -> TransportAddress? {
        guard let text = self.alternateAddress else { return nil }
        guard (0...65_535).contains(self.alternatePort) else {
            throw TURNServerConfigurationError.portOutOfRange(self.alternatePort)
        }
        let alternate = try Self.address(text, port: UInt16(self.alternatePort))
        let first = self.listeners.first { $0.transport == .udp }
        guard let first, let address = TransportAddress(ip: first.address, port: 0), !address.isUnspecified,
            address.family == alternate.family, address.ip != alternate.ip,
            first.port != self.alternatePort || first.port == 0
        else { throw TURNServerConfigurationError.alternateAddress(text) }
        return alternate
    }
}

extension ValidConfiguration {
    /// What a core of the server does, once it is known where the server listens.
    func core(index: Int, secret: [UInt8], servers: [TransportAddress]) -> TURNServerCoreConfiguration {
        let configuration = self.configuration
        var core = configuration.core
        core.authentication = self.authentication
        core.realm = configuration.realm
        core.relayFamilies = Set(self.relays.keys)
        core.relaysTCP = configuration.relaysTCP
        core.nonceSecret = secret
        core.bytesPerSecondPerAllocation = configuration.bytesPerSecondPerAllocation
        core.alternateServer = configuration.alternateServer
        core.index = UInt8(index)
        // Everybody shares the same links, whichever thread answers.
        core.unauthenticatedResponsesPerSecond = max(1, core.unauthenticatedResponsesPerSecond / self.threads)
        core.peerFilter.allowed += configuration.allowedPeers
        core.peerFilter.denied += configuration.deniedPeers
        core.peerFilter.ownAddresses += servers.filter { !$0.isUnspecified } + Self.hostAddresses()
        core.peerFilter.relayAddresses += self.relays.values.flatMap { [$0.address, $0.announced] }
        core.peerFilter.relayPorts = self.relayPorts
        return core
    }

    /// All addresses of this host: what listens there is reached past its firewall.
    private static func hostAddresses() -> [TransportAddress] {
        ((try? System.enumerateDevices()) ?? []).compactMap { device in
            device.address.flatMap { TransportAddress($0) }?.withPort(0)
        }
    }

    private var authentication: TURNServerCoreConfiguration.Authentication {
        guard !self.relays.isEmpty else { return .stunOnly }
        let sources = TURNCredentialSources(
            users: self.configuration.users,
            sharedSecrets: self.configuration.sharedSecrets,
            asksOwner: self.configuration.authenticator != nil
        )
        guard sources.users.isEmpty, sources.sharedSecrets.isEmpty, !sources.asksOwner else {
            return .credentials(sources)
        }
        return self.configuration.allowsAnyone ? .anyone : .stunOnly
    }
}
