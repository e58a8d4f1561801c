import RTCSignaling

/// How long a receiver comes again after a failed attempt.
package struct ReconnectionPatience: Sendable {
    package enum Decision: Sendable, Hashable {
        /// Nothing is to be expected of another attempt.
        case giveUp
        /// The first that failed: another one follows.
        case begin
        /// One more that failed: another one follows.
        case goOn
    }

    /// How long a connection must have lasted, with all that led to it, for the time to begin anew after it.
    private static let lasting: Duration = .seconds(15)

    private let time: Duration
    private var deadline: ContinuousClock.Instant?
    private var everConnected = false

    /// - Parameter time: How long it is tried after the last connection.
    package init(_ time: Duration) { self.time = time }

    /// What follows an attempt that failed.
    ///
    /// - Parameters:
    ///   - error: What it ended with.
    ///   - start: When it began.
    ///   - wasConnected: Whether it reached the other side. An attempt that only lasted long, waiting for a way, was in vain.
    package mutating func decide(
        _ error: FileTransferError,
        after start: ContinuousClock.Instant,
        wasConnected: Bool,
        now: ContinuousClock.Instant
    ) -> Decision {
        if wasConnected {
            self.everConnected = true
            if now - start > Self.lasting { self.deadline = nil }
        }
        guard self.isWorthAnother(error) else { return .giveUp }
        let isFirst = self.deadline == nil
        let until = self.deadline ?? now + self.time
        self.deadline = until
        guard now < until else { return .giveUp }
        return isFirst ? .begin : .goOn
    }

    /// Whether what went wrong may go better in a moment.
    private func isWorthAnother(_ error: FileTransferError) -> Bool {
        switch error {
        case .lost, .noConnection: true
        // The server may not have noticed yet that this side's former connection is gone.
        case .mailbox(.busy, _), .mailbox(.absent, _): true
        case .signaling: self.everConnected
        default: false
        }
    }
}
