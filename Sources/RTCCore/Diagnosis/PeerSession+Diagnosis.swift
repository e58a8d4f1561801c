import RTCBase
import RTCICE
import RTCTURN

extension PeerSession {
    /// How the connection stands, and what is in its way.
    public func diagnose() -> RTCConnectionDiagnosis {
        let generation = self.transport.next ?? self.transport.current
        let agent = generation?.agent
        func rtc(_ candidates: [ICECandidate]?, ufrag: String?) -> [RTCIceCandidate] {
            guard let generation, let candidates else { return [] }
            return candidates.map { self.rtcCandidate($0, generation, ufrag: ufrag) }
        }
        var diagnosis = RTCConnectionDiagnosis(
            connectionState: self.states.connection,
            iceState: self.states.iceTransport,
            dtlsState: self.transport.dtlsState,
            localCandidates: rtc(agent?.localCandidates, ufrag: generation?.ufrag),
            remoteCandidates: rtc(agent?.remoteCandidates, ufrag: generation?.remoteUfrag),
            unresolvedNames: agent?.unresolvedNames ?? [],
            pairs: [],
            servers: generation?.serverReports ?? [],
            problems: []
        )
        if let generation { diagnosis.pairs = self.pairs(of: generation) }
        diagnosis.problems = self.problems(generation, diagnosis)
        return diagnosis
    }

    private func pairs(of generation: ICEGeneration) -> [RTCConnectionDiagnosis.Pair] {
        generation.agent.statistics().map { figures in
            let pair = self.rtcPair(figures.pair, of: generation)
            return RTCConnectionDiagnosis.Pair(
                local: pair.local,
                remote: pair.remote,
                state: figures.state.rawValue,
                failure: figures.failure.map(\.words),
                isNominated: figures.isNominated,
                isSelected: figures.isSelected,
                checksSent: figures.requestsSent,
                checksReceived: figures.requestsReceived,
                answersReceived: figures.responsesReceived,
                sendFailures: figures.sendFailures
            )
        }
    }

    private func problems(
        _ generation: ICEGeneration?,
        _ diagnosis: RTCConnectionDiagnosis
    ) -> [RTCConnectionProblem] {
        let servers = diagnosis.servers.compactMap { report -> RTCConnectionProblem? in
            guard case .failed(let code) = report.outcome else { return nil }
            return code == 701
                ? .serverUnreachable(url: report.url, text: report.text)
                : .serverRefused(url: report.url, code: code, text: report.text)
        }
        guard !self.isClosed, diagnosis.connectionState != .connected else { return servers }
        // A server's handshake waits for its peer, and times out, when there is no path too.
        if self.transport.dtlsState == .failed, generation?.agent.selectedPair != nil {
            return [.handshakeFailed] + servers
        }
        guard let generation else { return servers }
        guard let cause = self.cause(generation, diagnosis) else { return servers }
        return [cause] + servers
    }

    /// The one cause that explains most.
    private func cause(_ generation: ICEGeneration, _ diagnosis: RTCConnectionDiagnosis) -> RTCConnectionProblem? {
        let agent = generation.agent
        let figures = agent.statistics()
        if figures.contains(where: \.isSelected) {
            return agent.state == .failed || agent.state == .disconnected ? .consentExpired : nil
        }
        if generation.remoteUfrag == nil { return .noRemoteDescription }
        let isGathered = generation.gatheringState == .complete
        if agent.localCandidates.isEmpty {
            guard isGathered else { return nil }
            guard self.configuration.iceTransportPolicy == .relay else { return .noLocalCandidates }
            let hasServer = ServerEntry.all(of: self.configuration).contains { $0.uri.scheme.isTURN }
            return hasServer ? .noRelay : .relayWithoutServer
        }
        guard !figures.isEmpty else { return self.causeWithoutPairs(agent) }
        let isOver =
            diagnosis.connectionState == .failed || agent.state == .failed || figures.allSatisfy { $0.state == .failed }
        guard isOver else { return nil }
        for case .refused(let code)? in figures.map(\.failure) { return .checksRefused(code: code) }
        if figures.contains(where: { $0.requestsReceived > 0 }) { return .oneWay }
        if self.isUDPBlocked(generation) { return .udpBlocked }
        return Self.causeOfSilence(figures, agent)
    }

