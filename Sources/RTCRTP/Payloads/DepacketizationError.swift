/// Why packets gave no frame.
public enum DepacketizationError: Error, Sendable, Hashable, CaseIterable {
    /// There was no packet.
    case noPackets
    /// The first packet does not begin a frame, or may not.
    case missingStart
    /// A packet between the first and the last is missing.
    case missingPacket
    /// The last packet does not end the frame.
    case missingEnd
    /// A payload has no bytes, or only a header.
    case emptyPayload
    /// A payload's header is cut short or contradicts itself.
    case malformedHeader
    /// A size inside an aggregate goes past its end, or is zero.
    case invalidAggregate
    /// A fragment without its beginning, or of another unit than the one before.
    case unexpectedFragment
    /// A fragmented unit that does not end.
    case unfinishedFragment
    /// A packet of a kind that WebRTC does not use: STAP-B, MTAP, FU-B, reserved types.
    case unsupportedPacket
    /// Packets that cannot belong to the same frame.
    case inconsistentPackets
    /// A picture to begin with whose parameter sets are neither in it nor known from before.
    case missingParameterSets
    /// More bytes than ``DepacketizerLimits/frameSize``.
    case frameTooLarge
    /// More packets than ``DepacketizerLimits/packets``.
    case tooManyPackets
}
