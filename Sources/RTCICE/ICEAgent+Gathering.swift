public import NIOCore
public import RTCBase
internal import RTCSTUN

extension ICEAgent {
    /// The requests to STUN servers, waiting and under way.
    struct Gathering {
        var hosts: [ICEHostAddress] = []
        var servers: [ICEServerAddress] = []
        var waiting: [Request] = []
        var running: [STUNTransactionID: Running] = [:]
        var nextRequestAt = NIODeadline.distantPast
        var foundations: [String: Int] = [:]

        struct Request {
            var base: TransportAddress
            var preference: UInt16
            var server: ICEServerAddress
        }

        struct Running {
            var request: Request
            var transaction: STUNTransaction
        }

        /// Who gathers besides, for example at relays.
        var holds = 0

        var isIdle: Bool { self.waiting.isEmpty && self.running.isEmpty && self.holds == 0 }
    }

    /// Gathers host candidates from `hosts`, at once, and server-reflexive ones from `stunServers`, over time (RFC 8445
    /// section 5.1.1). Each becomes an ``Event/localCandidate(_:)``.
    public func gather(hosts: [ICEHostAddress], stunServers: [ICEServerAddress] = [], now: NIODeadline) {
        guard self.state != .closed else { return }
        self.beginGathering()
        self.gathering.servers += stunServers.filter { !self.gathering.servers.contains($0) }
        self.add(hosts: hosts, now: now)
    }

    /// Asks one more STUN server, from every address that there is or will be.
    public func addServer(_ server: ICEServerAddress, now: NIODeadline) {
        guard self.state != .closed, !self.gathering.servers.contains(server), !self.current.isEndTold else { return }
        self.beginGathering()
        self.gathering.servers.append(server)
        let preferences = Self.preferences(for: self.gathering.hosts)
        for (host, preference) in zip(self.gathering.hosts, preferences)
        where Self.canReach(server.address, from: host.base) {
            self.gathering.waiting.append(Gathering.Request(base: host.base, preference: preference, server: server))
        }
        self.sendServerRequests(now: now)
        self.finishGatheringIfIdle()
        self.settle(now: now)
    }

    /// Says that candidates are gathered elsewhere too, which will come by ``addRelayed(_:now:)``: gathering is not
    /// complete before as many calls of ``releaseGathering(now:)``.
    public func holdGathering() {
        guard self.state != .closed else { return }
        self.beginGathering()
        self.gathering.holds += 1
    }

    /// Ends what one ``holdGathering()`` began.
    public func releaseGathering(now: NIODeadline) {
        guard self.state != .closed, self.gathering.holds > 0 else { return }
        self.gathering.holds -= 1
        self.finishGatheringIfIdle()
        self.settle(now: now)
    }

    /// Says that the peer was told of the end of our candidates (RFC 8838 section 13). What is found from here on in this generation is
    /// checked and told to nobody, and gathering stays complete (W3C webrtc-pc section 5.6.2): servers are asked again after a restart.
    public func noteEndOfCandidates() { self.current.isEndTold = true }

    private func beginGathering() {
        if !self.current.isEndTold { self.setGatheringState(.gathering) }
    }

    /// Gathers from one more address, for example of an interface that came up later. After ``noteEndOfCandidates()`` it is used and not
    /// told.
    public func addHost(_ host: ICEHostAddress, now: NIODeadline) {
        guard self.state != .closed, !self.gathering.hosts.contains(where: { $0.base == host.base }) else { return }
        self.beginGathering()
        self.add(hosts: [host], now: now)
    }

    /// Forgets an address that is gone, with its candidates and pairs. If the selected pair used it, another that
    /// works is selected by the usual rules.
    public func removeHost(base: TransportAddress, now: NIODeadline) {
        guard self.state != .closed else { return }
        self.gathering.hosts.removeAll { $0.base == base }
        self.gathering.waiting.removeAll { $0.base == base }
        self.gathering.running = self.gathering.running.filter { $0.value.request.base != base }
        for generation in [self.current, self.previous].compactMap({ $0 }) {
            generation.localCandidates.removeAll { $0.base == base }
            generation.localByBase[base] = nil
            for pair in generation.checklist where pair.path.base == base {
                self.discard(pair, of: generation)
            }
        }
        self.finishGatheringIfIdle()
        self.settle(now: now)
    }

