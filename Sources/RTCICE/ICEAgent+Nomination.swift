internal import NIOCore
internal import RTCBase
internal import RTCSTUN

extension ICEAgent {
    // MARK: Controlling

    /// Nominates once it is clear which pair (RFC 8445 section 8.1.1).
    func considerNomination(now: NIODeadline) {
        guard self.role == .controlling, self.state != .failed, self.state != .closed,
            self.current.nominating == nil, let best = self.nominationCandidate
        else { return }
        if self.isWorthWaiting(beyond: best), let first = self.current.firstValidAt,
            now < first + self.nominationDelay(of: best)
        {
            return
        }
        self.current.nominating = best
        self.current.nominationNumber += 1
        self.startCheck(of: best, purpose: .nomination, now: now)
        // RFC 8445 section 12.1.1 lets data go over any valid pair; the one being nominated saves a round trip.
        best.nextProbeAt = now + self.configuration.probing
        self.select(best, now: now)
    }

    /// The pair to nominate: the best that works, unless one is nominated and alive.
    private var nominationCandidate: ICECheckPair? {
        guard let nominated = self.current.nominated else { return self.current.bestValidPair }
        guard self.isDisconnected, self.selected === nominated else {
            guard self.current.renominates, let best = self.current.bestValidPair, best.priority > nominated.priority
            else { return nil }
            return best
        }
        // Whatever has answered after the nominated one fell silent.
        return self.current.checklist.first { pair in
            pair !== nominated && pair.state == .succeeded
                && (pair.lastAnswerAt ?? .distantPast) > (nominated.lastHeardAt ?? .distantPast)
        }
    }

    private func isWorthWaiting(beyond best: ICECheckPair) -> Bool {
        guard !self.isDisconnected else { return false }
        return self.current.checklist.contains { pair in
            pair.priority > best.priority && (pair.isRelayed == best.isRelayed || best.isRelayed)
                && (pair.state == .waiting || pair.state == .inProgress || pair.state == .frozen)
        }
    }

    var nextNominationAt: NIODeadline? {
        guard self.role == .controlling, self.current.nominating == nil, self.current.nominated == nil,
            let best = self.current.bestValidPair
        else { return nil }
        return self.current.firstValidAt.map { $0 + self.nominationDelay(of: best) }
    }

    private func nominationDelay(of pair: ICECheckPair) -> TimeAmount {
        pair.isRelayed
            ? max(self.configuration.nominationDelay, self.configuration.relayNominationDelay)
            : self.configuration.nominationDelay
    }

    // MARK: Controlled

    /// Notes whether a peer's check nominates, and follows it if it is news (RFC 8445 section 7.3.1.5).
    func noteNomination(of pair: ICECheckPair, useCandidate: Bool, number: UInt32?, now: NIODeadline) {
        var useCandidate = useCandidate
        var isNew = useCandidate && !pair.lastRequestNominated
        if let number, useCandidate {
            // The latest nomination counts, in whatever order they arrive.
            let highest = self.current.highestNomination
            useCandidate = number >= highest ?? 0
            isNew = highest.map { number > $0 } ?? true
            self.current.highestNomination = max(number, highest ?? 0)
        }
        if pair.statistics.requestsReceived == 1 { pair.isAggressivelyNominated = useCandidate && number == nil }
        pair.lastRequestNominated = useCandidate
        guard useCandidate, self.role == .controlled else { return }
        if pair.state == .succeeded {
            self.follow(pair, isNew: isNew, in: self.current, now: now)
        } else {
            pair.awaitsNomination = true
        }
    }

    /// Follows the nomination of a pair that works.
    ///
    /// A peer that checks first and nominates later means its latest choice. One that nominates with every check
    /// (RFC 5245's aggressive nomination) means the best of those that work.
    func follow(_ pair: ICECheckPair, isNew: Bool, in generation: ICEGeneration, now: NIODeadline) {
        let wins: Bool
        if let selected = self.selected, selected !== pair, selected.generation == generation.number {
            // A peer that uses the selected pair checks it every few seconds. One that does not has moved, even if a
            // nomination that arrived out of order has hidden that.
            let isForsaken = (selected.lastRequestAt ?? now) + 2 * self.configuration.consent < now
            wins =
                self.isDisconnected || isForsaken
                || isNew && (!pair.isAggressivelyNominated || pair.priority > selected.priority)
        } else {
            wins = true
        }
        pair.isNominated = true
        guard wins else { return }
        self.conclude(with: pair, in: generation, now: now)
    }

