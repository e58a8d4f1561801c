public import NIOCore

/// How a member leaves.
extension RoomSession {
    /// Leaves once everything that ``send(_:to:now:)`` took was sent, at the server's pace and on the next channel if there is none, but
    /// within ``RoomClientConfiguration/leaveTimeout``. Until then the membership goes on, and nothing more is taken.
    ///
    /// ``RoomEvent/ended(_:)`` says ``RoomError/unsent(messages:)`` if some was not. The others see it at once if there is a channel, else
    /// when the place is not kept any more. Does nothing when it is leaving or over.
    public mutating func leave(now: NIODeadline) {
        guard self.leaveDue == nil, self.phase != .ended else { return }
        self.leaveDue = now + self.configuration.leaveTimeout
        self.leaveIfSent(now)
    }

    /// What waits and is on its way on no channel.
    private var unsentCount: Int { self.queue.count - self.sentCount }

    /// What the end says of leaving.
    var leavingError: RoomError? { self.unsentCount > 0 ? .unsent(messages: self.unsentCount) : nil }

    /// Leaves if that is wanted and nothing waits any more, or has waited for too long.
    mutating func leaveIfSent(_ now: NIODeadline) {
        guard let due = self.leaveDue, self.phase != .ended, self.unsentCount == 0 || due <= now else { return }
        switch self.phase {
        case .joined:
            // The last words need none of the pace's reserve.
            self.transmitQueued(now, isLast: true)
            self.transmit(ClientFrame.leave.text)
        case .joining: self.transmit(ClientFrame.leave.text)
        case .idle, .opening, .resuming, .waiting, .ended: break
        }
        self.end(nil)
    }
}
