public import NIOCore
public import RTCBase
package import RTCDTLS
import RTCICE
package import RTCRTP
import RTCSCTP
import RTCSDP
public import RTCSTUN

/// One peer connection without sockets, threads or clocks: where ICE, DTLS, SCTP and the exchange of descriptions meet.
///
/// A session is confined to one thread at a time. It is told the time, the datagrams that arrived and what its user wants, and
/// says through ``poll()`` what to send and what happened. Events come out in the order in which W3C webrtc-pc fires them, after
/// the state that they tell of has settled.
public final class PeerSession {
    // MARK: Parts

    var jsep: JSEPSession
    var transport: SessionTransport
    var channels: SessionChannels
    var states = SessionStates()
    var outputs = OutputQueue<Output>()
    var isClosed = false
    var configuration: RTCConfiguration
    let environment: Environment
    var random: RandomSource
    var candidateLists = CandidateLists()
    /// The conversations with STUN and TURN servers.
    var servers = ServerConnections()
    /// The media plane; made when media is negotiated first.
    var media: MediaSession?
    /// Whether the media plane has not heard of ``negotiatedMedia`` yet.
    var isMediaStale = false
    /// What users want of receivers before that.
    var mediaWants: [TransceiverID: MediaReceiver.Wants] = [:]
    /// What was told to the media plane last.
    var negotiatedMedia = NegotiatedMedia()
    /// The revision of the transceivers that ``negotiatedMedia`` was made from.
    var negotiatedRevision: UInt64?
    /// Grows with every event: whoever shows the session's state elsewhere need not do so again while it stands.
    public private(set) var revision: UInt64 = 0
    var negotiationNeededQueued = false
    var isNegotiationNeeded = false
    /// How many datagrams were refused, and why.
    public internal(set) var counters = Counters()

    /// What a session needs from its surroundings.
    public struct Environment {
        /// The certificate to identify with.
        package var certificate: RTCCertificate
        /// The DTLS context made from it; shared by sessions with the same certificate.
        package var dtlsContext: DTLSContext
        /// What every ufrag of this session begins with: names its shard on a shared port.
        package var ufragPrefix: String
        /// Where randomness comes from.
        package var random: RandomSource
        /// The wall clock, for the times in reports.
        package var wallClock: NTPClock
        /// Called, on any thread, when a timer of the SCTP engine left packets to send: the owner shall call
        /// ``PeerSession/handleTimeout(now:)`` soon.
        package var wake: @Sendable () -> Void

        package init(
            certificate: RTCCertificate,
            dtlsContext: DTLSContext,
            ufragPrefix: String = "",
            random: RandomSource = .system,
            wallClock: NTPClock = NTPClock(NTPTimestamp(unixNanoseconds: 0), at: .uptimeNanoseconds(0)),
            wake: @escaping @Sendable () -> Void
        ) {
            self.certificate = certificate
            self.dtlsContext = dtlsContext
            self.ufragPrefix = ufragPrefix
            self.random = random
            self.wallClock = wallClock
            self.wake = wake
        }
    }

    /// Datagrams that were refused.
    public struct Counters: Sendable, Hashable {
        /// Datagrams from an address that ICE has not validated.
        public var fromUnvalidatedAddress = 0
        /// Datagrams whose first byte belongs to no protocol of RFC 7983, or to one that is not in use.
        public var unknownProtocol = 0
        /// DTLS datagrams that came too early and did not fit the queue for them.
        public var tooEarly = 0

        /// Associations that gave no keys for the media that was negotiated.
        public var withoutKeys = 0
        /// Remote candidates beyond the limit.
        public var tooManyCandidates = 0

        /// All zero.
        public init() {}
    }

