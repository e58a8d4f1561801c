public import NIOCore
public import RTCBase
import RTCDTLS
import RTCICE
import RTCSCTP
import RTCSDP

// MARK: - Descriptions

extension PeerSession {
    /// Where the exchange of descriptions stands (W3C webrtc-pc section 4.3.1).
    public var signalingState: RTCSignalingState { self.jsep.signalingState }
    /// The local description that was negotiated last, with all candidates gathered so far.
    public var currentLocalDescription: RTCSessionDescription? { self.jsep.currentLocal?.rtc }
    /// The local description under negotiation; `nil` when stable.
    public var pendingLocalDescription: RTCSessionDescription? { self.jsep.pendingLocal?.rtc }
    /// The remote description that was negotiated last, with the candidates added since.
    public var currentRemoteDescription: RTCSessionDescription? { self.jsep.currentRemote?.rtc }
    /// The remote description under negotiation; `nil` when stable.
    public var pendingRemoteDescription: RTCSessionDescription? { self.jsep.pendingRemote?.rtc }

    /// Whether the peer takes candidates one by one; `nil` before its first description (W3C webrtc-pc section 4.4.2).
    public var canTrickleIceCandidates: Bool? {
        guard let remote = self.jsep.remote else { return nil }
        return remote.content.offersTrickle
    }

    /// Makes an offer (W3C webrtc-pc section 4.4.2, RFC 9429 section 5.2).
    ///
    /// - Throws: `RTCError.Code.invalidState` after ``close(now:)`` and while a remote offer waits for its answer.
    public func createOffer(_ options: RTCOfferOptions = RTCOfferOptions()) throws(RTCError) -> RTCSessionDescription {
        try self.checkOpen()
        guard self.signalingState == .stable || self.signalingState == .haveLocalOffer else {
            throw RTCError(.invalidState, "no offer can be made in state \(self.signalingState.rawValue)")
        }
        if options.iceRestart { self.jsep.requestRestart() }
        self.addRequestedTransceivers(options)
        let sdp = self.jsep.createOffer(iceRestart: options.iceRestart, self.localParameters())
        return RTCSessionDescription(type: .offer, sdp: sdp)
    }

    /// Makes the answer to the remote offer (RFC 9429 section 5.3).
    ///
    /// - Throws: `RTCError.Code.invalidState` if there is no remote offer.
    public func createAnswer() throws(RTCError) -> RTCSessionDescription {
        try self.checkOpen()
        return RTCSessionDescription(type: .answer, sdp: try self.jsep.createAnswer(self.localParameters()))
    }

    /// Sets a description of ours; `nil` makes the one that fits the present state (W3C webrtc-pc section 4.4.1.4).
    ///
    /// - Throws: `RTCError.Code.invalidModification` for a text other than the last one created,
    ///   `RTCError.Code.invalidState` if the type does not fit the signaling state.
    public func setLocalDescription(_ description: RTCSessionDescription?, now: NIODeadline) throws(RTCError) {
        try self.checkOpen()
        let description = description ?? RTCSessionDescription(type: self.jsep.implicitLocalType)
        let outcome = try self.jsep.setLocal(description, self.localParameters())
        try self.apply(outcome, now: now)
    }

    /// Sets a description of the peer (W3C webrtc-pc section 4.4.1.4). An offer that meets one of ours rolls ours back.
    ///
    /// - Throws: `RTCError.Code.rtc` with the detail `sdpSyntaxError` and the line for a malformed text,
    ///   `RTCError.Code.invalidAccess` for one that lacks what is needed, `RTCError.Code.invalidState` if the type does not fit.
    public func setRemoteDescription(_ description: RTCSessionDescription, now: NIODeadline) throws(RTCError) {
        try self.checkOpen()
        if self.configuration.isIceLite, description.saysICELite {
            throw RTCError(
                .notSupported,
                "both sides are ice-lite: neither would begin, so one of them must be a full agent (RFC 8445 section 2.5)"
            )
        }
        if description.type == .offer, self.signalingState == .haveLocalOffer {
            // Two steps, and the first one holds even if the second fails (W3C webrtc-pc section 4.4.1.5).
            try self.apply(self.jsep.setLocal(RTCSessionDescription(type: .rollback), self.localParameters()), now: now)
        }
        let outcome = try self.jsep.setRemote(
            description,
            maximumTransceivers: self.configuration.limits.transceivers
        )
        try self.apply(outcome, now: now)
    }

    func checkOpen() throws(RTCError) {
        guard !self.isClosed else { throw RTCError(.invalidState, "the connection is closed") }
    }

