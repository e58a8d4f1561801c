internal import NIOCore
internal import RTCBase
internal import RTCSTUN

extension ICEAgent {
    /// An answer to one of our checks (RFC 8445 section 7.2.5), or a STUN server's.
    func receiveResponse(_ message: STUNMessage, in datagram: RawSpan, path: ICEPath, now: NIODeadline) {
        guard let check = self.checks[message.transactionID] else {
            if !self.receiveServerResponse(message, in: datagram, path: path, now: now) {
                self.counters.unexpectedResponses += 1
            }
            return
        }
        guard let generation = self.generation(of: check.pair), let key = generation.remoteKey,
            message.hasValidIntegrity(in: datagram, key: key)
        else {
            self.counters.badIntegrity += 1
            return
        }
        self.checks[message.transactionID] = nil
        let pair = check.pair
        let isLatest = pair.transaction == message.transactionID
        if isLatest { pair.transaction = nil }
        pair.statistics.responsesReceived += 1
        guard path == pair.path else {
            // Not symmetric (RFC 8445 section 7.2.5.2.1).
            self.counters.unexpectedResponses += 1
            if isLatest { self.fail(pair, .notSymmetric) }
            return
        }
        guard message.messageClass == .successResponse, message.unknownComprehensionRequiredCount == 0 else {
            self.receiveError(message, for: check, isLatest: isLatest, in: generation)
            return
        }
        self.succeed(check, message, in: generation, now: now)
    }

    private func receiveError(_ message: STUNMessage, for check: Check, isLatest: Bool, in generation: ICEGeneration) {
        guard message.errorCode == 487 else {
            if isLatest { self.fail(check.pair, .refused(code: message.errorCode ?? 0)) }
            return
        }
        self.counters.roleConflicts += 1
        // Unless the peer's own check has made us switch meanwhile (RFC 8445 section 7.2.5.1).
        if self.role == check.role && !(generation.remoteIsLite && self.role == .controlling) {
            self.changeRole(to: self.role.opposite)
            self.tieBreaker = self.random.next()
        }
        if generation.nominating === check.pair { generation.nominating = nil }
        guard generation === self.current, check.pair.state != .succeeded else { return }
        check.pair.state = .waiting
        self.enqueueTriggeredCheck(of: check.pair)
    }

    private func succeed(_ check: Check, _ message: STUNMessage, in generation: ICEGeneration, now: NIODeadline) {
        let pair = check.pair
        self.noteValidated(pair.path)
        self.noteRoundTrip(of: check, now: now)
        pair.unansweredSince = nil
        pair.nextProbeAt = nil
        pair.sendFailure = nil
        pair.sendFailuresInARow = 0
        pair.lastAnswerAt = now
        self.noteHeard(pair, now: now)
        if pair.state != .succeeded {
            pair.state = .succeeded
            self.noteLocalAddress(message.mappedAddress, of: pair, in: generation)
            self.unfreeze(pair.foundation, in: generation)
        }
        if generation.firstValidAt == nil { generation.firstValidAt = now }
        guard generation === self.current, self.state != .failed else { return }
        switch self.role {
        case .controlling:
            if check.purpose != .connectivity, check.role == .controlling, self.selected === pair {
                if generation.nominating === pair { generation.nominating = nil }
                self.conclude(with: pair, in: generation, now: now)
            }
        case .controlled:
            if pair.awaitsNomination {
                pair.awaitsNomination = false
                self.follow(pair, isNew: true, in: generation, now: now)
            }
        }
    }

    /// Karn's rule: an answer to something sent twice says nothing of the time it took.
    private func noteRoundTrip(of check: Check, now: NIODeadline) {
        guard check.transaction.transmissionCount == 1 else { return }
        let time = now - check.transaction.startedAt
        check.pair.statistics.currentRoundTripTime = time
        check.pair.statistics.totalRoundTripTime += time
        check.pair.statistics.roundTripTimeMeasurements += 1
    }

    /// The valid pair's local candidate is the one at the address the peer saw, a new peer-reflexive one if need be
    /// (RFC 8445 section 7.2.5.3.1).
    private func noteLocalAddress(_ mapped: TransportAddress?, of pair: ICECheckPair, in generation: ICEGeneration) {
        guard let mapped = mapped?.over(pair.path.base.transport), mapped.family == pair.path.base.family,
            pair.local.expectedAddress?.unscoped != mapped.unscoped
        else { return }
        let known = generation.localCandidates.first { candidate in
            candidate.base == pair.path.base && candidate.expectedAddress?.unscoped == mapped.unscoped
        }
        if let known {
            // The pair keeps its priority: it stands on the checklist with its base.
            pair.local = known
            return
        }
        guard Self.isPlausible(mapped),
            generation.localCandidates.count < self.configuration.maximumLocalCandidates
        else { return }
        let candidate = ICECandidate(
            foundation: "prflx\(generation.localCandidates.count)",
            transport: pair.local.transport,
            priority: pair.local.peerReflexivePriority,
            address: .ip(mapped),
            type: .peerReflexive,
            relatedAddress: pair.path.base,
            base: pair.path.base,
            usernameFragment: generation.localCredentials.ufrag,
            tcpType: pair.local.tcpType
        )
        generation.localCandidates.append(candidate)
        pair.local = candidate
    }

    /// What works for one pair will likely work for the others of its foundation (RFC 8445 section 7.2.5.3.3).
    private func unfreeze(_ foundation: PairFoundation, in generation: ICEGeneration) {
        for pair in generation.checklist where pair.state == .frozen && pair.foundation == foundation {
            pair.state = .waiting
        }
    }
}

extension ICECandidate {
    /// Where peers see datagrams of a local candidate come from if nothing stands in between; a name hides its base.
    fileprivate var expectedAddress: TransportAddress? { self.transportAddress ?? self.base }
}
