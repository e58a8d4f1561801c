import NIOCore

/// How much of what a stream sends are packets sent again, as of the last second or so.
///
/// A path that is too narrow loses packets, and sending them again makes it narrower still: what they take is not the encoder's.
struct RetransmissionShare {
    /// 0 to a half: an encoder needs something to work with.
    private(set) var value = 0.0
    private var last: (sent: UInt64, retransmitted: UInt64, instant: NIODeadline)?

    /// Takes the bytes that were sent so far for the first time, and again.
    mutating func update(sent: UInt64, retransmitted: UInt64, now: NIODeadline) {
        guard let last = self.last else {
            self.last = (sent, retransmitted, now)
            return
        }
        guard now - last.instant >= Self.interval else { return }
        self.last = (sent, retransmitted, now)
        let again = Double(retransmitted &- last.retransmitted)
        let total = Double(sent &- last.sent) + again
        let present = total > 0 ? again / total : 0
        self.value = min(Self.most, (self.value + present) / 2)
    }

    private static let interval = TimeAmount.milliseconds(500)
    private static let most = 0.5
}
