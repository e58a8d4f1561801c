public import RTCRooms
public import WebRTC

/// The connection to another member of a room. A member that comes back after a failure gets another one.
public final class MeshPeer: Sendable {
    /// The member.
    public let member: RoomMember
    /// The connection; its events come through ``events``.
    public let connection: RTCPeerConnection
    /// Who negotiates it.
    public let negotiator: Negotiator

    /// What happens to the connection, from the first event on. To be read by one task; ends with the connection.
    public var events: AsyncStream<Negotiator.Event> { self.negotiator.events }

    init(member: RoomMember, negotiator: Negotiator) {
        self.member = member
        self.connection = negotiator.connection
        self.negotiator = negotiator
    }
}

/// What happens in a mesh.
public enum MeshEvent: Sendable {
    /// There is a connection to another member, on its way to be connected; its ``MeshPeer/events`` tell of it.
    case peer(MeshPeer)
    /// A connection is over, and will be followed by another only if its member is still there and did not say goodbye.
    case ended(MeshPeer, MeshEnd)
    /// A connection could not be made ready.
    case failed(RoomMember, String)
    /// What the room says, but for messages of negotiations: who is there, data, losses and the end, after which nothing follows.
    case room(RoomEvent)
}

/// Why a connection is over.
public enum MeshEnd: Sendable, Hashable {
    /// The member left the room.
    case left(RoomLeaveReason)
    /// The member said goodbye, with words for people.
    case bye(String)
    /// It failed, and is tried anew.
    case failed
    /// The other side began another.
    case replaced
    /// This side came back to the room as a new member.
    case rejoined
    /// This side left.
    case closed
}
