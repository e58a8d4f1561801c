public import RTCRTP

/// W3C webrtc-stats, `RTCOutboundRtpStreamStats`: a stream that is sent: from its negotiation on, until its transceiver is stopped.
/// Members that only an encoder could fill are left out.
public struct RTCOutboundRtpStreamStats: Sendable, Hashable {
    // MARK: RTCRtpStreamStats
    /// The stream.
    public var ssrc: SSRC
    /// What it carries.
    public var kind: MediaKind
    /// The id of the transport's entry.
    public var transportId: String
    /// The id of the codec's entry; `nil` before the first packet.
    public var codecId: String?

    // MARK: RTCSentRtpStreamStats
    /// Packets sent, retransmissions and repair packets included.
    public var packetsSent: UInt64 = 0
    /// Bytes of payloads sent, retransmissions and repair packets included.
    public var bytesSent: UInt64 = 0

    // MARK: RTCOutboundRtpStreamStats
    /// The transceiver's mid; `nil` if it has none any more.
    public var mid: String?
    /// The id of the entry of the track's source; `nil` if the sender has no track now.
    public var mediaSourceId: String?
    /// The id of the entry with what the peer says it received; `nil` before its first report.
    public var remoteId: String?
    /// The encoding's identifier (RFC 8851); `nil` for a single encoding without one.
    public var rid: String?
    /// Which of the sender's encodings it is, from 0.
    public var encodingIndex: Int
    /// Bytes of headers and padding sent, retransmissions and repair packets included.
    public var headerBytesSent: UInt64 = 0
    /// Packets sent again.
    public var retransmittedPacketsSent: UInt64 = 0
    /// Bytes of their payloads.
    public var retransmittedBytesSent: UInt64 = 0
    /// The stream of retransmissions (RFC 4588); `nil` without one.
    public var rtxSsrc: SSRC?
    /// What encoders are told they may use, in bits per second, without what is sent ahead of loss; `nil` before they are told anything.
    public var targetBitrate: Double?
    /// Pictures that the track delivered encoded for this stream, to be sent; `nil` for sound. Pictures that are forwarded as packets are not
    /// among them.
    public var framesEncoded: UInt64?
    /// Key frames among ``framesEncoded``.
    public var keyFramesEncoded: UInt64?
    /// Pictures sent; `nil` for sound.
    public var framesSent: UInt64?
    /// Pictures of at least 2.5 times the average size of those before; `nil` for sound.
    public var hugeFramesSent: UInt64?
    /// The sum of the times that packets waited before they were sent, in seconds.
    public var totalPacketSendDelay: Double = 0
    /// NACK messages received (RFC 4585 section 6.2.1).
    public var nackCount: UInt64 = 0
    /// Full intra requests received (RFC 5104 section 4.3.1); `nil` for sound.
    public var firCount: UInt64?
    /// Picture loss indications received (RFC 4585 section 6.3.1); `nil` for sound.
    public var pliCount: UInt64?
    /// Whether the encoding is to be sent, whatever the network lets through.
    public var active: Bool
    /// The scalability mode that the sender's parameters ask for (W3C webrtc-svc); `nil` without one.
    public var scalabilityMode: String?

    // MARK: Beyond W3C
    /// Repair packets sent (`flexfec-03`); `nil` where none were agreed upon.
    public var fecPacketsSent: UInt64?
    /// Bytes of their payloads; `nil` where none were agreed upon.
    public var fecBytesSent: UInt64?
    /// The stream of repair packets; `nil` where none were agreed upon.
    public var fecSsrc: SSRC?
}

/// W3C webrtc-stats, `RTCRemoteInboundRtpStreamStats`: what the peer's last report says it received. Its entry's timestamp is the report's
/// arrival.
public struct RTCRemoteInboundRtpStreamStats: Sendable, Hashable {
    /// The stream.
    public var ssrc: SSRC
    /// What it carries.
    public var kind: MediaKind
    /// The id of the transport's entry.
    public var transportId: String
    /// The id of the codec's entry.
    public var codecId: String?
    /// Packets received: those that the report could know of, less those that it says are lost.
    public var packetsReceived: UInt64
    /// Packets lost (RFC 3550 section 6.4.1).
    public var packetsLost: Int64
    /// The variance of arrival times, in seconds.
    public var jitter: Double
    /// The id of the entry of the stream as it is sent.
    public var localId: String
    /// The last round trip measured by the peer's reports, in seconds (RFC 3550 section 6.4.1); `nil` before.
    public var roundTripTime: Double?
    /// The sum of all such round trips, in seconds.
    public var totalRoundTripTime: Double
    /// The share of packets lost between the last two reports, 0 to 1.
    public var fractionLost: Double
    /// How many round trips were measured.
    public var roundTripTimeMeasurements: UInt64
}
