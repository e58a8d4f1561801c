/// What a data channel is and how it treats its messages (RFC 8832 section 5.1, W3C `RTCDataChannelInit`).
public struct DataChannelParameters: Sendable, Hashable {
    /// The channel's name, at most 65,535 bytes of UTF-8. Not unique.
    public var label: String
    /// The name of the protocol spoken on it, at most 65,535 bytes of UTF-8.
    public var `protocol`: String
    /// Whether messages arrive in the order they were sent in. Default true.
    public var ordered: Bool
    /// How often a lost message is sent again before it is given up; `nil` for no limit.
    public var maxRetransmits: UInt16?
    /// For how long a message is sent, in milliseconds, before it is given up; `nil` for no limit. Not together with
    /// ``maxRetransmits``.
    public var maxPacketLifeTime: UInt16?
    /// Whether both sides create the channel with the same stream number, instead of one announcing it to the other.
    public var negotiated: Bool
    /// The share of the association this channel gets while others send too (RFC 8831 section 6.4): 128 very low,
    /// 256 low (default), 512 medium, 1024 high.
    public var priority: UInt16

    /// A channel's parameters; the defaults are those of the W3C.
    public init(
        label: String = "",
        protocol: String = "",
        ordered: Bool = true,
        maxRetransmits: UInt16? = nil,
        maxPacketLifeTime: UInt16? = nil,
        negotiated: Bool = false,
        priority: UInt16 = 256
    ) {
        self.label = label
        self.protocol = `protocol`
        self.ordered = ordered
        self.maxRetransmits = maxRetransmits
        self.maxPacketLifeTime = maxPacketLifeTime
        self.negotiated = negotiated
        self.priority = priority
    }

    var reliability: SCTPReliability {
        if let count = self.maxRetransmits { return .retransmissions(count) }
        if let milliseconds = self.maxPacketLifeTime { return .lifetime(milliseconds: milliseconds) }
        return .reliable
    }
}
