/// Turns the frames of one stream into RTP payloads. State lasts from frame to frame: picture IDs, parameter sets.
public protocol RTPPacketizer: Sendable {
    /// Cuts `frame` into payloads, in order of sending.
    ///
    /// - Parameters:
    ///   - frame: A frame of the form that ``EncodedFrame`` names for the codec.
    ///   - maximumPayloadSize: The largest payload in bytes: what the path carries less the headers of RTP, its extensions
    ///     and SRTP. Sizes of 20 and more serve every format that can divide its frames.
    ///   - emit: Takes each payload at once. The payload's ranges are those of `frame`.
    /// - Throws: ``PacketizationError`` before anything was emitted.
    mutating func packetize(
        _ frame: EncodedFrame,
        maximumPayloadSize: Int,
        _ emit: (RTPPayload) -> Void
    ) throws(PacketizationError)
}
