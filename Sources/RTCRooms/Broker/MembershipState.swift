import NIOCore
import RTCBase

/// A channel of a server of rooms.
struct RoomConnection: Sendable {
    enum Phase: Sendable {
        /// It has not said what it wants.
        case new
        /// Its owner decides.
        case deciding(JoinRequest, RoomName)
        case member(RoomMemberID)
    }

    var phase = Phase.new
    /// Whether it tried to go on as a member.
    var hasResumed = false
}

/// A member of a room, with what it must be able to come back to.
struct Membership: Sendable {
    /// A frame that may have to be sent again.
    struct Kept: Sendable {
        var tail: String
        var size: Int { self.tail.utf8.count }
    }

    let token: String
    let room: RoomName
    let metadata: JSONValue
    /// Its channel; nil while it has none.
    var connection: RoomConnectionID?
    var messages: RateBucket
    var bytes: RateBucket

    /// The number of the last frame to it.
    var lastNumber = 0
    /// The last frames, without those that came for sure.
    var kept = CircularBuffer<Kept>(initialCapacity: 0)
    var keptBytes = 0

    /// The number of its last message.
    var received = 0
    /// How many of its messages came since it was told that they do.
    var unacknowledged = 0
    /// When it must be told at the latest.
    var acknowledgementDue: NIODeadline?
    /// When it loses its place.
    var gone: NIODeadline?

    var nextTimeout: NIODeadline? { [self.acknowledgementDue, self.gone].compactMap { $0 }.min() }

    /// The number of the first frame that is kept, or would be next.
    var firstKept: Int { self.lastNumber - self.kept.count + 1 }

    /// Keeps a frame; gives its number.
    mutating func keep(_ tail: String) -> Int {
        self.lastNumber += 1
        let kept = Kept(tail: tail)
        self.kept.append(kept)
        self.keptBytes += kept.size
        return self.lastNumber
    }

    /// Lets go of the oldest frames.
    mutating func release(_ count: Int) {
        for _ in 0..<max(0, min(count, self.kept.count)) { self.keptBytes -= self.kept.removeFirst().size }
    }
}
