public import RTCSignaling

/// A client of a server of rooms: one channel.
public struct RoomConnectionID: Sendable, Hashable {
    let number: UInt64
}

/// Who wants to join what.
public struct RoomAdmission: Sendable, Hashable {
    /// The channel it asks by.
    public let connection: RoomConnectionID
    /// The room.
    public let room: RoomName
    /// What the client says of itself: an object.
    public let metadata: JSONValue
    /// What the application gave the client to prove who it is.
    public let credential: String?
    /// The request that began the channel, with its headers and cookies; nil where there was none.
    public let request: SignalingRequest?
}

extension RoomAdmission: CustomStringConvertible, CustomDebugStringConvertible {
    /// The room and what the client says of itself, without what proves who it is.
    public var description: String { "RoomAdmission(\(self.room.text), metadata: \(self.metadata.text))" }

    /// The same as ``description``.
    public var debugDescription: String { self.description }
}

/// What becomes of a client that wants to join.
public enum RoomDecision: Sendable, Hashable {
    /// It becomes a member, with this metadata in place of its own if any is given.
    case allow(metadata: JSONValue? = nil)
    /// It is refused, with words for people.
    case deny(reason: String)
}

/// What there is of a server of rooms now, and what was counted.
public struct RoomStatistics: Sendable, Hashable {
    /// Rooms; one without members is none.
    public var rooms = 0
    /// Members, with or without a channel.
    public var members = 0
    /// Channels.
    public var connections = 0
    /// Bytes kept for members to come back.
    public var keptBytes = 0
    /// Times that a member came back and went on.
    public var resumptions = 0
    /// Times that a member came back and could not go on.
    public var losses = 0
    /// Messages passed on, once for each sender.
    public var messages = 0
    /// Messages for members that are not there.
    public var undeliverable = 0
    /// Clients that were refused, or removed for what they did.
    public var refusals = 0

    /// Nothing.
    public init() {}
}
