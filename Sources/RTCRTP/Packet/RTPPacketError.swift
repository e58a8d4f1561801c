/// Why an RTP packet cannot be as it was asked for.
public enum RTPPacketError: Error, Sendable, Hashable {
    /// Payload types 64 to 95 look like RTCP (RFC 5761 section 4).
    case reservedPayloadType
    /// An element of a header extension has an id of 1 to 255 and at most 255 bytes.
    case invalidExtension
    /// A packet has at most 15 contributing sources.
    case tooManyContributingSources
    /// Padding is at most 255 bytes.
    case invalidPadding
}
