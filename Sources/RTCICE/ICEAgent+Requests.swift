internal import NIOCore
internal import RTCBase
internal import RTCSTUN

extension ICEAgent {
    /// A peer's check (RFC 8445 section 7.3).
    func receiveRequest(_ message: STUNMessage, in datagram: RawSpan, path: ICEPath, now: NIODeadline) {
        guard let username = message.username(in: datagram), let generation = self.generation(named: username) else {
            self.counters.unknownUsername += 1
            return
        }
        guard message.hasValidIntegrity(in: datagram, key: generation.localKey) else {
            self.counters.badIntegrity += 1
            return
        }
        guard message.unknownComprehensionRequiredCount == 0 else {
            self.refuse(message, code: 420, reason: "Unknown Attribute", in: generation, path: path) { builder in
                builder.appendUnknownAttributes(message.unknownComprehensionRequired(in: datagram))
            }
            return
        }
        guard self.resolveRoleConflict(message) else {
            self.refuse(message, code: 487, reason: "Role Conflict", in: generation, path: path)
            return
        }
        let remoteUfrag = username.dropFirst(generation.localCredentials.ufrag.count + 1)
        guard Self.isPlausible(path.remote),
            self.accept(message, from: remoteUfrag, in: generation, path: path, now: now)
        else { return }
        self.noteValidated(path)
        self.answer(message, in: generation, path: path)
    }

    /// The generation whose ufrag the first part of a USERNAME is.
    private func generation(named username: String) -> ICEGeneration? {
        for generation in [self.current, self.previous].compactMap({ $0 }) {
            let ufrag = generation.localCredentials.ufrag
            guard username.utf8.count > ufrag.utf8.count, username.hasPrefix(ufrag) else { continue }
            let rest = username.utf8.dropFirst(ufrag.utf8.count)
            if rest.first == UInt8(ascii: ":") { return generation }
        }
        return nil
    }

    /// Notes what a check says; `false` if there is no room to remember it, in which case it stays unanswered.
    private func accept(
        _ message: STUNMessage,
        from remoteUfrag: Substring,
        in generation: ICEGeneration,
        path: ICEPath,
        now: NIODeadline
    ) -> Bool {
        let check = ICEGeneration.EarlyCheck(
            path: path,
            remoteUfrag: remoteUfrag,
            priority: message.priority ?? ICECandidate.priority(type: .peerReflexive, localPreference: 0),
            useCandidate: message.useCandidate,
            nomination: message.nomination
        )
        guard generation === self.current else {
            // A replaced generation only keeps its pairs alive.
            guard let pair = generation.pairs[path] else { return false }
            self.noteHeard(pair, now: now)
            return true
        }
        if self.state == .failed { return generation.pairs[path] != nil }
        if !self.canAct(on: check, in: generation) { return self.remember(check, in: generation) }
        return self.act(on: check, in: generation, now: now)
    }

    /// Whether both sides of a check are known: our candidate, and the sender's description. A sender with another ufrag than the
    /// one described is a peer that takes over, whose answer is under way.
    private func canAct(on check: ICEGeneration.EarlyCheck, in generation: ICEGeneration) -> Bool {
        guard let remote = generation.remoteCredentials, generation.localByBase[check.path.base] != nil else {
            return false
        }
        return remote.ufrag == check.remoteUfrag || generation.pairs[check.path] != nil
    }

    private func remember(_ check: ICEGeneration.EarlyCheck, in generation: ICEGeneration) -> Bool {
        if let index = generation.earlyChecks.firstIndex(where: {
            $0.path == check.path && $0.remoteUfrag == check.remoteUfrag
        }) {
            generation.earlyChecks[index].useCandidate =
                generation.earlyChecks[index].useCandidate || check.useCandidate
            return true
        }
        guard generation.earlyChecks.count < self.configuration.maximumEarlyChecks else {
            self.counters.overLimit += 1
            return false
        }
        generation.earlyChecks.append(check)
        return true
    }

    /// Acts upon the checks that came too early, as far as that is possible now.
    func replayEarlyChecks(now: NIODeadline) {
        let generation = self.current
        guard generation.remoteCredentials != nil, !generation.earlyChecks.isEmpty else { return }
        let early = generation.earlyChecks
        generation.earlyChecks = early.filter { !self.canAct(on: $0, in: generation) }
        for check in early where self.canAct(on: check, in: generation) {
            _ = self.act(on: check, in: generation, now: now)
        }
    }

    /// Pairs the sender's address, checks the pair in turn and follows a nomination (RFC 8445 sections 7.3.1.3 to
    /// 7.3.1.5).
    private func act(on check: ICEGeneration.EarlyCheck, in generation: ICEGeneration, now: NIODeadline) -> Bool {
        let path = check.path
        let pair: ICECheckPair
        if let known = generation.pairs[path] {
            pair = known
        } else {
            guard let remote = self.remoteCandidate(at: path.remote, priority: check.priority, in: generation),
                let made = self.makePair(base: path.base, remote: remote, in: generation)
            else { return false }
            pair = made
        }
        pair.statistics.requestsReceived += 1
        pair.lastRequestAt = now
        self.noteHeard(pair, now: now)
        if self.configuration.isLite {
            // A lite agent takes the full one's word (RFC 8445 section 7.3.2).
            pair.state = .succeeded
            pair.lastAnswerAt = now
            if generation.firstValidAt == nil { generation.firstValidAt = now }
        } else if pair.state != .succeeded {
            // Whatever hindered our earlier check, the peer's has opened the way.
            if pair.state != .inProgress { pair.state = .waiting }
            self.enqueueTriggeredCheck(of: pair)
        }
        self.noteNomination(of: pair, useCandidate: check.useCandidate, number: check.nomination, now: now)
        return true
    }

    // MARK: Answers

    private func answer(_ message: STUNMessage, in generation: ICEGeneration, path: ICEPath) {
        var builder = STUNMessageBuilder(.successResponse, .binding, message.transactionID)
        builder.append(.xorMappedAddress, address: path.remote)
        builder.appendIntegrity(generation.localKey)
        builder.appendFingerprint()
        generation.pairs[path]?.statistics.responsesSent += 1
        self.transmit(builder.finish(), over: path, kind: .response)
    }

    private func refuse(
        _ message: STUNMessage,
        code: Int,
        reason: String,
        in generation: ICEGeneration,
        path: ICEPath,
        _ more: (inout STUNMessageBuilder) -> Void = { _ in }
    ) {
        var builder = STUNMessageBuilder(.errorResponse, .binding, message.transactionID)
        builder.appendErrorCode(code, reason: reason)
        more(&builder)
        builder.appendIntegrity(generation.localKey)
        builder.appendFingerprint()
        self.transmit(builder.finish(), over: path, kind: .response)
    }

    /// Resolves a role conflict in our disfavour by switching; `false` if the peer must switch (RFC 8445 section
    /// 7.3.1.1).
    private func resolveRoleConflict(_ message: STUNMessage) -> Bool {
        switch self.role {
        case .controlling:
            guard let theirs = message.iceControlling else { return true }
            self.counters.roleConflicts += 1
            // A lite peer cannot be the controlling one.
            if self.tieBreaker >= theirs || self.current.remoteIsLite { return false }
        case .controlled:
            guard let theirs = message.iceControlled else { return true }
            self.counters.roleConflicts += 1
            // A lite agent cannot take the other role.
            if self.configuration.isLite { return false }
            if self.tieBreaker < theirs { return false }
        }
        self.changeRole(to: self.role.opposite)
        return true
    }
}
