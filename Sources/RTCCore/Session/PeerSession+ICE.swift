public import NIOCore
public import RTCBase
public import RTCICE
import RTCSDP
import RTCSTUN

extension PeerSession {
    /// Answers ``Output/gatherAddresses(ufrag:)``: the local addresses to offer. The servers are asked from here on.
    public func provideAddresses(for ufrag: String, hosts: [ICEHostAddress], now: NIODeadline) {
        guard !self.isClosed else { return }
        self.withGeneration(ufrag) { $0.agent.holdGathering() }
        // A lite agent is reached at its own addresses (RFC 8445 section 5.2).
        if !self.configuration.isIceLite { self.askServers(for: ufrag, now: now) }
        // With relays only nobody shall learn our addresses, not even by a check.
        let usesHosts = self.configuration.iceTransportPolicy != .relay
        self.withGeneration(ufrag) { generation in
            generation.agent.gather(hosts: usesHosts ? hosts : [], now: now)
            generation.agent.releaseGathering(now: now)
        }
    }

    /// Reports a server that could not be asked, for example because its name is unknown.
    public func reportCandidateError(_ error: RTCIceCandidateError) {
        self.emit(.iceCandidateError(error))
    }

    /// Answers ``Output/resolve(hostname:)``; no addresses if there is no such name.
    public func provideResolution(of hostname: String, addresses: [TransportAddress], now: NIODeadline) {
        for generation in self.transport.generations {
            generation.agent.addResolved(hostname: hostname, addresses: addresses, now: now)
        }
    }
}

// MARK: - What the agents report

extension PeerSession {
    func drainICE(now: NIODeadline) {
        var isChanged = self.transport.wasChanged
        self.transport.wasChanged = false
        if let current = self.transport.current, self.drain(current.agent, of: current.ufrag, now: now) {
            isChanged = true
        }
        if let next = self.transport.next, self.drain(next.agent, of: next.ufrag, now: now) { isChanged = true }
        self.drainPooled(now: now)
        guard isChanged else { return }
        self.promoteNextGeneration(now: now)
        self.notePath(now: now)
        self.updateICEStates(now: now)
        self.considerRestart(now: now)
    }

    /// - Returns: Whether the agent had anything to say.
    private func drain(_ agent: ICEAgent, of ufrag: String, now: NIODeadline) -> Bool {
        var isChanged = false
        while let output = agent.poll() {
            isChanged = true
            self.handle(output, of: ufrag, now: now)
        }
        return isChanged
    }

    func handle(_ output: ICEAgent.Output, of ufrag: String, now: NIODeadline) {
        switch output {
        case .transmit(let bytes, let base, let remote, let kind):
            if self.servers.relay(at: base) != nil {
                self.transmit(DatagramBatch(bytes), along: ICEPath(base: base, remote: remote), now: now)
            } else {
                self.outputs.append(.transmitSTUN(bytes, from: base, to: remote, transaction: kind.transaction))
            }
        case .event(let event):
            self.handle(event, of: ufrag, now: now)
        }
    }

    private func handle(_ event: ICEAgent.Event, of ufrag: String, now: NIODeadline) {
        switch event {
        case .localCandidate(let candidate):
            self.announce(candidate, of: ufrag)
        case .untoldCandidate(let candidate):
            self.noteUntold(candidate, of: ufrag)
        case .serverAnswered(let url, let address):
            self.withGeneration(ufrag) { $0.note(url, .succeeded, "reflexive address \(address.ip)") }
        case .gatheringStateChanged(let state):
            self.gatheringChanged(to: state.rtc, of: ufrag)
        case .candidateError(let url, let code, let text, let address):
            let error = RTCIceCandidateError(
                address: address.ip,
                port: address.port,
                url: url,
                errorCode: code,
                errorText: text
            )
            self.withGeneration(ufrag) { $0.note(url, .failed(code: code), text) }
            self.emit(.iceCandidateError(error))
        case .stateChanged(let state):
            self.transport.noteState(state)
            guard state == .disconnected,
                let agent = self.transport.generation(ufrag)?.agent
            else { return }
            self.verifyRelay(of: agent, now: now)
        case .roleChanged:
            break
        case .selectedPairChanged(let pair):
            self.bindChannel(of: pair, now: now)
            guard self.transport.next == nil || self.transport.next?.ufrag == ufrag,
                let generation = self.transport.generations.first(where: { $0.ufrag == ufrag })
            else { return }
            self.transport.selectedPairChanges += 1
            self.emit(.selectedCandidatePairChange(self.rtcPair(pair, of: generation)))
        case .pathValidated(let remote, let base):
            self.outputs.append(.registerPath(local: base, remote: remote))
        case .resolve(let hostname):
            self.outputs.append(.resolve(hostname: hostname))
        }
    }

    private func announce(_ candidate: ICECandidate, of ufrag: String) {
        if self.configuration.iceTransportPolicy == .relay, candidate.type != .relayed { return }
        // Found between the end and the agent's learning that it was told.
        guard self.transport.generation(ufrag)?.gathered.isComplete != true else {
            return self.noteUntold(candidate, of: ufrag)
        }
        self.withGeneration(ufrag) { generation in
            var value = candidate.sdpAttributeValue
            if value.hasPrefix("candidate:") { value.removeFirst("candidate:".count) }
            generation.gathered.attributes.append(value)
            if generation.gathered.defaultAddress == nil || generation.gathered.defaultAddress?.family == .ipv6,
                case .ip(let address) = candidate.address, address.transport == .udp
            {
                generation.gathered.defaultAddress = address
            }
            // The description has the candidate before its event fires (W3C webrtc-pc section 4.4.1.12).
            self.jsep.addLocalCandidate(
                value,
                ufrag: ufrag,
                defaultAddress: generation.gathered.defaultAddress,
                self.configuration.bundlePolicy
            )
            let members = RTCIceCandidateInit(
                candidate: candidate.sdpAttributeValue,
                sdpMid: generation.sdpMid,
                sdpMLineIndex: generation.sdpMLineIndex,
                usernameFragment: ufrag
            )
            self.emit(
                .iceCandidate(
                    RTCIceCandidate(
                        members: members,
                        parsed: candidate,
                        relayProtocol: candidate.base.flatMap { generation.relayProtocols[$0] },
                        url: candidate.serverURL
                    )
                )
            )
        }
    }

