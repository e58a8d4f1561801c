public import NIOCore

/// Limits and times of a server of rooms.
public struct RoomConfiguration: Sendable, Hashable {
    /// The most members of a room. Default 64.
    public var maximumMembers = 64
    /// The most rooms at once. Default 10,000.
    public var maximumRooms = 10_000
    /// The most members of all rooms, with or without a channel. Default 20,000.
    public var maximumTotalMembers = 20_000
    /// The most channels at once, those that joined nothing yet too. Default 20,000.
    public var maximumConnections = 20_000
    /// How long a channel may take to join. Default 10 s.
    public var joinTimeout: TimeAmount = .seconds(10)
    /// How long a member without a channel keeps its place. Default 30 s.
    public var resumeTimeout: TimeAmount = .seconds(30)
    /// The largest message of a client, in bytes. Default 256 KiB.
    public var maximumMessageSize = 256 << 10
    /// The largest metadata of a member, in bytes. Default 4 KiB.
    public var maximumMetadataSize = 4 << 10
    /// The largest credential of a client, in bytes. Default 8 KiB.
    public var maximumCredentialSize = 8 << 10
    /// Messages that a client may send each second, in the long run; acknowledgements of what was not acknowledged before do not count.
    /// Default 100.
    public var messageRate = 100
    /// Messages that it may send at once. Default 1,000.
    public var messageBurst = 1_000
    /// Bytes that a client may send each second, in the long run. Default 1 MiB.
    public var byteRate = 1 << 20
    /// Bytes that it may send at once. Default 4 MiB.
    public var byteBurst = 4 << 20
    /// The most messages that are kept for a member until it says that they came. Default 2,048: more than others send at once.
    public var maximumKeptMessages = 2_048
    /// The most bytes that are kept for a member, less than what a transport may have unsent. Default 512 KiB.
    public var maximumKeptBytes = 512 << 10
    /// The most bytes that are kept for all members; beyond it those for whom most is kept lose it. Default 256 MiB.
    public var maximumTotalKeptBytes = 256 << 20
    /// Whether the owner is asked, by ``RoomBroker/Output/ask(_:)``, before a client joins. Default false: everybody may.
    public var asks = false

    /// After how many messages, or how long after the first, each side says that they came.
    static let acknowledgement = (messages: 16, delay: TimeAmount.seconds(1))
    /// Servers wait up to that much longer, for others to be told at the same time.
    static let acknowledgementStep = TimeAmount.milliseconds(50)

    /// The defaults.
    public init() {}
}
