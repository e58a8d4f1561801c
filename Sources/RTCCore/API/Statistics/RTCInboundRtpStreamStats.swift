public import RTCRTP

/// W3C webrtc-stats, `RTCInboundRtpStreamStats`: a stream that is received, from its first packet on, until the peer ends it or the
/// transceiver receives no more. Members that only a decoder or a player could fill are left out.
public struct RTCInboundRtpStreamStats: Sendable, Hashable {
    // MARK: RTCRtpStreamStats
    /// The stream.
    public var ssrc: SSRC
    /// What it carries.
    public var kind: MediaKind
    /// The id of the transport's entry.
    public var transportId: String
    /// The id of the codec's entry.
    public var codecId: String

    // MARK: RTCReceivedRtpStreamStats
    /// Packets received, retransmissions included.
    public var packetsReceived: UInt64 = 0
    /// Packets lost (RFC 3550 section 6.4.1); negative where duplicates outnumber the losses. What was sent again still counts as lost.
    public var packetsLost: Int64 = 0
    /// The variance of arrival times, in seconds (RFC 3550 section 6.4.1).
    public var jitter: Double = 0

    // MARK: RTCInboundRtpStreamStats
    /// The identifier of the receiver's track.
    public var trackIdentifier: String
    /// The transceiver's mid; `nil` if it has none any more.
    public var mid: String?
    /// The id of the entry with what the peer says it sent; `nil` before its first report.
    public var remoteId: String?
    /// When the last packet came, in milliseconds since 1970.
    public var lastPacketReceivedTimestamp: Double?
    /// Bytes of headers and padding received, retransmissions included.
    public var headerBytesReceived: UInt64 = 0
    /// Bytes of payloads received, retransmissions included.
    public var bytesReceived: UInt64 = 0
    /// Packets that came too late for their frame; `nil` where nobody wants frames.
    public var packetsDiscarded: UInt64?
    /// NACK messages sent (RFC 4585 section 6.2.1).
    public var nackCount: UInt64 = 0
    /// Full intra requests sent (RFC 5104 section 4.3.1); `nil` for sound.
    public var firCount: UInt64?
    /// Picture loss indications sent (RFC 4585 section 6.3.1); `nil` for sound.
    public var pliCount: UInt64?
    /// The sum of the times that pictures took from their first packet until they were handed out, in seconds; `nil` for sound, whose
    /// samples are not counted, and where nobody wants frames.
    public var jitterBufferDelay: Double?
    /// Pictures in ``jitterBufferDelay``.
    public var jitterBufferEmittedCount: UInt64?
    /// Whole pictures received; `nil` for sound, and where nobody wants frames.
    public var framesReceived: UInt64?
    /// Whole pictures dropped because one that they build on was lost; `nil` as ``framesReceived`` is.
    public var framesDropped: UInt64?
    /// Pictures received in more than one packet; `nil` as ``framesReceived`` is.
    public var framesAssembledFromMultiplePackets: UInt64?
    /// The sum of the times from the first to the last packet of those, in seconds; `nil` as ``framesReceived`` is.
    public var totalAssemblyTime: Double?
    /// How loud the last packet said it is, 0 to 1 (RFC 6464); `nil` for pictures, and where packets do not say.
    public var audioLevel: Double?
    /// Packets received in the stream of retransmissions (RFC 4588); `nil` without one.
    public var retransmittedPacketsReceived: UInt64?
    /// Bytes of their payloads; `nil` without such a stream.
    public var retransmittedBytesReceived: UInt64?
    /// The stream of retransmissions; `nil` while none is known.
    public var rtxSsrc: SSRC?
    /// Repair packets received (`flexfec-03`), for sound earlier packets inside later ones (RFC 2198); `nil` before the first.
    public var fecPacketsReceived: UInt64?
    /// Bytes of the repair packets' payloads; `nil` before the first, and for sound.
    public var fecBytesReceived: UInt64?
    /// Those of ``fecPacketsReceived`` that filled no gap; `nil` before the first. A repair packet that still waits for others is not among
    /// them.
    public var fecPacketsDiscarded: UInt64?
    /// The stream of repair packets; `nil` before the first, and for sound.
    public var fecSsrc: SSRC?
}

/// W3C webrtc-stats, `RTCRemoteOutboundRtpStreamStats`: what the peer's last report says it sent. Its entry's timestamp is the report's arrival.
public struct RTCRemoteOutboundRtpStreamStats: Sendable, Hashable {
    /// The stream.
    public var ssrc: SSRC
    /// What it carries.
    public var kind: MediaKind
    /// The id of the transport's entry.
    public var transportId: String
    /// The id of the codec's entry.
    public var codecId: String
    /// Packets sent, modulo 2³².
    public var packetsSent: UInt64
    /// Bytes of payloads sent, modulo 2³².
    public var bytesSent: UInt64
    /// The id of the entry of the stream as it is received.
    public var localId: String
    /// The peer's wall clock when it made the report, in milliseconds since 1970.
    public var remoteTimestamp: Double
    /// Reports received.
    public var reportsSent: UInt64
    /// The last round trip that the peer's answers to reference times gave, in seconds (RFC 3611 section 4.5); `nil` before.
    public var roundTripTime: Double?
    /// The sum of all such round trips, in seconds.
    public var totalRoundTripTime: Double = 0
    /// How many there were.
    public var roundTripTimeMeasurements: UInt64 = 0
}