    /// What a session asks its owner to do.
    public enum Output {
        /// Send datagrams along a path.
        case transmit(DatagramBatch, from: TransportAddress, to: TransportAddress)
        /// Send a STUN message; a request's answer may come from an address that has no route yet.
        case transmitSTUN(ByteBuffer, from: TransportAddress, to: TransportAddress, transaction: STUNTransactionID?)
        /// Local addresses are wanted: answer with ``PeerSession/provideAddresses(for:hosts:now:)``.
        case gatherAddresses(ufrag: String)
        /// Binding requests for this ufrag belong to this session from now on.
        case registerUfrag(String)
        /// Binding requests for this ufrag belong to nobody any more.
        case unregisterUfrag(String)
        /// Datagrams from this address belong to this session from now on.
        case registerPath(local: TransportAddress, remote: TransportAddress)
        /// Look up a server's name: answer with ``PeerSession/provideServer(_:addresses:now:)``.
        indirect case resolveServer(ServerLookup)
        /// Open a socket to a server: answer with ``PeerSession/flowOpened(_:local:now:)`` or
        /// ``PeerSession/flowClosed(_:reason:now:)``, and hand over what arrives by ``PeerSession/receive(_:over:now:)``.
        indirect case openFlow(ServerFlowID, ServerFlowTarget)
        /// Send to a server: datagrams over UDP; over TCP and TLS the bytes follow each other in the stream.
        case transmitFlow(ServerFlowID, DatagramBatch)
        /// Close a socket when what was sent over it is out.
        case closeFlow(ServerFlowID)
        /// Resolve an mDNS name: answer with ``PeerSession/provideResolution(of:addresses:now:)``.
        case resolve(hostname: String)
        /// Something happened.
        case event(Event)
    }

    /// A session without any description yet.
    public init(configuration: RTCConfiguration, environment: Environment) {
        var random = environment.random
        self.configuration = configuration
        self.environment = environment
        // 63 bits: some parsers read it as a signed number (RFC 9429 section 5.2.1).
        self.jsep = JSEPSession(sessionID: random.next() >> 1, capabilities: configuration.media, random: random)
        _ = random.next()
        self.transport = SessionTransport()
        self.channels = SessionChannels(configuration: configuration, wake: environment.wake)
        self.random = random
        self.jsep.isICELite = configuration.isIceLite
        self.jsep.offersRenomination = configuration.offersRenomination
        self.fillPool()
    }

    // MARK: The four verbs

    /// Takes a datagram that arrived at `local` from `remote`.
    public func receive(
        _ datagram: RawSpan,
        from remote: TransportAddress,
        to local: TransportAddress,
        now: NIODeadline
    ) {
        guard datagram.byteCount > 0, !self.isClosed else { return }
        // RFC 7983 section 7.
        switch datagram.unsafeLoad(fromByteOffset: 0, as: UInt8.self) {
        case 0...3:
            self.transport.receiveSTUN(datagram, from: remote, to: local, now: now)
        case 20...63:
            guard self.transport.isValidated(remote: remote, base: local) else {
                self.counters.fromUnvalidatedAddress += 1
                return
            }
            self.transport.noteReceived(bytes: datagram.byteCount, remote: remote, base: local, now: now)
            self.receiveDTLS(datagram, now: now)
        case 128...191:
            guard self.transport.isValidated(remote: remote, base: local) else {
                self.counters.fromUnvalidatedAddress += 1
                return
            }
            self.transport.noteReceived(bytes: datagram.byteCount, remote: remote, base: local, now: now)
            self.receiveMedia(datagram, now: now)
        default:
            self.counters.unknownProtocol += 1
        }
    }

    /// Does what is due: call it at ``nextTimeout``, and when the environment's `wake` asked for it.
    public func handleTimeout(now: NIODeadline) {
        guard !self.isClosed else { return }
        self.transport.handleTimeout(now: now)
        self.channels.handleTimeout(now: now)
        self.media?.handleTimeout(now: now)
        self.handleServerTimeouts(now: now)
        if let deadline = self.states.completionDeadline, deadline <= now { self.transport.wasChanged = true }
        if let deadline = self.restartDeadline, deadline <= now { self.transport.wasChanged = true }
    }

    /// When ``handleTimeout(now:)`` is wanted next; `nil` if nothing is pending.
    public var nextTimeout: NIODeadline? {
        if self.isClosed { return nil }
        let protocols: NIODeadline? = .earliest(self.transport.nextTimeout, self.channels.nextTimeout)
        let media: NIODeadline? = .earliest(self.media?.nextTimeout, self.servers.nextTimeout)
        let shown: NIODeadline? = .earliest(self.states.completionDeadline, self.restartDeadline)
        return .earliest(.earliest(protocols, media), shown)
    }

    /// What to do next, `nil` when there is nothing. Call it until then after each call of another method.
    public func poll(now: NIODeadline) -> Output? {
        if self.outputs.isEmpty { self.settle(now: now) }
        return self.outputs.popFirst()
    }

    func emit(_ event: Event) {
        self.revision &+= 1
        self.outputs.append(.event(event))
    }

    /// Leaves in the queue only what is to be sent.
    func dropQueuedEvents() {
        self.outputs.removeAll { output in
            if case .event = output { return true }
            return false
        }
    }
}