    private func localParameters() -> JSEPSession.LocalParameters {
        JSEPSession.LocalParameters(
            fingerprints: self.environment.certificate.dtls.fingerprints.prefix(1).map {
                SDPFingerprint(algorithm: $0.algorithm.rawValue, value: $0.bytes)
            },
            maximumMessageSize: self.configuration.maximumMessageSize,
            wantsData: self.channels.wereCreated,
            bundlePolicy: self.configuration.bundlePolicy,
            settledSetup: self.transport.dtlsRole.map { $0 == .client ? .active : .passive },
            gatheredCandidates: { ufrag in
                self.transport.generations.first { $0.ufrag == ufrag }?.gathered ?? JSEPGatheredCandidates()
            },
            freshCredentials: { self.freshCredentials() }
        )
    }
}

// MARK: - What a description changes

extension PeerSession {
    private func apply(_ outcome: JSEPSession.Outcome, now: NIODeadline) throws(RTCError) {
        self.transport.wasChanged = true
        if outcome.rolledBack { self.rollBackTransport(now: now) }
        if let local = self.jsep.local, let section = local.transportSection,
            let ufrag = local.content.iceUfrag(of: section)
        {
            self.beginGeneration(ufrag: ufrag, section: section, of: local, now: now)
        }
        if let applied = outcome.applied, applied.type == .answer || applied.type == .pranswer {
            try self.connect(answer: applied, now: now)
        }
        self.updateSCTPTransport()
        // W3C webrtc-pc section 4.4.1.5: the signaling state changes, then its event fires.
        if self.signalingState != outcome.signalingStateBefore {
            self.emit(.signalingStateChange(self.signalingState))
        }
        self.tell(outcome.media)
        self.updateNegotiatedMedia()
        if self.signalingState == .stable {
            self.isNegotiationNeeded = false
            self.updateNegotiationNeeded()
        }
        self.updateGatheringState()
        for transceiver in outcome.media.ended { self.emit(.trackEnded(transceiver)) }
    }

    private func rollBackTransport(now: NIODeadline) {
        if self.transport.next != nil {
            self.end(&self.transport.next, now: now)
        } else if self.jsep.currentLocal?.transportSection == nil {
            self.end(&self.transport.current, now: now)
        }
    }

    /// There is an SCTP transport from the first description with a data section on (W3C webrtc-pc section 4.4.1.5).
    private func updateSCTPTransport() {
        let isWanted: Bool
        if self.signalingState == .stable {
            isWanted = self.jsep.local?.dataSection != nil && self.jsep.remote?.dataSection != nil
        } else {
            isWanted = self.jsep.local?.dataSection != nil || self.jsep.remote?.dataSection != nil
        }
        if !isWanted, self.transport.dtls == nil {
            self.states.sctp = nil
        } else if isWanted, self.states.sctp == nil {
            self.states.sctp = .connecting
        }
    }

    private func end(_ generation: inout ICEGeneration?, now: NIODeadline) {
        guard let ended = generation else { return }
        ended.agent.close()
        generation = nil
        self.closeServers(of: ended.ufrag, now: now)
        self.outputs.append(.unregisterUfrag(ended.ufrag))
    }

    private func beginGeneration(ufrag: String, section: Int, of local: JSEPDescription, now: NIODeadline) {
        guard !self.transport.generations.contains(where: { $0.ufrag == ufrag }) else { return }
        guard let password = local.content.icePwd(of: section) else { return }
        let isFirst = self.transport.current == nil
        let role: ICERole
        if isFirst {
            let isControlling = local.type == .offer || self.jsep.remote?.content.iceLite == true
            role = isControlling && !self.configuration.isIceLite ? .controlling : .controlled
        } else {
            role = self.transport.current?.agent.role ?? .controlling
        }
        if let pooled = self.transport.pooled, pooled.ufrag == ufrag {
            self.takePooled(pooled, role: role, section: section, of: local, now: now)
            return
        }
        let generation = ICEGeneration(
            agent: ICEAgent(
                configuration: ICEConfiguration(self.configuration),
                role: role,
                localCredentials: ICECredentials(ufrag: ufrag, password: password),
                random: self.random
            ),
            ufrag: ufrag,
            sdpMid: local.content.media[section].mid,
            sdpMLineIndex: section
        )
        _ = self.random.next()
        if isFirst {
            self.transport.current = generation
        } else {
            self.end(&self.transport.next, now: now)
            self.transport.next = generation
        }
        self.outputs.append(.registerUfrag(ufrag))
        self.outputs.append(.gatherAddresses(ufrag: ufrag))
    }

    /// Both descriptions are there: the peer's parameters go to ICE, DTLS and SCTP.
    private func connect(answer: JSEPDescription, now: NIODeadline) throws(RTCError) {
        // The answer says which section carries the transport (RFC 9143 section 7.3.1).
        guard let local = self.jsep.local, let remote = self.jsep.remote, let section = answer.transportSection,
            let ufrag = local.content.iceUfrag(of: section)
        else {
            self.endTransportIfRejected(now: now)
            return
        }
        let parameters = try JSEPTransportParameters(of: remote.content, section: section, defaultSetup: .active)
        self.connectICE(ufrag: ufrag, parameters, now: now)
        let localSetup = local.content.setup(of: section) ?? .active
        let isClient = local.type == .offer ? parameters.setup == .passive : localSetup == .active
        try self.connectDTLS(role: isClient ? .client : .server, fingerprints: parameters.fingerprints, now: now)
        try self.connectSCTP(isClient: isClient, now: now)
    }