    private func causeWithoutPairs(_ agent: ICEAgent) -> RTCConnectionProblem? {
        guard agent.remoteCandidates.isEmpty else {
            let families = Set(agent.remoteCandidates.compactMap(\.transportAddress?.family))
            let ours = Set(agent.localCandidates.compactMap(\.base?.family))
            return families.isDisjoint(with: ours) ? .noCommonAddressFamily : .noCommonTransport
        }
        let names = agent.unresolvedNames
        guard !names.isEmpty else { return .noRemoteCandidates }
        return .unresolvableNames(count: names.count, localNetworks: Self.networks(of: agent.localCandidates))
    }

    /// Whether all servers that were asked over UDP kept silent.
    private func isUDPBlocked(_ generation: ICEGeneration) -> Bool {
        let urls = ServerEntry.all(of: self.configuration).filter { $0.transport == .udp }.map(\.url)
        let outcomes = generation.serverReports.compactMap { report in
            urls.contains(report.url) && !generation.unaskedServers.contains(report.url) ? report.outcome : nil
        }
        return !outcomes.isEmpty && outcomes.allSatisfy { $0 == .failed(code: TURNFailure.unreachable) }
    }

    private static func causeOfSilence(
        _ figures: [ICECandidatePairStatistics],
        _ agent: ICEAgent
    ) -> RTCConnectionProblem {
        let isRelayed = figures.contains { $0.pair.local.type == .relayed || $0.pair.remote.type == .relayed }
        if isRelayed { return .noAnswer }
        let local = Self.networks(of: agent.localCandidates)
        let remote = Self.networks(of: agent.remoteCandidates)
        let addresses = (agent.localCandidates + agent.remoteCandidates).compactMap(\.transportAddress)
        if addresses.allSatisfy(Self.isOfPrivateNetwork), Set(local).isDisjoint(with: remote) {
            return .privateNetworksOnly(local: local, remote: remote)
        }
        return .blockedWithoutRelay
    }

    private static func isOfPrivateNetwork(_ address: TransportAddress) -> Bool {
        address.isPrivate || address.isLinkLocal || address.isLoopback
    }

    /// The networks that candidates are of, as people name them: `172.17.0.0/16`, `192.168.1.0/24`; others by their address.
    private static func networks(of candidates: [ICECandidate]) -> [String] {
        var networks: [String] = []
        for candidate in candidates {
            guard let address = candidate.transportAddress ?? candidate.base else { continue }
            let name = Self.network(of: address)
            if !networks.contains(name) { networks.append(name) }
        }
        return networks
    }

    private static func network(of address: TransportAddress) -> String {
        let bytes = address.ipBytes
        guard address.family == .ipv4, address.isPrivate else { return address.ip }
        switch bytes[0] {
        case 172, 10: return "\(bytes[0]).\(bytes[1]).0.0/16"
        case 100: return "100.64.0.0/10"
        default: return "\(bytes[0]).\(bytes[1]).\(bytes[2]).0/24"
        }
    }
}

extension ICESendFailure {
    fileprivate var words: String {
        switch self {
        case .tooLarge: return "too large for the network"
        case .unreachable: return "no route to the address"
        case .refused: return "nobody listens at the port"
        case .other: return "the system does not let it out"
        }
    }
}

extension ICEPairFailure {
    fileprivate var words: String {
        switch self {
        case .noAnswer: return "no answer"
        case .refused(let code): return "refused with \(code)"
        case .notSymmetric: return "answered from elsewhere"
        case .connectionClosed: return "no TCP connection"
        case .notSent(let failure): return "could not be sent: \(failure.words)"
        }
    }
}