    private func gatheringChanged(to state: RTCIceGatheringState, of ufrag: String) {
        self.withGeneration(ufrag) { generation in
            guard generation.gatheringState != state, !generation.gathered.isComplete else { return }
            generation.gatheringState = state
            if state == .complete {
                generation.gathered.isComplete = true
                generation.agent.noteEndOfCandidates()
                generation.noteUnasked()
                self.jsep.addLocalCandidate(
                    nil,
                    ufrag: ufrag,
                    defaultAddress: nil,
                    self.configuration.bundlePolicy
                )
                let members = RTCIceCandidateInit(
                    candidate: "",
                    sdpMid: generation.sdpMid,
                    sdpMLineIndex: generation.sdpMLineIndex,
                    usernameFragment: ufrag
                )
                self.emit(.iceCandidate(RTCIceCandidate(members: members, url: nil)))
            }
            self.emit(.iceTransportGatheringStateChange(state))
        }
        self.updateGatheringState()
    }

    func updateGatheringState() {
        let states = self.transport.generations.map(\.gatheringState)
        let state: RTCIceGatheringState
        if states.contains(.gathering) {
            state = .gathering
        } else if states.isEmpty || states.contains(.new) {
            state = self.transport.next == nil ? .new : self.states.iceGathering
        } else {
            state = .complete
        }
        guard state != self.states.iceGathering else { return }
        self.states.iceGathering = state
        self.emit(.iceGatheringStateChange(state))
        if state == .complete { self.emit(.iceCandidate(nil)) }
    }

    /// The generation of a restart takes over when it has a pair of its own.
    private func promoteNextGeneration(now: NIODeadline) {
        guard let next = self.transport.next, next.agent.selectedPath != nil else { return }
        if let old = self.transport.current {
            old.agent.close()
            self.closeServers(of: old.ufrag, now: now)
            self.outputs.append(.unregisterUfrag(old.ufrag))
        }
        self.transport.current = next
        self.transport.next = nil
    }

    /// One transition's events in the order transport, ICE connection, connection (W3C webrtc-pc section 5.6).
    func updateICEStates(now: NIODeadline) {
        let agentState = self.states.showConnectedFirst(self.transport.iceState, now: now)
        if agentState != self.states.iceTransport {
            self.states.iceTransport = agentState
            self.emit(.iceTransportStateChange(agentState))
            let aggregate = SessionStates.iceConnection(agentState)
            if aggregate != self.states.iceConnection {
                self.states.iceConnection = aggregate
                self.emit(.iceConnectionStateChange(aggregate))
            }
        }
        self.updateConnectionState()
    }

    func updateConnectionState() {
        let state = SessionStates.connection(ice: self.states.iceTransport, dtls: self.transport.dtlsState)
        guard state != self.states.connection else { return }
        self.states.connection = state
        self.emit(.connectionStateChange(state))
        if state == .failed { self.emit(.connectionFailed(self.diagnose().problems)) }
    }

    func rtcPair(_ pair: ICECandidatePair, of generation: ICEGeneration) -> RTCIceCandidatePair {
        RTCIceCandidatePair(
            local: self.rtcCandidate(pair.local, generation, ufrag: generation.ufrag),
            remote: self.rtcCandidate(pair.remote, generation, ufrag: generation.remoteUfrag)
        )
    }

    func rtcCandidate(_ candidate: ICECandidate, _ generation: ICEGeneration, ufrag: String?) -> RTCIceCandidate {
        RTCIceCandidate(
            members: RTCIceCandidateInit(
                candidate: candidate.sdpAttributeValue,
                sdpMid: generation.sdpMid,
                sdpMLineIndex: generation.sdpMLineIndex,
                usernameFragment: ufrag
            ),
            parsed: candidate,
            relayProtocol: candidate.base.flatMap { generation.relayProtocols[$0] },
            url: candidate.serverURL
        )
    }

    /// The pair that carries data, `nil` before there is one.
    public var selectedCandidatePair: RTCIceCandidatePair? {
        for generation in self.transport.generations {
            if let pair = generation.agent.selectedPair { return self.rtcPair(pair, of: generation) }
        }
        return nil
    }
}

extension ICEAgent.TransmitKind {
    /// The transaction whose answer will come, `nil` for an answer.
    var transaction: STUNTransactionID? {
        switch self {
        case .check(let transaction), .server(let transaction): return transaction
        case .response: return nil
        }
    }
}

extension ICEConfiguration {
    init(_ configuration: RTCConfiguration) {
        self.init()
        self.isLite = configuration.isIceLite
        self.maximumRemoteCandidates = configuration.limits.remoteCandidates
        self.disconnectedTimeout = TimeAmount(configuration.timing.disconnectedTimeout)
        self.consentExpiry = TimeAmount(configuration.timing.consentTimeout)
        self.patience = TimeAmount(configuration.timing.connectTimeout)
    }
}
