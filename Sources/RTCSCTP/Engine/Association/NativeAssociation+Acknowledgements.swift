internal import NIOCore

// What the peer has, and what follows from it (RFC 9260 sections 6.2.1, 6.3 and 7.2, RFC 8985).
extension NativeAssociation {
    private static let sackSize = 12

    func receiveSack(_ value: UnsafeRawBufferPointer) {
        guard value.count >= Self.sackSize, self.phase.carriesData || self.phase == .shutdownSent else { return }
        let blocks = Int(value.uint16(at: 8))
        guard value.count >= Self.sackSize + 4 * blocks else { return }
        var progress = OutstandingChunks.Progress()
        let inFlight = self.outstanding.bytesInFlight
        guard self.outstanding.acknowledge(through: value.uint32(at: 0), &progress, now: self.now) else { return }
        for index in 0..<blocks {
            let first = Int(value.uint16(at: Self.sackSize + 4 * index))
            let last = Int(value.uint16(at: Self.sackSize + 4 * index + 2))
            guard first <= last else { continue }
            self.outstanding.acknowledge(block: first...last, &progress, now: self.now)
        }
        self.lastSackAt = self.now
        self.digest(progress, window: Int(value.uint32(at: 4)), inFlightBefore: inFlight)
    }

    /// SHUTDOWN acknowledges too, without a window and gaps.
    func acknowledge(through number: UInt32) {
        var progress = OutstandingChunks.Progress()
        let inFlight = self.outstanding.bytesInFlight
        guard self.outstanding.acknowledge(through: number, &progress, now: self.now) else { return }
        self.digest(progress, window: self.peerWindow, inFlightBefore: inFlight)
    }

    private func digest(_ progress: OutstandingChunks.Progress, window: Int, inFlightBefore: Int) {
        if progress.bytes > 0 || progress.movedOn { self.errorCount = 0 }
        if let sample = progress.roundTrip {
            self.roundTrip.addSample(sample)
            self.congestion.measured(sample, least: self.roundTrip.least)
        }
        if progress.bytes > 0 {
            let isRecovering = self.outstanding.cumulative < self.recoveryEnd
            self.congestion.acknowledged(
                progress.bytes,
                highest: progress.highest,
                next: self.outstanding.next,
                wasLimited: self.isWindowFull && !isRecovering,
                roundTrip: self.roundTrip,
                now: self.now
            )
        }
        self.findLosses()
        // Both in bytes of user data with their headers: the peer counts less, so this errs on the safe side.
        self.peerWindow = max(0, window - self.outstanding.bytesInFlight)
        if self.outstanding.skip != nil { self.mustSkip = true }
        if progress.bytes > 0 || progress.movedOn { self.restartTimers() }
    }

    /// Finds losses, lowers the window once for those of a round, and gives up what must not be sent again.
    func findLosses() {
        let (lost, next) = self.outstanding.findLosses(leastRoundTrip: self.roundTrip.least, now: self.now)
        self.timers[.loss] = next
        guard lost > 0 else { return }
        self.congestion.noteLost(lost)
        if self.outstanding.cumulative >= self.recoveryEnd {
            self.recoveryEnd = self.outstanding.next - 1
            self.congestion.reduce(roundTrip: self.roundTrip)
        }
        self.abandonOverdue()
    }

    func abandonOverdue() {
        guard self.peer?.supportsForwardTSN == true else { return }
        for message in self.outstanding.abandonOverdue(now: self.now) { self.queue.dropRest(of: message) }
        if self.outstanding.skip != nil { self.mustSkip = true }
    }

    /// The time-outs count from the last progress (RFC 9260 section 6.3.2, RFC 8985 section 7.2).
    func restartTimers() {
        guard !self.outstanding.isEmpty else {
            self.timers[.retransmission] = nil
            self.timers[.probe] = nil
            self.timers[.loss] = nil
            return
        }
        self.timers[.retransmission] = self.now + self.roundTrip.timeout
        let isLone = self.outstanding.bytesInFlight <= self.configuration.packetSize
        let probe = self.now + self.roundTrip.probeTimeout(isLone: isLone)
        self.timers[.probe] = probe < self.timers[.retransmission] ?? probe ? probe : nil
    }
}
