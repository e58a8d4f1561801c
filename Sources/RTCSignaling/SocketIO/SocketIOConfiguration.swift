/// Limits and times of a Socket.IO service.
public struct SocketIOConfiguration: Sendable, Hashable {
    /// Limits and times of the transport below.
    public var engine = EngineIOConfiguration()
    /// The namespaces that clients may have; others are refused. Default `/`, which every client has.
    public var namespaces: Set<String> = ["/"]
    /// The namespaces for which the owner is asked, by ``SocketIOBroker/Output/ask(_:)``, before a client gets them. Default none:
    /// everybody gets every one.
    public var guardedNamespaces: Set<String> = []
    /// The most attachments of a packet; one more ends the session. Default 16.
    public var maximumAttachments = 16
    /// The most bytes in the attachments of a packet; one more ends the session. Default 1 MiB.
    public var maximumAttachmentBytes = 1 << 20
    /// How deep arrays and objects may be in each other; more ends the session. Default 32.
    public var maximumDepth = 32
    /// The most bytes of a namespace's name and query; one more ends the session. Default 1024.
    public var maximumNamespaceLength = 1024
    /// The most rooms of a socket; what is more is not joined. Default 256.
    public var maximumRooms = 256
    /// The most acknowledgements that a socket may owe; asking for one more fails at once. Default 1024.
    public var maximumAcknowledgements = 1024

    /// The defaults.
    public init() {}
}
