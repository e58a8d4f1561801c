internal import NIOCore

/// When a message is given up, as a time and a number.
struct AbandonmentRule {
    /// The time after which it is not sent any more. One without any time is sent at once or never.
    var expiresAt: NIODeadline?
    /// How often each of its chunks may be sent again.
    var retransmissions: Int?

    init(_ reliability: SCTPReliability, now: NIODeadline) {
        switch reliability {
        case .reliable: break
        case .retransmissions(let count): self.retransmissions = Int(count)
        case .lifetime(let milliseconds): self.expiresAt = now + .milliseconds(Int64(milliseconds))
        }
    }

    /// Whether a chunk that was sent so often is not to be sent again.
    func isOver(transmissions: Int, now: NIODeadline) -> Bool {
        if let expiresAt = self.expiresAt, expiresAt < now { return true }
        guard let retransmissions = self.retransmissions else { return false }
        return transmissions > retransmissions
    }

    var isReliable: Bool { self.expiresAt == nil && self.retransmissions == nil }
}

/// A message that was accepted and has not been sent, or not all of it.
struct OutgoingMessage {
    /// What is still to be sent.
    var rest: ByteBuffer
    var number: Int64
    var stream: UInt16
    /// Its place in its stream, from the first chunk on.
    var sequence: UInt16 = 0
    var payloadProtocol: UInt32
    var isOrdered: Bool
    var rule: AbandonmentRule
    /// Whether a part of it was sent.
    var isBegun = false
}
