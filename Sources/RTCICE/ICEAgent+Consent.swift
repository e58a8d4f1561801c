internal import NIOCore
internal import RTCBase
internal import RTCSTUN

extension ICEAgent {
    /// Checks that go unanswered are remembered this long; answers after that are strangers'.
    private static let consentTiming = STUNTransaction.Timing(transmissions: 1, finalWait: 20)

    /// An authenticated message came over a pair: its path is alive.
    func noteHeard(_ pair: ICECheckPair, now: NIODeadline) {
        pair.lastHeardAt = now
        guard self.isDisconnected, pair === self.selected else { return }
        self.isDisconnected = false
    }

    /// The time to the next consent check, randomised (RFC 7675 section 5.1).
    func nextConsentInterval() -> TimeAmount {
        let average = self.configuration.consent.nanoseconds
        return .nanoseconds(Int64.random(in: average / 10 * 8...average / 10 * 12, using: &self.random))
    }

    /// Keeps consent fresh on the selected pair, and notices when the peer falls silent.
    func keepConsent(now: NIODeadline) {
        guard let pair = self.selected, self.state != .failed else { return }
        if let lastAnswer = pair.lastAnswerAt, lastAnswer + self.configuration.expiry <= now {
            self.loseConsent(of: pair)
            return
        }
        if self.configuration.isLite {
            // The peer's checks keep the path alive; a lite agent sends none (RFC 7675 section 4).
            self.isDisconnected = self.disconnection(of: pair).map { $0 <= now } ?? false
            return
        }
        if let due = pair.nextConsentAt, due <= now {
            pair.nextConsentAt = now + self.nextConsentInterval()
            self.sendConsentCheck(of: pair, now: now)
        }
        if let due = self.nextProbe(of: pair), due <= now {
            self.sendConsentCheck(of: pair, now: now)
        }
        if !self.isDisconnected, let due = self.disconnection(of: pair), due <= now { self.noteSilence(of: pair) }
    }

    /// The selected pair says nothing any more.
    func noteSilence(of pair: ICECheckPair) {
        self.isDisconnected = true
        self.reviveChecks(besides: pair)
    }

    private func sendConsentCheck(of pair: ICECheckPair, now: NIODeadline) {
        pair.statistics.consentRequestsSent += 1
        _ = self.sendCheck(of: pair, purpose: .consent, timing: Self.consentTiming, now: now)
        pair.nextProbeAt = now + self.configuration.probing
    }

    /// An answer is overdue: ask again soon, so that one lost datagram does not look like a lost peer.
    private func nextProbe(of pair: ICECheckPair) -> NIODeadline? {
        pair.unansweredSince == nil ? nil : pair.nextProbeAt
    }

    private func disconnection(of pair: ICECheckPair) -> NIODeadline? {
        if self.configuration.isLite {
            return pair.lastHeardAt.map { $0 + max(self.configuration.disconnection, self.configuration.consent * 3) }
        }
        guard let unanswered = pair.unansweredSince, let heard = pair.lastHeardAt else { return nil }
        let timeout = self.configuration.disconnection
        return max(heard + timeout, unanswered + .nanoseconds(timeout.nanoseconds / 2))
    }

    /// The selected pair is silent: others may have come to work (RFC 8445 has no rule; this is what a roaming peer
    /// needs).
    private func reviveChecks(besides silent: ICECheckPair) {
        guard silent.generation == self.current.number else { return }
        if self.current.nominating === silent {
            // Another pair may be nominated from here on; until then probes go on nominating this one.
            self.current.nominating = nil
            self.current.nominated = silent
            if let id = silent.transaction { self.checks[id] = nil }
            silent.transaction = nil
        }
        for pair in self.current.checklist where pair !== silent && !pair.isQueued {
            if let id = pair.transaction { self.checks[id] = nil }
            pair.transaction = nil
            pair.state = .waiting
        }
    }

    /// Consent expired: nothing may be sent over this pair any more (RFC 7675 section 5.1).
    private func loseConsent(of pair: ICECheckPair) {
        self.isDisconnected = false
        if pair.generation == self.current.number {
            self.giveUp()
        } else {
            // The new generation may still succeed.
            self.selected = nil
            self.forgetPrevious()
        }
    }

    var nextConsentTimeout: NIODeadline? {
        guard let pair = self.selected else { return nil }
        var deadlines = self.configuration.isLite ? [] : [pair.nextConsentAt, self.nextProbe(of: pair)]
        deadlines.append(pair.lastAnswerAt.map { $0 + self.configuration.expiry })
        if !self.isDisconnected { deadlines.append(self.disconnection(of: pair)) }
        return deadlines.compactMap { $0 }.min()
    }
}
