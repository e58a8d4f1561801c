/// Names a socket of a ``SocketIOBroker``: a client in one namespace.
public struct SocketIOSocketID: Sendable, Hashable, CustomStringConvertible {
    /// The session that carries it.
    public let session: EngineIOSessionID
    /// The namespace.
    public let namespace: String
    /// Tells a client that left a namespace from the same one that came back.
    let number: UInt64

    /// The name that clients have for it: the session's, behind `NAMESPACE#` in all namespaces but `/`. It is a secret of the
    /// client (``EngineIOSessionID``).
    public var text: String { self.namespace == "/" ? self.session.text : "\(self.namespace)#\(self.session.text)" }

    public var description: String { self.text }
}

/// A client that wants to have a namespace.
public struct SocketIOQuestion: Sendable, Hashable {
    /// The socket that it would be.
    public let id: SocketIOSocketID
    /// The query of the namespace; empty for none.
    public let query: String
    /// The request that began the session: its query, headers and cookies tell who the client is.
    public let request: SignalingRequest
}

/// An event that a client sent.
public struct SocketIOEvent: Sendable, Hashable {
    /// The event's name.
    public let name: String
    /// What it carries.
    public let arguments: [SocketIOValue]
    /// What an acknowledgement has to name; nil if none is wanted.
    public let acknowledgementID: UInt64?

    /// An event.
    public init(name: String, arguments: [SocketIOValue], acknowledgementID: UInt64? = nil) {
        self.name = name
        self.arguments = arguments
        self.acknowledgementID = acknowledgementID
    }
}

/// Why a socket is over.
public enum SocketIODisconnectReason: Sendable, Hashable {
    /// This side said so.
    case server
    /// The client left the namespace.
    case client
    /// The session below ended.
    case session(EngineIOService.End)
}

/// Whom an event goes to.
public struct SocketIOAudience: Sendable, Hashable {
    /// The namespace.
    public var namespace: String
    /// The rooms of which members hear it, each once; empty for everybody in the namespace.
    public var rooms: Set<String>
    /// A socket that does not hear it.
    public var excluded: SocketIOSocketID?

    /// An audience.
    public init(namespace: String = "/", rooms: Set<String> = [], excluding excluded: SocketIOSocketID? = nil) {
        self.namespace = namespace
        self.rooms = rooms
        self.excluded = excluded
    }
}

/// What is known of a socket.
struct SocketIOSocketState: Sendable {
    let id: SocketIOSocketID
    let request: SignalingRequest
    /// Whether the client has the namespace; the owner was asked otherwise.
    var isConnected = false
    var rooms: Set<String> = []
    /// Acknowledgements that the client owes.
    var owed: Set<UInt64> = []
}
