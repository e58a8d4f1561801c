internal import NIOCore

/// When an acknowledgement is due (RFC 9260 section 6.2).
///
/// Packets are made once for each burst that was read, so one acknowledgement answers a burst of any size; a lone packet waits
/// for a second one, or for the delay.
struct AcknowledgementPolicy {
    /// How long a lone packet waits.
    static let delay = TimeAmount.milliseconds(20)

    /// Whether one is due now.
    var isUrgent = false
    /// Packets with data since the last one.
    private(set) var packets = 0
    /// When one is due for a lone packet.
    private(set) var deadline: NIODeadline?

    var isDue: Bool { self.isUrgent || self.packets >= 2 }
    var isPending: Bool { self.isUrgent || self.packets > 0 }

    mutating func notePacket(now: NIODeadline) {
        self.packets += 1
        if self.deadline == nil { self.deadline = now + Self.delay }
    }

    mutating func expire(now: NIODeadline) {
        guard let deadline = self.deadline, deadline <= now else { return }
        self.isUrgent = true
    }

    mutating func noteSent() { self = AcknowledgementPolicy() }
}
