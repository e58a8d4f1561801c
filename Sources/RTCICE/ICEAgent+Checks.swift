internal import NIOCore
internal import RTCBase
internal import RTCSTUN

extension ICEAgent {
    /// Whether ordinary checks go on: until a pair is nominated, and again while the nominated one is silent.
    private var mayCheck: Bool {
        guard self.state != .failed, self.state != .closed, self.current.remoteCredentials != nil,
            !self.configuration.isLite
        else { return false }
        if self.isDisconnected && self.selected?.generation == self.current.number { return true }
        if self.current.nominating != nil { return false }
        guard let nominated = self.current.nominated else { return true }
        // A better pair can still be nominated after this one. The controlled side checks it too, because a NAT lets in
        // whom somebody inside has sent to.
        guard self.current.renominates, let next = self.current.nextOrdinaryPair() else { return false }
        return next.priority > nominated.priority
    }

    /// Sends the checks that are due: triggered ones at once, ordinary ones one per Ta (RFC 8445 section 6.1.4.2).
    func runChecks(now: NIODeadline) {
        guard self.state != .failed, self.current.remoteCredentials != nil else { return }
        self.runTriggeredChecks(now: now)
        guard self.mayCheck, self.nextOrdinaryCheckAt <= now, let pair = self.current.nextOrdinaryPair() else { return }
        self.startCheck(of: pair, purpose: .connectivity, now: now)
    }

    /// Triggered checks answer to the peer's, whose pace is theirs; only one pair's own checks keep apart by Ta.
    private func runTriggeredChecks(now: NIODeadline) {
        guard !self.current.triggered.isEmpty else { return }
        var later: [ICECheckPair] = []
        for pair in self.current.triggered {
            guard pair.state != .succeeded else {
                pair.isQueued = false
                continue
            }
            if let last = pair.lastCheckAt, now < last + self.configuration.pacing {
                later.append(pair)
            } else {
                pair.isQueued = false
                self.startCheck(of: pair, purpose: .connectivity, now: now)
            }
        }
        self.current.triggered = later
    }

    func enqueueTriggeredCheck(of pair: ICECheckPair) {
        guard !pair.isQueued else { return }
        pair.isQueued = true
        self.current.triggered.append(pair)
    }

    /// Starts a check of a pair; an earlier one of it is no longer retransmitted, but may still be answered.
    func startCheck(of pair: ICECheckPair, purpose: Check.Purpose, now: NIODeadline) {
        guard let generation = self.generation(of: pair) else { return }
        if let earlier = pair.transaction {
            self.checks[earlier]?.transaction.stopRetransmitting(now: now, waitAtMost: .seconds(5))
        }
        let timing = pair.isTCP ? self.configuration.tcpTiming : self.checkTiming(for: generation)
        guard let id = self.sendCheck(of: pair, purpose: purpose, timing: timing, now: now) else { return }
        pair.transaction = id
        if pair.state != .succeeded { pair.state = .inProgress }
        pair.statistics.requestsSent += 1
        self.nextOrdinaryCheckAt = now + self.configuration.pacing
    }

    /// RTO = MAX (500 ms, Ta * (number of waiting and in-progress pairs)) (RFC 8445 section 14.3).
    private func checkTiming(for generation: ICEGeneration) -> STUNTransaction.Timing {
        let active = generation.checklist.reduce(0) { count, pair in
            count + (pair.state == .waiting || pair.state == .inProgress ? 1 : 0)
        }
        var timing = self.configuration.checkTiming
        timing.initialInterval = max(timing.initialInterval, self.configuration.pacing * active)
        return timing
    }

    /// Builds a check, sends it and waits for its answer.
    func sendCheck(
        of pair: ICECheckPair,
        purpose: Check.Purpose,
        timing: STUNTransaction.Timing,
        now: NIODeadline
    ) -> STUNTransactionID? {
        guard let generation = self.generation(of: pair), let remote = generation.remoteCredentials,
            let key = generation.remoteKey
        else { return nil }
        let id = STUNTransactionID.random(using: &self.random)
        var builder = STUNMessageBuilder(.request, .binding, id)
        builder.append(.username, text: "\(remote.ufrag):\(generation.localCredentials.ufrag)")
        builder.append(.priority, integer: pair.local.peerReflexivePriority)
        builder.append(self.role == .controlling ? .iceControlling : .iceControlled, integer: self.tieBreaker)
        // A controlling agent selects what it nominates, so each check of the selected pair says so again.
        if purpose != .connectivity && self.role == .controlling {
            builder.append(.useCandidate)
            if generation.renominates { builder.append(.nomination, integer: generation.nominationNumber) }
        }
        builder.appendIntegrity(key)
        builder.appendFingerprint()
        let transaction = STUNTransaction(id: id, request: builder.finish(), timing: timing, now: now)
        self.checks[id] = Check(transaction: transaction, pair: pair, purpose: purpose, role: self.role)
        pair.lastCheckAt = now
        if pair.unansweredSince == nil { pair.unansweredSince = now }
        self.transmit(transaction.request, over: pair.path, kind: .check(id))
        return id
    }