    private func connectSCTP(isClient: Bool, now: NIODeadline) throws(RTCError) {
        guard self.jsep.local?.dataSection != nil, let remote = self.jsep.remote, let section = remote.dataSection
        else {
            return
        }
        let parameters = try JSEPDataParameters(of: remote.content.media[section])
        self.channels.negotiated(
            isClient: isClient,
            remotePort: parameters.sctpPort,
            remoteMaximumMessageSize: parameters.maximumMessageSize
        )
        for handle in self.channels.transport.handles {
            if let id = self.channels.transport.id(handle) { self.emit(.dataChannelIDAssigned(handle, id)) }
        }
        // Data may be negotiated when media has connected the transport already.
        if self.transport.dtls?.state == .connected { self.channels.start(now: now) }
    }

    /// The section that carries the transport in a remote description: what the answer says, else what the description itself says.
    func transportSection(for remote: JSEPDescription) -> Int? {
        guard remote.type == .offer, let local = self.jsep.local, local.type != .offer else {
            return remote.transportSection
        }
        return local.transportSection ?? remote.transportSection
    }

    /// No section is left in use: there is no transport any more, and its states begin anew.
    private func endTransportIfRejected(now: NIODeadline) {
        guard self.signalingState == .stable else { return }
        if let dtls = self.transport.dtls {
            dtls.close(now: now)
            self.channels.transportLost(RTCError(detail: .sctpFailure, "the last section in use was rejected"))
            self.drainChannels(now: now)
            self.channels.restart(wake: self.environment.wake)
            self.media?.stop()
            self.transmit(now: now)
        }
        self.end(&self.transport.current, now: now)
        self.end(&self.transport.next, now: now)
        self.transport = SessionTransport()
        self.transport.wasChanged = true
    }

    private func connectICE(ufrag: String, _ parameters: JSEPTransportParameters, now: NIODeadline) {
        let localRenominates = self.jsep.local?.content.iceOptions.contains(JSEPSession.renomination) == true
        self.withGeneration(ufrag) { generation in
            generation.sdpMid = parameters.mid
            generation.sdpMLineIndex = parameters.sectionIndex
            guard generation.remoteUfrag != parameters.credentials.ufrag else { return }
            generation.remoteUfrag = parameters.credentials.ufrag
            generation.remoteCandidatesTaken = []
            generation.remoteEndTaken = false
            generation.agent.setRemote(
                credentials: parameters.credentials,
                isLite: parameters.isICELite,
                renominates: parameters.renominates && localRenominates,
                now: now
            )
        }
        self.deliver(parameters, to: ufrag, now: now)
    }

    func withGeneration(_ ufrag: String, _ body: (inout ICEGeneration) -> Void) {
        if var generation = self.transport.current, generation.ufrag == ufrag {
            body(&generation)
            self.transport.current = generation
        } else if var generation = self.transport.next, generation.ufrag == ufrag {
            body(&generation)
            self.transport.next = generation
        } else if var generation = self.transport.pooled, generation.ufrag == ufrag {
            body(&generation)
            self.transport.pooled = generation
        }
    }
}

// MARK: - Negotiation needed

extension PeerSession {
    /// Asks for a restart of ICE with the next offer (W3C webrtc-pc section 4.4.2).
    public func restartICE() throws(RTCError) {
        guard !self.isClosed else { return }
        self.jsep.requestRestart()
        self.updateNegotiationNeeded()
    }

    /// W3C webrtc-pc section 4.7.3: one event for many changes, only while stable, once more if still needed afterwards.
    func updateNegotiationNeeded() {
        guard !self.isClosed, self.signalingState == .stable else { return }
        let needed =
            self.jsep.restartRequested
            || (self.channels.wereCreated && self.jsep.currentLocal?.dataSection == nil)
            || self.jsep.mediaNeedsNegotiation
        guard needed else {
            self.isNegotiationNeeded = false
            return
        }
        guard !self.isNegotiationNeeded else { return }
        self.isNegotiationNeeded = true
        self.negotiationNeededQueued = true
    }

    /// Fires the queued event, at the end of a round when all else was said.
    func fireNegotiationNeeded() {
        guard self.negotiationNeededQueued else { return }
        self.negotiationNeededQueued = false
        guard self.isNegotiationNeeded, self.signalingState == .stable else { return }
        self.emit(.negotiationNeeded)
    }
}
