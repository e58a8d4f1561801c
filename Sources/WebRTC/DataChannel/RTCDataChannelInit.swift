import RTCBase
import RTCSCTP

/// How a data channel is made (W3C webrtc-pc section 6.2, `RTCDataChannelInit`).
public struct RTCDataChannelInit: Sendable, Hashable {
    /// Whether messages arrive in order. Default `true`.
    public var ordered: Bool
    /// How long a message is sent again, in milliseconds. Default: until it arrives.
    public var maxPacketLifeTime: UInt16?
    /// How often a message is sent again. Default: until it arrives.
    public var maxRetransmits: UInt16?
    /// A subprotocol, at most 65,535 bytes of UTF-8. Default empty.
    public var `protocol`: String
    /// Whether the other side makes the same channel itself, with the same id. Default `false`.
    public var negotiated: Bool
    /// The stream, 0 to 65,534; taken only with ``negotiated``.
    public var id: UInt16?
    /// How messages compete with those of other channels (W3C webrtc-priority). Default low, the normal one.
    public var priority: RTCPriorityType

    /// How a channel is made; everything has a default.
    public init(
        ordered: Bool = true,
        maxPacketLifeTime: UInt16? = nil,
        maxRetransmits: UInt16? = nil,
        protocol: String = "",
        negotiated: Bool = false,
        id: UInt16? = nil,
        priority: RTCPriorityType = .low
    ) {
        self.ordered = ordered
        self.maxPacketLifeTime = maxPacketLifeTime
        self.maxRetransmits = maxRetransmits
        self.protocol = `protocol`
        self.negotiated = negotiated
        self.id = id
        self.priority = priority
    }

    /// The stream that was asked for; W3C ignores an id without `negotiated`.
    var effectiveID: StreamID? { self.negotiated ? self.id.map(StreamID.init(rawValue:)) : nil }

    /// The steps of W3C webrtc-pc section 6.1, `createDataChannel`.
    func parameters(label: String) throws(RTCError) -> DataChannelParameters {
        guard label.utf8.count <= 65_535 else { throw RTCError(.type, "the label is longer than 65,535 bytes") }
        guard self.protocol.utf8.count <= 65_535 else {
            throw RTCError(.type, "the protocol is longer than 65,535 bytes")
        }
        guard self.maxPacketLifeTime == nil || self.maxRetransmits == nil else {
            throw RTCError(.type, "maxPacketLifeTime and maxRetransmits exclude each other")
        }
        if self.negotiated {
            guard let id = self.id else { throw RTCError(.type, "a negotiated channel needs an id") }
            guard id != 65_535 else { throw RTCError(.type, "65,535 is no stream id (RFC 8831 section 6.5)") }
        }
        return DataChannelParameters(
            label: label,
            protocol: self.protocol,
            ordered: self.ordered,
            maxRetransmits: self.maxRetransmits,
            maxPacketLifeTime: self.maxPacketLifeTime,
            negotiated: self.negotiated,
            priority: self.priority.value
        )
    }
}
