public import NIOCore
public import RTCBase
import RTCDTLS
public import RTCICE
import RTCSCTP
import RTCTURN

// The network under a running session: addresses that come and go, paths that break.

extension PeerSession {
    /// Offers one more local address, for example of an interface that came up.
    ///
    /// The peer is told of it as long as it was not told that there are no more candidates (RFC 8838 section 13). After that the address is
    /// tried all the same, and where that is not enough ``Event/negotiationNeeded`` asks for a restart.
    public func addHost(_ host: ICEHostAddress, now: NIODeadline) {
        guard self.configuration.iceTransportPolicy != .relay else { return }
        for generation in self.transport.allGenerations { generation.agent.addHost(host, now: now) }
    }

    /// Forgets a local address that is gone. Relays that were reached from it are reached anew.
    public func removeHost(base: TransportAddress, now: NIODeadline) {
        if let path = self.transport.current?.agent.selectedPath,
            path.base == base || self.servers.relay(at: path.base)?.localAddress?.ip == base.ip
        {
            self.transport.current?.hasLostAddress = true
        }
        for generation in self.transport.allGenerations { generation.agent.removeHost(base: base, now: now) }
        self.abandonFlows(from: base, now: now)
        self.transport.wasChanged = true
    }

    /// Says that the TCP connection of a path could not be made, or has ended.
    public func pathClosed(remote: TransportAddress, base: TransportAddress, now: NIODeadline) {
        for generation in self.transport.generations {
            generation.agent.pathClosed(remote: remote, base: base, now: now)
        }
    }

    /// Says that a check could not be sent.
    public func sendFailed(
        _ failure: ICESendFailure,
        remote: TransportAddress,
        base: TransportAddress,
        now: NIODeadline
    ) {
        guard !self.isClosed else { return }
        for generation in self.transport.generations {
            generation.agent.sendFailed(failure, remote: remote, base: base, now: now)
        }
    }

    /// Says that the socket of an address is in trouble: the path that uses it is checked at once.
    public func checkPath(base: TransportAddress, now: NIODeadline) {
        guard !self.isClosed else { return }
        for generation in self.transport.generations { generation.agent.checkSelectedPair(base: base, now: now) }
    }

    /// Hands on that data takes another path, or the old one again after a silence: what was under way on it is lost, and time-outs have grown
    /// meanwhile.
    func notePath(now: NIODeadline) {
        switch self.transport.takePathChange() {
        case .replaced:
            self.transport.dtls?.pathChanged()
            self.channels.transport.pathResumed(isAnother: true, now: now)
        case .resumed:
            self.channels.transport.pathResumed(isAnother: false, now: now)
        case nil:
            break
        }
    }
}

// MARK: - Candidates that the peer was not told of

extension PeerSession {
    /// How long nothing may work before a restart is asked for.
    private static let patience = TimeAmount.seconds(2)

    func noteUntold(_ candidate: ICECandidate, of ufrag: String) {
        guard let base = candidate.base else { return }
        self.withGeneration(ufrag) { _ = $0.untoldBases.insert(base) }
    }

    /// When ``considerRestart(now:)`` is wanted.
    var restartDeadline: NIODeadline? { self.transport.next == nil ? self.transport.current?.strandedUntil : nil }

    /// Asks for a restart of ICE (`negotiationneeded`) where candidates that the peer must not be told of any more are what is left: at once
    /// if the address that carried the data has gone, and after two seconds in which nothing works.
    ///
    /// While data flows nobody is bothered: interfaces of a host come and go for other reasons too, and checks from a new address often
    /// are enough.
    func considerRestart(now: NIODeadline) {
        guard self.transport.next == nil, var generation = self.transport.current else { return }
        defer { self.transport.current = generation }
        let agent = generation.agent
        let works = agent.state == .connected || agent.state == .completed
        if works {
            generation.wasConnected = true
            generation.strandedUntil = nil
            let isTold = agent.selectedPath.map { !generation.untoldBases.contains($0.base) } ?? false
            if isTold { generation.hasLostAddress = false }
        }
        guard !generation.untoldBases.isEmpty, !generation.hasAskedForRestart else {
            generation.strandedUntil = nil
            return
        }
        if !generation.hasLostAddress {
            guard !works, generation.wasConnected || agent.state == .failed else { return }
            let deadline = generation.strandedUntil ?? now + Self.patience
            generation.strandedUntil = deadline
            guard deadline <= now else { return }
        }
        generation.strandedUntil = nil
        generation.hasAskedForRestart = true
        try? self.restartICE()
    }
}
