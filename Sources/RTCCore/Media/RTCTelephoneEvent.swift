public import RTCRTP

/// A telephone event of a peer's sound (RFC 4733): most often a key of a telephone.
public struct RTCTelephoneEvent: Sendable, Hashable {
    /// Where the event stands.
    public enum Phase: Sendable, Hashable {
        /// It begins.
        case began
        /// It is over, having lasted so long; an event whose end was lost is over 250 ms after the last that was heard of it.
        case ended(duration: Duration)
    }

    /// The event's number: 0 to 15 are the keys of a telephone, see RFC 4733 section 3.2 and IANA's registry for others.
    public var event: UInt8
    /// Where it stands.
    public var phase: Phase
    /// The stream that it came in.
    public var synchronizationSource: SSRC
    /// The RTP timestamp of its beginning; the same when it ends.
    public var timestamp: UInt32

    /// The key; `nil` for other events.
    public var tone: DTMFTone? { DTMFTone(rawValue: self.event) }
}
