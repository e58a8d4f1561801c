public import NIOCore

/// Limits and times of a member of a room.
public struct RoomClientConfiguration: Sendable, Hashable {
    /// How long joining may take, with all attempts. Default 30 s.
    public var joinTimeout: TimeAmount = .seconds(30)
    /// How long to try to come back after the channel was lost; nil, the default, for ever.
    public var reconnectTimeout: TimeAmount?
    /// The longest delay before the first attempt to come back; each next is twice as long, and the real one is between its half and
    /// its whole, by chance. Default 250 ms.
    public var firstDelay: TimeAmount = .milliseconds(250)
    /// The longest delay of all. Default 15 s.
    public var longestDelay: TimeAmount = .seconds(15)
    /// How long opening a channel, and each answer of the server, may take. Default 15 s.
    public var responseTimeout: TimeAmount = .seconds(15)
    /// How long leaving may wait until what was sent before is on its way; zero for not at all. Default 5 s.
    public var leaveTimeout: TimeAmount = .seconds(5)
    /// The most messages that wait until the server has them; one more is refused. Default 1,024: a large room's members owe each other
    /// that many when all come at once.
    public var maximumQueuedMessages = 1_024
    /// The most bytes that wait so. Default 1 MiB.
    public var maximumQueuedBytes = 1 << 20
    /// The largest message, in bytes. Default 256 KiB without 256 bytes, so that it fits into what the server makes of it.
    public var maximumMessageSize = (256 << 10) - 256
    /// The most other members that are taken; a server that tells of more breaks the protocol. Default 10,000.
    public var maximumMembers = 10_000
    /// How many events wait to be read before nothing more is read from the channel. Default 256.
    public var maximumUnreadEvents = 256

    /// The defaults.
    public init() {}
}
