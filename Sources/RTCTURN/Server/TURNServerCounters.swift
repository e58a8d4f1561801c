/// What a ``TURNServerCore`` has seen, since it was made.
public struct TURNServerCounters: Sendable, Hashable {
    /// Requests that were well-formed.
    public var requests = 0
    /// Success responses.
    public var successes = 0
    /// Error responses by number; see ``TURNErrorCode``.
    public var errors: [Int: Int] = [:]
    /// Binding requests answered.
    public var bindings = 0
    /// Allocations made.
    public var allocations = 0
    /// Datagrams relayed to peers.
    public var datagramsToPeers = 0
    /// Bytes of application data relayed to peers.
    public var bytesToPeers = 0
    /// Datagrams relayed to clients.
    public var datagramsToClients = 0
    /// Bytes of application data relayed to clients.
    public var bytesToClients = 0
    /// Datagrams that are neither STUN nor ChannelData, or broken.
    public var malformed = 0
    /// Data and indications of clients without an allocation.
    public var strangers = 0
    /// Data from or for a peer without a permission, or on an unbound channel.
    public var unpermitted = 0
    /// Data dropped because of a bandwidth limit.
    public var overBandwidth = 0
    /// Responses to clients without credentials that were not sent, so that nobody is flooded by this server.
    public var suppressedResponses = 0
    /// Requests dropped because too many wait for an answer about their user. Those whose time is over are errors 500.
    public var authenticationsDropped = 0
    /// Datagrams that the system did not take; counted by the core's owner.
    public var unsent = 0
    /// Datagrams dropped for clients that read their connection too slowly; counted by the core's owner.
    public var slowReaders = 0
    /// Clients cut off because they read nothing of their connection any more; counted by the core's owner.
    public var stalledReaders = 0

    /// Nothing yet.
    public init() {}
}