    // MARK: Both

    func conclude(with pair: ICECheckPair, in generation: ICEGeneration, now: NIODeadline) {
        pair.isNominated = true
        let isNew = generation.nominated !== pair
        generation.nominated = pair
        if isNew { self.concludeChecks(of: generation, except: pair, now: now) }
        self.select(pair, now: now)
    }

    /// Sends data over this pair from now on.
    func select(_ pair: ICECheckPair, now: NIODeadline) {
        guard self.selected !== pair else { return }
        if self.isDisconnected, let silent = self.selected { self.leave(silent) }
        self.selected = pair
        self.isDisconnected = false
        pair.nextConsentAt = now + self.nextConsentInterval()
        pair.lastAnswerAt = pair.lastAnswerAt ?? now
        pair.lastHeardAt = pair.lastHeardAt ?? now
        if pair.generation == self.current.number, let previous = self.previous, previous.expiresAt == nil {
            previous.expiresAt = now + self.configuration.expiry
        }
        self.emit(.selectedPairChanged(pair.publicPair))
    }

    /// Another pair takes the place of one that fell silent.
    private func leave(_ silent: ICECheckPair) {
        if silent.failure == .connectionClosed, silent.remote.type == .peerReflexive,
            let generation = self.generation(of: silent)
        {
            // The peer's next connection comes from another port.
            self.discard(silent, of: generation)
            generation.forgetPeerReflexive(silent.path.remote)
        } else if !self.configuration.isLite, silent.state == .succeeded {
            // It must answer anew before it is chosen again.
            if let id = silent.transaction { self.checks[id] = nil }
            silent.transaction = nil
            silent.state = .frozen
        }
    }

    // MARK: State

    func updateState(now: NIODeadline) {
        guard self.state != .closed, self.state != .failed else { return }
        if let failure = self.nextFailureAt, failure <= now {
            self.giveUp()
            return
        }
        guard let selected = self.selected else {
            let hasBegun = self.current.remoteCredentials != nil && !self.current.remoteCandidates.isEmpty
            if hasBegun || self.state != .new { self.setState(.checking) }
            return
        }
        let isOld = selected.generation != self.current.number
        if self.isDisconnected {
            // A restart forgets that connectivity was lost (W3C webrtc-pc, RTCIceTransportState).
            self.setState(isOld ? .checking : .disconnected)
        } else if !isOld && selected.isNominated && self.current.remoteIsComplete
            && self.gatheringState == .complete
        {
            self.setState(.completed)
        } else {
            self.setState(.connected)
        }
    }

    /// When to give up unless something works until then; the past if now (RFC 8863 section 4).
    var nextFailureAt: NIODeadline? {
        guard self.selected == nil, let startedAt = self.current.startedAt, self.state != .failed else { return nil }
        let patience = startedAt + self.configuration.patience
        // A lite agent has no checks of its own to wait for.
        let isActive =
            !self.configuration.isLite
            && self.current.checklist.contains { pair in
                pair.state == .inProgress || pair.state == .waiting || pair.isQueued
                    || pair.state == .frozen
            }
        guard !isActive, self.current.nominating == nil else { return nil }
        // A peer that talks to us over a pair that works may still nominate it.
        let heard = self.current.checklist.filter { $0.state == .succeeded }.compactMap(\.lastHeardAt).max()
        guard let heard else { return patience }
        return max(patience, heard + self.configuration.expiry)
    }

    func giveUp() {
        self.checks.removeAll()
        self.current.triggered.removeAll()
        self.previous = nil
        for pair in self.current.checklist where pair.state != .succeeded { pair.state = .failed }
        self.setState(.failed)
    }
}