    /// Retransmits and gives up what is due.
    func handleCheckTimeouts(now: NIODeadline) {
        let due = self.checks.filter { entry in
            entry.value.transaction.nextTimeout.map { $0 <= now } ?? true
        }
        for var check in due.values.sorted(by: { $0.pair.priority > $1.pair.priority }) {
            let id = check.transaction.id
            switch check.transaction.handleTimeout(now: now) {
            case .wait:
                // Nothing is due and nothing ever will be: it only takes up room.
                if check.transaction.nextTimeout == nil { self.checks[id] = nil }
            case .retransmit:
                self.checks[id] = check
                check.pair.statistics.requestsSent += 1
                self.transmit(check.transaction.request, over: check.pair.path, kind: .check(id))
            case .fail:
                self.checks[id] = nil
                if check.pair.transaction == id {
                    self.fail(check.pair, check.pair.sendFailure.map { .notSent($0) } ?? .noAnswer)
                }
            }
        }
    }

    /// A pair's check failed (RFC 8445 section 7.2.5.2).
    func fail(_ pair: ICECheckPair, _ reason: ICEPairFailure) {
        pair.transaction = nil
        pair.failure = reason
        guard let generation = self.generation(of: pair) else { return }
        if generation.nominating === pair {
            generation.nominating = nil
            pair.state = .failed
            // Chosen in the hope that the nomination would be confirmed.
            if self.selected === pair { self.selected = nil }
        } else if pair.state == .inProgress {
            pair.state = .failed
        }
    }

    /// Lets go of checks that no longer matter: a pair is nominated (RFC 8445 section 8.1.1).
    func concludeChecks(of generation: ICEGeneration, except nominated: ICECheckPair, now: NIODeadline) {
        // A peer that nominates several pairs has the best of them in mind, so those must still be tried.
        for pair in generation.triggered where !pair.awaitsNomination { pair.isQueued = false }
        generation.triggered.removeAll { !$0.isQueued }
        let keepsBetter = generation.renominates
        for pair in generation.checklist
        where pair !== nominated && pair.state == .inProgress && !pair.awaitsNomination
            && !(keepsBetter && pair.priority > nominated.priority)
        {
            if let id = pair.transaction {
                self.checks[id]?.transaction.stopRetransmitting(now: now, waitAtMost: .seconds(5))
            }
            pair.transaction = nil
            pair.state = .frozen
        }
    }

    // MARK: Roles

    func changeRole(to role: ICERole) {
        guard role != self.role else { return }
        self.role = role
        for generation in [self.current, self.previous].compactMap({ $0 }) {
            for pair in generation.checklist { pair.updatePriority(role: role) }
            generation.sortChecklist()
            if role == .controlled, let nominating = generation.nominating {
                generation.nominating = nil
                if self.selected === nominating && !nominating.isNominated { self.selected = nil }
            }
        }
        self.emit(.roleChanged(role))
    }

    // MARK: Time

    func computeNextTimeout() -> NIODeadline? {
        guard self.state != .closed else { return nil }
        var next = self.checks.values.compactMap(\.transaction.nextTimeout).min()
        func consider(_ deadline: NIODeadline?) {
            guard let deadline else { return }
            next = min(next ?? deadline, deadline)
        }
        consider(self.nextGatheringTimeout)
        consider(self.previous?.expiresAt)
        guard self.state != .failed else { return next }
        for pair in self.current.triggered { consider(pair.lastCheckAt.map { $0 + self.configuration.pacing }) }
        if self.mayCheck, self.current.nextOrdinaryPair() != nil { consider(self.nextOrdinaryCheckAt) }
        consider(self.nextNominationAt)
        consider(self.nextConsentTimeout)
        consider(self.nextFailureAt)
        return next
    }
}
