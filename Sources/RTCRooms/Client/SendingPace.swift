import NIOCore
import RTCBase

/// When a member may send the next message so that its server does not cut it off for sending too much.
///
/// It keeps the books that the server keeps of it (``RoomConfiguration/messageRate`` and so on), a tenth lower: messages that leave
/// evenly do not arrive so.
struct SendingPace: Sendable {
    private let limits: SendingLimits
    private var messages: RateBucket
    private var bytes: RateBucket

    /// A pace at which nothing was sent yet.
    init(_ limits: SendingLimits, now: NIODeadline) {
        self.limits = limits
        self.messages = RateBucket(burst: limits.messageBurst, now: now)
        self.bytes = RateBucket(burst: limits.byteBurst, now: now)
    }

    /// Takes what a message costs, if it may go now.
    ///
    /// - Parameter isLast: Whether nothing but a last word follows, so that no reserve is needed.
    /// - Returns: When it may go; nil if it was taken.
    mutating func take(bytes count: Int, isLast: Bool = false, now: NIODeadline) -> NIODeadline? {
        let (messageRate, byteRate) = (Self.reduced(self.limits.messageRate), Self.reduced(self.limits.byteRate))
        let (messageBurst, byteBurst) = (self.limits.messageBurst, self.limits.byteBurst)
        // What a server never takes goes when the books are as good as they get: it says what it thinks of it.
        let message = min(messageBurst, 1 + (isLast ? 1 : messageBurst / 10))
        let byte = min(byteBurst, count + (isLast ? Self.lastWord : byteBurst / 10))
        let wait = max(
            self.messages.wait(for: message, rate: Double(messageRate), burst: messageBurst, now: now),
            self.bytes.wait(for: byte, rate: Double(byteRate), burst: byteBurst, now: now)
        )
        guard wait == .zero else { return now + wait }
        self.messages.spend(1)
        self.bytes.spend(count)
        return nil
    }

    /// Whether a message may be on its way beside those that the server has not acknowledged: whatever held them up, they may arrive at once.
    func allows(bytes count: Int, besideMessages messages: Int, bytes: Int) -> Bool {
        messages == 0
            || messages < Self.reduced(self.limits.messageBurst) && bytes + count <= Self.reduced(self.limits.byteBurst)
    }

    /// Notes what was sent without asking: words of the protocol itself, which cost bytes.
    mutating func note(bytes count: Int) { self.bytes.spend(count) }

    /// The bytes of a last word.
    private static let lastWord = 64

    private static func reduced(_ rate: Int) -> Int { max(1, rate - rate / 10) }
}