    /// A relayed address whose datagrams the caller wraps for its relay: they are sent from the address itself.
    public struct Relayed: Sendable, Hashable {
        /// The address at the relay.
        public var address: TransportAddress
        /// What the relay saw of us; `nil` tells nothing.
        public var relatedAddress: TransportAddress?
        /// The relay's URL.
        public var serverURL: String
        /// How the relay ranks among others, 0 to 100, more is better: a relay over UDP before one over TCP.
        public var preference: UInt8

        /// A relayed address.
        public init(
            address: TransportAddress,
            relatedAddress: TransportAddress?,
            serverURL: String,
            preference: UInt8 = 0
        ) {
            self.address = address
            self.relatedAddress = relatedAddress
            self.serverURL = serverURL
            self.preference = preference
        }
    }

    /// Adds a relayed candidate. It goes again with ``removeHost(base:now:)``.
    public func addRelayed(_ relayed: Relayed, now: NIODeadline) {
        guard self.state != .closed else { return }
        let address = relayed.address
        let priority = self.relayPriority(of: address, preference: relayed.preference)
        let candidate = ICECandidate(
            foundation: self.foundation(.relayed, base: address, server: relayed.serverURL),
            priority: priority,
            address: .ip(address),
            type: .relayed,
            relatedAddress: relayed.relatedAddress,
            base: address,
            usernameFragment: self.localCredentials.ufrag,
            serverURL: relayed.serverURL
        )
        self.add(candidate, now: now)
        self.settle(now: now)
    }

    /// Priorities of one component are unique (RFC 8445 section 5.1.2).
    private func relayPriority(of address: TransportAddress, preference: UInt8) -> UInt32 {
        let taken = Set(self.current.localCandidates.map(\.priority))
        func priority(at position: Int) -> UInt32 {
            UInt32(min(preference, 99)) << 24 | UInt32(Self.preference(at: position, of: address)) << 8 | 255
        }
        // One more than there are candidates: one is free.
        return (0...taken.count).lazy.map(priority).first { !taken.contains($0) } ?? priority(at: 0)
    }

    private func add(hosts: [ICEHostAddress], now: NIODeadline) {
        let first = self.gathering.hosts.count
        self.gathering.hosts += hosts
        let preferences = Self.preferences(for: self.gathering.hosts)
        for (index, host) in self.gathering.hosts.enumerated().dropFirst(first) {
            for (offset, address) in host.announced.enumerated() where address.port != 0 {
                let preference = preferences[index] - min(preferences[index], UInt16(clamping: offset))
                self.add(self.hostCandidate(of: host, announcing: address, preference: preference), now: now)
            }
            // What a server would say of it cannot be told.
            for server in self.gathering.servers
            where !self.current.isEndTold && Self.canReach(server.address, from: host.base) {
                self.gathering.waiting.append(
                    Gathering.Request(base: host.base, preference: preferences[index], server: server)
                )
            }
        }
        self.sendServerRequests(now: now)
        self.finishGatheringIfIdle()
        self.settle(now: now)
    }

    private func hostCandidate(
        of host: ICEHostAddress,
        announcing address: TransportAddress,
        preference: UInt16
    ) -> ICECandidate {
        let priority =
            host.tcpType.map { ICECandidate.priority(type: .host, tcpType: $0, localPreference: preference) }
            ?? ICECandidate.priority(type: .host, localPreference: preference)
        let transport = host.tcpType == nil ? "" : "tcp"
        return ICECandidate(
            foundation: self.foundation(.host, base: host.base, server: transport),
            transport: host.tcpType == nil ? .udp : .tcp,
            priority: priority,
            address: host.hostname.map { .hostname($0, port: address.port) } ?? .ip(address),
            type: .host,
            base: host.base,
            usernameFragment: self.localCredentials.ufrag,
            tcpType: host.tcpType
        )
    }

