public import NIOCore
public import RTCBase

extension ICEAgent {
    /// Says that the system could not send a datagram along a path.
    ///
    /// It is counted, and a check that ends without an answer has failed for this reason. One failure may be chance; a selected pair that
    /// owes an answer is asked again soon, and if that cannot be sent either the pair counts as silent, without waiting for consent to
    /// expire: others are tried.
    public func sendFailed(
        _ failure: ICESendFailure,
        remote: TransportAddress,
        base: TransportAddress,
        now: NIODeadline
    ) {
        guard self.state != .closed, self.state != .failed else { return }
        let path = ICEPath(base: base, remote: remote)
        for generation in [self.current, self.previous].compactMap({ $0 }) {
            guard let pair = generation.pairs[path] else { continue }
            pair.statistics.sendFailures += 1
            pair.sendFailure = failure
            pair.sendFailuresInARow += 1
            guard pair === self.selected, pair.sendFailuresInARow > 1, !self.isDisconnected, !self.configuration.isLite
            else { continue }
            self.noteSilence(of: pair)
        }
        self.settle(now: now)
    }

    /// Checks the selected pair at once if it uses this address, whose socket is in trouble; does nothing while an answer is due already.
    public func checkSelectedPair(base: TransportAddress, now: NIODeadline) {
        guard let pair = self.selected, pair.path.base == base, pair.unansweredSince == nil, self.state != .failed,
            !self.configuration.isLite
        else { return }
        pair.nextConsentAt = now
        self.keepConsent(now: now)
        self.settle(now: now)
    }
}
