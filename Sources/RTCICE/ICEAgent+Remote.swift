public import NIOCore
public import RTCBase
internal import RTCSTUN

extension ICEAgent {
    /// Sets the peer's credentials of this generation. Candidates and checks that came before are put to use now.
    ///
    /// Other credentials than those set before begin all checks of this generation anew.
    ///
    /// - Parameters:
    ///   - isLite: whether the peer said `ice-lite`: then this agent is the controlling one (RFC 8445 section 6.1.1).
    ///   - renominates: whether both sides said `renomination` among their options: a controlling agent then nominates
    ///     a better pair whenever one comes to work, and a controlled one follows the latest nomination.
    public func setRemote(
        credentials: ICECredentials,
        isLite: Bool = false,
        renominates: Bool = false,
        now: NIODeadline
    ) {
        guard self.state != .closed, self.state != .failed else { return }
        let generation = self.current
        if isLite { self.changeRole(to: .controlling) }
        generation.remoteIsLite = isLite
        generation.renominates = renominates
        guard generation.remoteCredentials != credentials else { return }
        if generation.remoteCredentials != nil { self.beginAnew(generation) }
        generation.remoteCredentials = credentials
        generation.remoteKey = STUNIntegrityKey(shortTermPassword: credentials.password)
        generation.startedAt = now
        let pending = generation.pendingCandidates
        generation.pendingCandidates = []
        for candidate in pending { self.take(candidate, in: generation) }
        self.replayEarlyChecks(now: now)
        self.settle(now: now)
    }

    /// Adds a candidate that the peer signalled. Useless and repeated ones are ignored; a name becomes
    /// ``Event/resolve(hostname:)``.
    public func addRemoteCandidate(_ candidate: ICECandidate, now: NIODeadline) {
        guard self.state != .closed, self.state != .failed else { return }
        let generation = self.current
        guard candidate.component == 1, candidate.isUsable, candidate.address.port != 0 else {
            self.counters.uselessCandidates += 1
            return
        }
        // Without the credentials nobody knows yet which generation a candidate with a ufrag belongs to.
        if generation.remoteCredentials == nil, candidate.usernameFragment != nil {
            self.hold(candidate, in: generation)
            return
        }
        self.take(candidate, in: generation)
        self.settle(now: now)
    }

    /// Tells the addresses of a name that ``Event/resolve(hostname:)`` asked for; none if it has none.
    public func addResolved(hostname: String, addresses: [TransportAddress], now: NIODeadline) {
        guard self.state != .closed, self.state != .failed else { return }
        guard let waiting = self.current.unresolved.removeValue(forKey: hostname.lowercased()) else { return }
        if addresses.isEmpty { self.current.unknownNames.insert(hostname.lowercased()) }
        for var candidate in waiting {
            // One per family: the name stands for one interface (draft-ietf-mmusic-mdns-ice-candidates section 3.2).
            for family in [TransportAddress.Family.ipv6, .ipv4] {
                guard let address = addresses.first(where: { $0.family == family }) else { continue }
                let transport: TransportAddress.Transport = candidate.transport == .tcp ? .tcp : .udp
                candidate.address = .ip(address.withPort(candidate.address.port).over(transport))
                self.insert(candidate, in: self.current)
            }
        }
        self.settle(now: now)
    }

    /// Says that the peer will signal no more candidates in this generation (RFC 8838 section 14).
    public func setRemoteEndOfCandidates(now: NIODeadline) {
        guard self.state != .closed else { return }
        self.current.remoteIsComplete = true
        self.settle(now: now)
    }

    private func beginAnew(_ generation: ICEGeneration) {
        self.checks = self.checks.filter { $0.value.pair.generation != generation.number }
        for pair in generation.checklist { self.discard(pair, of: generation) }
        generation.remoteCandidates = []
        generation.remoteByAddress = [:]
        generation.signalledCount = 0
        generation.peerReflexiveCount = 0
        generation.unresolved = [:]
        generation.remoteIsComplete = false
        generation.firstValidAt = nil
    }

    private func hold(_ candidate: ICECandidate, in generation: ICEGeneration) {
        guard generation.pendingCandidates.count < self.configuration.maximumRemoteCandidates else {
            self.counters.overLimit += 1
            return
        }
        generation.pendingCandidates.append(candidate)
    }

    private func take(_ candidate: ICECandidate, in generation: ICEGeneration) {
        if let ufrag = candidate.usernameFragment, let expected = generation.remoteCredentials?.ufrag,
            ufrag != expected
        {
            self.counters.uselessCandidates += 1
            return
        }
        guard case .hostname(let name, _) = candidate.address else {
            self.insert(candidate, in: generation)
            return
        }
        // Other names would let a peer make this host ask any name server for anything.
        guard name.lowercased().hasSuffix(".local") else {
            self.counters.uselessCandidates += 1
            return
        }
        guard generation.unresolved.reduce(0, { $0 + $1.value.count }) < self.configuration.maximumRemoteCandidates
        else {
            self.counters.overLimit += 1
            return
        }
        let isFirst = generation.unresolved[name.lowercased()] == nil
        generation.unresolved[name.lowercased(), default: []].append(candidate)
        if isFirst { self.emit(.resolve(hostname: name.lowercased())) }
    }