    /// Keeps a local candidate unless it is redundant (RFC 8445 section 5.1.3), tells of it and pairs it.
    func add(_ candidate: ICECandidate, now: NIODeadline) {
        guard let base = candidate.base else { return }
        let generation = self.current
        let isKnown = generation.localCandidates.contains { known in
            known.address == candidate.address && known.base == candidate.base && known.type != .peerReflexive
        }
        guard !isKnown else { return }
        guard generation.localCandidates.count < self.configuration.maximumLocalCandidates else {
            self.counters.overLimit += 1
            return
        }
        generation.localCandidates.append(candidate)
        self.emit(generation.isEndTold ? .untoldCandidate(candidate) : .localCandidate(candidate))
        // A reflexive candidate is checked from its base, which has its pairs already (RFC 8445 section 6.1.2.4).
        guard generation.localByBase[base] == nil else { return }
        generation.localByBase[base] = candidate
        for remote in generation.remoteCandidates {
            self.makeOrdinaryPair(base: base, remote: remote, in: generation)
        }
        self.replayEarlyChecks(now: now)
    }

    func foundation(_ type: ICECandidate.Kind, base: TransportAddress, server: String) -> String {
        let key = "\(type.rawValue) \(base.ip) \(server)"
        let number = self.gathering.foundations[key] ?? self.gathering.foundations.count + 1
        self.gathering.foundations[key] = number
        return String(number)
    }

    /// Whether peers are told a name or other addresses in place of this one.
    func isHidden(_ base: TransportAddress) -> Bool {
        self.gathering.hosts.contains { $0.base == base && ($0.hostname != nil || !$0.announced.contains(base)) }
    }

    func finishGatheringIfIdle() {
        if self.gatheringState == .gathering && self.gathering.isIdle { self.setGatheringState(.complete) }
    }
}

extension TransportAddress {
    /// What stands for an address that is not told (draft-ietf-mmusic-mdns-ice-candidates section 3.1.2.2).
    public var hidden: TransportAddress {
        self.family == .ipv4 ? TransportAddress(ipv4: 0, port: 0) : TransportAddress(ipv6High: 0, low: 0, port: 0)
    }
}

extension ICEAgent {
    /// The local preferences of some addresses (RFC 8421 section 4): families alternate, IPv6 first.
    static func preferences(for hosts: [ICEHostAddress]) -> [UInt16] {
        var seen: [TransportAddress.Family: Int] = [:]
        var lesser = 0
        return hosts.map { host in
            if let preference = host.localPreference { return preference }
            guard !host.base.isLoopback, !host.base.isLinkLocal else {
                lesser += 1
                return 1_000 - UInt16(clamping: min(lesser, 1_000))
            }
            let position = seen[host.base.family, default: 0]
            seen[host.base.family] = position + 1
            return Self.preference(at: position, of: host.base)
        }
    }

    static func preference(at position: Int, of address: TransportAddress) -> UInt16 {
        let rank = 2 * min(position, 16_000) + (address.family == .ipv6 ? 0 : 1)
        return UInt16.max - UInt16(clamping: rank)
    }

    /// Whether an address can be a peer's at all.
    static func isPlausible(_ address: TransportAddress) -> Bool {
        address.port != 0 && !address.isUnspecified && !address.isMulticast
            && !(address.family == .ipv4 && address.ipLow == 0xFFFF_FFFF)
    }

    /// Whether datagrams from `base` may reach `remote` (RFC 8445 section 6.1.2.2).
    static func canReach(_ remote: TransportAddress, from base: TransportAddress) -> Bool {
        guard base.family == remote.family, base.transport == remote.transport else { return false }
        if base.isUnspecified { return true }
        if base.family == .ipv6 && base.isLinkLocal != remote.isLinkLocal { return false }
        return !base.isLoopback || remote.isLoopback
    }
}
