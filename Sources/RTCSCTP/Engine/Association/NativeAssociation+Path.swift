internal import NIOCore

// The path under the association, of which only its owner knows: it may fall silent, come back and be another one.
extension NativeAssociation {
    func pathResumed(isAnother: Bool) {
        guard self.phase != .closed, self.phase != .ended else { return }
        let wasSilent = self.errorCount > 0 || self.initTries > 0
        if isAnother {
            self.beginPath()
        } else {
            self.roundTrip.forgetBackOff()
        }
        // Who is heard again has not failed to answer (RFC 9260 section 8.3).
        self.errorCount = 0
        self.isGraceUsed = false
        self.resumeData(isSurelyLost: wasSilent)
        self.resumeRequests(isLost: wasSilent)
    }

    /// Nothing that was measured of one path is true of another.
    private func beginPath() {
        let limit = self.congestion.limit
        self.congestion = CongestionControl(self.configuration)
        self.congestion.limit = limit
        self.roundTrip.reset()
        self.outstanding.forgetPath()
        self.isWindowFull = false
    }

    /// Data that a time-out has found missing is sent again at once. Other data may have arrived, by the old path too: the last of it asks
    /// the peer what it has. The window grows meanwhile, as after a time-out: what is missing may be much more than it.
    private func resumeData(isSurelyLost: Bool) {
        guard !self.outstanding.isEmpty else { return }
        self.timers[.loss] = nil
        self.timers[.probe] = nil
        self.timers[.retransmission] = self.now + self.roundTrip.timeout
        self.recoveryEnd = self.outstanding.next - 1
        self.isRecoveringFromTimeout = true
        guard isSurelyLost else {
            self.mustProbe = true
            return
        }
        self.outstanding.markAllLost()
        self.abandonOverdue()
        self.skipTold = nil
        self.noteSkip()
    }

    /// What waits for its own time-out is due.
    private func resumeRequests(isLost: Bool) {
        if isLost { self.initTries = 0 }
        for kind in [Timers.Kind.handshake, .reconfiguration, .shutdown] where self.timers[kind] != nil {
            self.timers[kind] = isLost ? self.now : self.now + self.roundTrip.timeout
        }
        guard self.timers[.heartbeatAnswer] != nil else { return }
        self.timers[.heartbeatAnswer] = nil
        self.sendHeartbeat()
    }
}
