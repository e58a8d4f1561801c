/// Turns the payloads of one stream into frames: ``begin(timestamp:isStartKnown:)``, ``append(_:sequenceNumber:marker:)``
/// for each packet of the frame in order, ``finish()``.
///
/// Nothing a peer sends throws or traps. A frame is given only if every packet of it was there; the first thing wrong with a
/// frame is its result.
public protocol RTPDepacketizer: Sendable {
    /// What one packet says of itself; `nil` for payloads that are broken or refused.
    static func descriptor(of payload: RawSpan, marker: Bool) -> RTPPayloadDescriptor?

    /// Begins a frame. One that was not finished is forgotten.
    ///
    /// - Parameters:
    ///   - timestamp: The RTP timestamp of the frame's packets.
    ///   - isStartKnown: Whether the packet before the frame's first is known to have ended another frame. It decides where
    ///     the payload itself does not tell (``RTPPayloadDescriptor/beginsFrame``).
    mutating func begin(timestamp: UInt32, isStartKnown: Bool)

    /// Takes in the frame's next packet.
    ///
    /// - Parameters:
    ///   - payload: The packet's payload, without header and padding.
    ///   - sequenceNumber: The packet's sequence number; a gap to the one before is a packet that is missing.
    ///   - marker: The packet's marker bit.
    mutating func append(_ payload: RawSpan, sequenceNumber: UInt16, marker: Bool)

    /// Ends the frame and gives it, or says why there is none.
    mutating func finish() -> Result<EncodedFrame, DepacketizationError>

    /// What became of the frames so far.
    var counters: DepacketizerCounters { get }
}

extension RTPDepacketizer {
    /// The frame that one packet makes, for the formats of sound.
    public mutating func depacketize(
        _ payload: RawSpan,
        timestamp: UInt32,
        sequenceNumber: UInt16 = 0,
        marker: Bool = false
    ) -> Result<EncodedFrame, DepacketizationError> {
        self.begin(timestamp: timestamp, isStartKnown: true)
        self.append(payload, sequenceNumber: sequenceNumber, marker: marker)
        return self.finish()
    }
}
