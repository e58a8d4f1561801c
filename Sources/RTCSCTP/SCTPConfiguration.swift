/// How an SCTP association and its data channels behave.
///
/// The defaults fill a path of 100 MB/s with a round trip of 40 ms, one of 40 MB/s with 100 ms. Buffers are limits, not reservations: an idle association
/// uses about 40 KiB.
public struct SCTPConfiguration: Sendable, Hashable {
    /// The SCTP port of this side (RFC 8841 `a=sctp-port`). Default 5000.
    public var localPort: UInt16 = 5000
    /// The size of the largest SCTP packet, in bytes, 512 to 65,535; a value outside is moved to the nearest bound.
    ///
    /// Default 1163: with the 37 bytes a DTLS 1.2 record adds it fills a UDP payload of 1200 bytes (RFC 8831 section 5).
    /// Path MTU discovery is off (RFC 8261 section 5).
    public var maximumPacketSize = 1163
    /// The most bytes handed to SCTP and not yet acknowledged by the peer. Default 8 MiB.
    ///
    /// What is not under way stays in the channels' queues but for about one congestion window.
    public var sendBuffer = 8 << 20
    /// The most bytes received and not yet read: the receive window announced to the peer. Default 8 MiB.
    public var receiveBuffer = 8 << 20
    /// The outgoing streams asked for when the association starts; about 60 bytes of memory each. Default 256.
    ///
    /// Raised by itself to what the channels known at the start need. More streams are added later if the peer can do so
    /// (RFC 6525 section 4.5).
    public var outgoingStreams = 256
    /// The most incoming streams accepted, which bounds the stream identifiers a peer may use; about 40 bytes of memory
    /// for each stream the peer asks for. Default 1024; raised like ``outgoingStreams``.
    public var maximumIncomingStreams = 1024
    /// The largest message accepted from the peer, in bytes. Default 256 KiB.
    ///
    /// A larger one is discarded while it arrives, and its channel is closed with an error.
    public var maximumMessageSize = 262_144
    /// The most channels that exist at the same time, either side's together. Default 1024, at most 65,535.
    public var maximumChannels = 1024
    /// The most bytes one channel holds that SCTP has not taken yet; sending beyond it fails. Default 64 MiB.
    ///
    /// One message is always accepted when nothing waits, however large.
    public var maximumBufferedAmount = 64 << 20
    /// The most bytes held, for all streams together, that arrived for channels not created yet. Default 256 KiB.
    public var maximumEarlyBytes = 262_144
    /// How long the peer may take to reset its half of a closed channel, in milliseconds. Default 10,000.
    ///
    /// After that the channel counts as closed and its stream identifier is not used again.
    public var closeTimeoutMilliseconds = 10_000
    /// Who runs the association. Default ``Engine/native``.
    public var engine = Engine.native
    /// The finer settings.
    public var tuning = Tuning()

    /// An implementation of SCTP.
    public enum Engine: Sendable, Hashable {
        /// This package's own: no lock, no clock of its own, memory for used streams only.
        case native
        /// The usrsctp library, of which there is one in a process: its timers are driven by ``SCTPRuntime``.
        case usrsctp
    }

    /// The defaults.
    public init() {}

    /// Timers, acknowledgement and congestion settings.
    public struct Tuning: Sendable, Hashable {
        /// The congestion control algorithm.
        public enum CongestionControl: Sendable, Hashable {
            /// RFC 9260 section 7.2.
            case standard
            /// High-speed TCP (RFC 3649).
            case highSpeed
            /// H-TCP.
            case hTCP
            /// The standard algorithm, informed by round-trip times.
            case roundTripTime
        }

        /// Packets with data per acknowledgement, 1 or more. Default 4: every acknowledgement costs both sides a DTLS
        /// record. RFC 9260 section 6.2 asks for 2.
        public var sackFrequency = 4
        /// The longest an acknowledgement waits, in milliseconds, 1 to 500. Default 20.
        public var sackDelayMilliseconds = 20
        /// The most packets sent in one go, 0 for no limit. Default 0; a limit combined with a high
        /// ``sackFrequency`` makes every flight wait for a delayed acknowledgement.
        public var maximumBurst = 0
        /// The largest congestion window in bytes, 0 for no limit. Default 4 MiB.
        ///
        /// usrsctp, and so a receiver that runs it, keeps track of 4096 chunks behind a gap and drops what is beyond:
        /// with more under way a single loss becomes thousands. A path that never loses anything gains from more.
        public var maximumCongestionWindow = 4 << 20
        /// The packets that may be under way at the beginning. Default 20 (RFC 9260 section 7.2.1: 3).
        public var initialWindowPackets = 20
        /// The first retransmission timeout in milliseconds. Default 500 (RFC 9260 section 16: 1000).
        public var initialRTOMilliseconds = 500
        /// The smallest retransmission timeout in milliseconds. Default 220, above the 200 ms by which peers may delay
        /// their acknowledgements (RFC 9260 section 16: 1000).
        public var minimumRTOMilliseconds = 220
        /// The smallest retransmission timeout while much is under way, in milliseconds. Default 1000.
        ///
        /// Acknowledgements do not restart usrsctp's timer while data flows without a pause. It fires amid the flow, and
        /// takes whatever is a little late for lost.
        public var minimumBulkRTOMilliseconds = 1_000
        /// The largest retransmission timeout in milliseconds. Default 10,000.
        public var maximumRTOMilliseconds = 10_000
        /// Retransmissions in a row after which the association is lost. Default 10 (RFC 9260 section 16).
        public var maximumRetransmissions = 10
        /// Attempts to begin the association. Default 16.
        public var maximumInitAttempts = 16
        /// The time between heartbeats on an idle association, in milliseconds; 0 sends none. Default 30,000.
        public var heartbeatMilliseconds = 30_000
        /// The congestion control algorithm. Default ``CongestionControl/standard``.
        public var congestionControl = CongestionControl.standard
        /// The most messages handed to SCTP and not yet acknowledged: each small one takes some 400 bytes of memory
        /// beyond its own. Default 16,384.
        public var maximumQueuedMessages = 16_384

        /// The defaults.
        public init() {}
    }
}
