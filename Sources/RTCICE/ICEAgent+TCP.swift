public import NIOCore
public import RTCBase

extension ICEAgent {
    /// Says that the TCP connection of a path could not be made, or has ended.
    ///
    /// A pair under check fails at once. A selected pair counts as disconnected, and others are tried; its next check
    /// asks the driver for a new connection if this side is the active one.
    public func pathClosed(remote: TransportAddress, base: TransportAddress, now: NIODeadline) {
        guard self.state != .closed, self.state != .failed else { return }
        let path = ICEPath(base: base, remote: remote)
        self.validated.remove(path)
        for generation in [self.current, self.previous].compactMap({ $0 }) {
            guard let pair = generation.pairs[path] else { continue }
            self.checks = self.checks.filter { $0.value.pair !== pair }
            if self.selected === pair {
                pair.failure = .connectionClosed
                pair.transaction = nil
                self.noteSilence(of: pair)
            } else if pair.remote.type == .peerReflexive {
                self.discard(pair, of: generation)
                generation.forgetPeerReflexive(remote)
            } else {
                pair.state = .inProgress
                self.fail(pair, .connectionClosed)
            }
        }
        self.settle(now: now)
    }
}

extension ICEAgent {
    /// Adds the address that a server saw of a TCP connection to it: that of active candidates behind the same NAT (RFC 6544
    /// section 5.2). Does nothing without such candidates.
    public func addReflexiveOverTCP(_ mapped: TransportAddress, serverURL: String, now: NIODeadline) {
        guard self.state != .closed else { return }
        let active = self.current.localCandidates.first { candidate in
            candidate.tcpType == .active && candidate.type == .host && candidate.base?.family == mapped.family
        }
        guard let active, let base = active.base, active.transportAddress?.ip != mapped.ip else { return }
        let preference = UInt16(truncatingIfNeeded: active.priority >> 8) << 3
        let candidate = ICECandidate(
            foundation: self.foundation(.serverReflexive, base: base, server: serverURL),
            transport: .tcp,
            priority: ICECandidate.priority(type: .serverReflexive, tcpType: .active, localPreference: preference),
            address: .ip(mapped.withPort(ICECandidate.activePort).over(.tcp)),
            type: .serverReflexive,
            relatedAddress: self.isHidden(base) ? base.hidden : base,
            base: base,
            usernameFragment: self.localCredentials.ufrag,
            serverURL: serverURL,
            tcpType: .active
        )
        self.add(candidate, now: now)
        self.settle(now: now)
    }
}

extension ICEGeneration {
    /// Forgets a candidate that only a connection which has ended revealed.
    func forgetPeerReflexive(_ address: TransportAddress) {
        guard let index = self.remoteByAddress[address.unscoped],
            self.remoteCandidates[index].type == .peerReflexive
        else { return }
        self.remoteCandidates.remove(at: index)
        self.peerReflexiveCount -= 1
        self.remoteByAddress = [:]
        for (index, candidate) in self.remoteCandidates.enumerated() {
            if let address = candidate.transportAddress { self.remoteByAddress[address.unscoped] = index }
        }
    }
}

extension ICECandidate {
    /// Whether the agent has a use for a candidate of the peer.
    var isUsable: Bool {
        switch self.transport {
        case .udp: return true
        case .tcp: return self.tcpType == .active || self.tcpType == .passive && !Self.isBadPort(self.address.port)
        case .other: return false
        }
    }

    /// Ports of other services, to which a peer must not make this host connect (WHATWG fetch, "bad port").
    private static func isBadPort(_ port: UInt16) -> Bool { Self.badPorts.contains(port) }

    private static let badPorts: Set<UInt16> = [
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
        110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530,
        531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190,
        5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    ]
}