    private func insert(_ candidate: ICECandidate, in generation: ICEGeneration) {
        guard let address = candidate.transportAddress, Self.isPlausible(address) else {
            self.counters.uselessCandidates += 1
            return
        }
        if let index = generation.remoteByAddress[address.unscoped] {
            self.refine(candidate, at: index, in: generation)
            return
        }
        guard generation.signalledCount < self.configuration.maximumRemoteCandidates else {
            self.counters.overLimit += 1
            return
        }
        generation.signalledCount += 1
        generation.remoteByAddress[address.unscoped] = generation.remoteCandidates.count
        generation.remoteCandidates.append(candidate)
        self.makePairs(remote: candidate, in: generation)
    }

    /// A candidate that a check revealed is now signalled too: its true type and priority count from here.
    private func refine(_ candidate: ICECandidate, at index: Int, in generation: ICEGeneration) {
        guard generation.remoteCandidates[index].type == .peerReflexive, candidate.type != .peerReflexive else {
            return
        }
        generation.remoteCandidates[index] = candidate
        generation.peerReflexiveCount -= 1
        generation.signalledCount += 1
        for pair in generation.checklist where pair.remote.address == candidate.address {
            pair.remote = candidate
            pair.updatePriority(role: self.role)
        }
        generation.sortChecklist()
        self.makePairs(remote: candidate, in: generation)
    }

    /// The remote candidate at an address a check came from, a new peer-reflexive one if need be (RFC 8445
    /// section 7.3.1.3).
    func remoteCandidate(at address: TransportAddress, priority: UInt32, in generation: ICEGeneration) -> ICECandidate?
    {
        if let index = generation.remoteByAddress[address.unscoped] { return generation.remoteCandidates[index] }
        guard generation.peerReflexiveCount < self.configuration.maximumPeerReflexiveCandidates else {
            self.counters.overLimit += 1
            return nil
        }
        generation.peerReflexiveCount += 1
        let candidate = ICECandidate(
            foundation: "prflx\(generation.remoteCandidates.count)",
            transport: address.transport == .tcp ? .tcp : .udp,
            priority: priority,
            address: .ip(address),
            type: .peerReflexive,
            tcpType: address.transport == .tcp ? .active : nil
        )
        generation.remoteByAddress[address.unscoped] = generation.remoteCandidates.count
        generation.remoteCandidates.append(candidate)
        return candidate
    }

    // MARK: Pairs

    private func makePairs(remote: ICECandidate, in generation: ICEGeneration) {
        for base in generation.localCandidates.compactMap(\.base) {
            self.makeOrdinaryPair(base: base, remote: remote, in: generation)
        }
    }

    /// Pairs two candidates of which this side may begin the checks: over TCP the active one connects to the passive
    /// one, and all other pairs come from connections that the peer makes (RFC 6544 section 6.2).
    func makeOrdinaryPair(base: TransportAddress, remote: ICECandidate, in generation: ICEGeneration) {
        if base.transport == .tcp {
            guard generation.localByBase[base]?.tcpType == .active, remote.tcpType == .passive else { return }
        }
        self.makePair(base: base, remote: remote, in: generation)
    }

    /// Puts a pair on the checklist, or finds it there; `nil` if it makes no sense or is beyond the limit.
    @discardableResult
    func makePair(base: TransportAddress, remote: ICECandidate, in generation: ICEGeneration) -> ICECheckPair? {
        guard let local = generation.localByBase[base], var address = remote.transportAddress,
            // What a relay can reach is the relay's affair.
            local.type == .relayed
                ? address.family == base.family && address.transport == .udp
                : Self.canReach(address, from: base)
        else { return nil }
        if address.isLinkLocal { address.scopeID = base.scopeID }
        let path = ICEPath(base: base, remote: address)
        if let known = generation.pairs[path] { return known }
        let pair = ICECheckPair(path: path, generation: generation.number, local: local, remote: remote)
        pair.updatePriority(role: self.role)
        guard self.makeRoom(for: pair, in: generation) else {
            self.counters.overLimit += 1
            return nil
        }
        generation.pairs[path] = pair
        generation.checklist.append(pair)
        generation.sortChecklist()
        return pair
    }

    /// Drops the worst pair that was not checked yet if the checklist is full (RFC 8445 section 6.1.2.5).
    private func makeRoom(for pair: ICECheckPair, in generation: ICEGeneration) -> Bool {
        guard generation.checklist.count >= self.configuration.maximumPairs else { return true }
        let worst = generation.checklist.last { candidate in
            candidate !== self.selected && candidate.state != .succeeded && candidate.state != .inProgress
                && !candidate.isQueued
        }
        guard let worst, worst.state == .failed || worst.priority < pair.priority else { return false }
        self.discard(worst, of: generation)
        return true
    }

    func discard(_ pair: ICECheckPair, of generation: ICEGeneration) {
        generation.remove(pair)
        let other = generation === self.current ? self.previous : self.current
        if other?.pairs[pair.path] == nil { self.validated.remove(pair.path) }
        self.checks = self.checks.filter { $0.value.pair !== pair }
        if self.selected === pair {
            self.selected = nil
            self.isDisconnected = false
        }
    }
}

extension TransportAddress {
    /// The address without its zone: peers do not know ours.
    var unscoped: TransportAddress {
        guard self.scopeID != 0 else { return self }
        var copy = self
        copy.scopeID = 0
        return copy
    }
}
