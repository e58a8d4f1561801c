public import RTCSignaling

/// What a member of a room learns.
public enum RoomEvent: Sendable, Hashable {
    /// This side is a member; the others are those that were there before.
    case joined(RoomMember, others: [RoomMember])
    /// Another member came.
    case memberJoined(RoomMember)
    /// Another member left.
    case memberLeft(RoomMember, RoomLeaveReason)
    /// Another member sent something.
    case message(RoomMessage, from: RoomMemberID)
    /// The channel was lost, and the client tries to come back. Messages that are sent meanwhile wait.
    case interrupted(SignalingChannelError)
    /// The client is back, and nothing was lost either way.
    case resumed
    /// The client is back as a new member: to it the members from before are gone, as it is to them. So many of its messages may not have
    /// arrived.
    case rejoined(RoomMember, others: [RoomMember], because: RoomLoss, unconfirmed: Int)
    /// The client is no member any more; nothing follows. Nil if it left by itself, after all of its messages.
    case ended(RoomError?)
}

/// Why a room cannot be joined or used.
public enum RoomError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The server refused.
    case refused(RoomRefusal)
    /// The server cannot be reached, for so long that the client gave up.
    case unreachable(SignalingChannelError)
    /// As many messages wait for the server as the client keeps.
    case queueFull
    /// The message is larger than allowed, in bytes.
    case messageTooLarge(limit: Int)
    /// Arrays and objects lie deeper inside each other in the message than ``JSONValue/maximumDepth`` has room for.
    case messageTooDeep
    /// The client is no member: it has not joined, or it left.
    case notJoined
    /// The client has joined before.
    case alreadyJoined
    /// The client left, and so many of its messages were not sent before ``RoomClientConfiguration/leaveTimeout`` was over or the
    /// membership was lost. Those that were sent on a channel that broke count, as they may not have arrived.
    case unsent(messages: Int)
    /// The task was cancelled.
    case cancelled

    public var description: String {
        switch self {
        case .refused(let refusal): "the server refused: \(refusal)"
        case .unreachable(let error): "the server cannot be reached: \(error)"
        case .queueFull: "too many messages wait for the server"
        case .messageTooLarge(let limit): "the message is larger than \(limit) bytes"
        case .messageTooDeep: "the message is nested too deep"
        case .notJoined: "not a member of the room"
        case .alreadyJoined: "joined before"
        case .unsent(let messages): "left before \(messages) messages were sent"
        case .cancelled: "cancelled"
        }
    }
}
