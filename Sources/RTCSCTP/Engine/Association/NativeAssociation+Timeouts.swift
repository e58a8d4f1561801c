internal import NIOCore

extension NativeAssociation {
    /// A host that was busy sees its timers late, with the answers still in its sockets: they get so much longer.
    private static let grace = TimeAmount.milliseconds(20)

    var nextTimeout: NIODeadline? {
        guard self.phase != .ended, self.phase != .closed else { return nil }
        var next = self.timers.next
        if let deadline = self.acknowledgement.deadline { next = min(next ?? deadline, deadline) }
        return next
    }

    func handleTimeout() {
        guard self.phase != .ended, self.phase != .closed else { return }
        self.acknowledgement.expire(now: self.now)
        if let deadline = self.timers[.retransmission], self.now - deadline > Self.grace {
            self.timers[.retransmission] = self.now + Self.grace
        }
        while self.phase != .ended, let kind = self.timers.takeDue(now: self.now) { self.expire(kind) }
    }

    private func expire(_ kind: Timers.Kind) {
        switch kind {
        case .handshake: self.handshakeTimedOut()
        case .retransmission: self.retransmissionTimedOut()
        case .loss: self.findLosses()
        case .probe: if !self.outstanding.isEmpty { self.mustProbe = true }
        case .reconfiguration: self.reconfigurationTimedOut()
        case .shutdown: self.shutdownTimedOut()
        case .shutdownGuard: self.giveUpShutdown()
        case .heartbeat: self.heartbeatIsDue()
        case .heartbeatAnswer: if self.countError() { self.sendHeartbeat() }
        }
    }

    private func heartbeatIsDue() {
        // Data in either direction tells as much.
        guard self.outstanding.isEmpty, self.phase == .established else { return self.scheduleHeartbeat() }
        self.sendHeartbeat()
    }

    /// Counts that the peer did not answer (section 8.1).
    ///
    /// - Returns: Whether the association goes on.
    func countError() -> Bool {
        self.errorCount += 1
        guard self.errorCount > self.configuration.tuning.maximumRetransmissions else { return true }
        self.lose(cause: nil)
        return false
    }

    /// T3-rtx (section 6.3.3): everything under way counts as lost.
    private func retransmissionTimedOut() {
        guard !self.outstanding.isEmpty else { return }
        // A peer that answers and has no room is not lost (section 6.1, rule A).
        let isProbingWindow =
            self.peerWindow < self.configuration.packetSize && self.now - self.lastSackAt < .seconds(30)
        if !isProbingWindow {
            guard self.countError() else { return }
            self.congestion.timedOut()
        }
        self.roundTrip.backOff()
        self.outstanding.markAllLost()
        self.abandonOverdue()
        if self.outstanding.skip != nil { self.mustSkip = true }
        self.recoveryEnd = self.outstanding.next - 1
        self.timers[.loss] = nil
        self.timers[.probe] = nil
        self.timers[.retransmission] = self.now + self.roundTrip.timeout
    }
}
