/// The fields that every RTP packet begins with (RFC 3550 section 5.1).
public struct RTPHeader: Sendable, Hashable {
    /// The size of these fields in a packet, in bytes; contributing sources and extensions follow them.
    public static let fixedSize = 12

    /// What the payload format makes of it: the last packet of a picture, or the first of a talk spurt.
    public var marker: Bool
    /// The payload's format.
    public var payloadType: PayloadType
    /// The packet's place in its stream.
    public var sequenceNumber: UInt16
    /// When the payload's first sample was taken, in units of the format's clock rate.
    public var timestamp: UInt32
    /// The stream.
    public var ssrc: SSRC

    /// A header.
    public init(
        marker: Bool = false,
        payloadType: PayloadType,
        sequenceNumber: UInt16,
        timestamp: UInt32,
        ssrc: SSRC
    ) {
        self.marker = marker
        self.payloadType = payloadType
        self.sequenceNumber = sequenceNumber
        self.timestamp = timestamp
        self.ssrc = ssrc
    }
}
