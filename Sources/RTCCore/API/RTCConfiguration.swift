/// Which candidates may be used (W3C webrtc-pc section 4.2.3).
public enum RTCIceTransportPolicy: String, Sendable, Hashable {
    /// Relayed candidates only.
    case relay
    /// Any candidate.
    case all
}

/// How media sections share transports when the peer does not bundle (W3C webrtc-pc section 4.2.4).
public enum RTCBundlePolicy: String, Sendable, Hashable {
    /// One transport for each kind of media if the peer does not bundle; one for all if it does.
    case balanced
    /// One transport for each media section if the peer does not bundle.
    case maxCompat = "max-compat"
    /// One transport in any case; what a peer that does not bundle offers beyond it is refused.
    case maxBundle = "max-bundle"
}

/// Whether RTCP travels with RTP (W3C webrtc-pc section 4.2.5). There is one value: it does.
public enum RTCRtcpMuxPolicy: String, Sendable, Hashable {
    /// RTP and RTCP share a transport (RFC 5761).
    case require
}

/// What a connection is configured with (W3C webrtc-pc section 4.2.1).
public struct RTCConfiguration: Sendable {
    /// The STUN and TURN servers. Default none.
    public var iceServers: [RTCIceServer]
    /// Which candidates may be used. Default all.
    public var iceTransportPolicy: RTCIceTransportPolicy
    /// How media sections share transports. Default balanced.
    public var bundlePolicy: RTCBundlePolicy
    /// Default, and only value: require.
    public var rtcpMuxPolicy: RTCRtcpMuxPolicy
    /// The certificates to identify with; the first one is used. Empty, the default: the endpoint's own.
    public var certificates: [RTCCertificate]
    /// How many candidates to gather ahead of time, 0 to 255. Default 0.
    public var iceCandidatePoolSize: UInt8

    // MARK: Beyond W3C

    /// Whom servers of `turns:` and `stuns:` URLs must be certified by. Default ``RTCIceServerTrust/system``.
    public var iceServerTrust = RTCIceServerTrust.system
    /// Whether this side is a lite ICE agent (RFC 8445 section 2.5): it answers checks and sends none, and needs no servers. For
    /// servers with a public address. Two lite sides cannot connect: setting the description of a lite peer throws. Default `false`.
    public var isIceLite = false
    /// Whether offers say `renomination`, so that a controlling peer may move to a better pair at any time
    /// (draft-thatcher-ice-renomination). Answers say so whenever the offer does. Default `false`.
    public var offersRenomination = false
    /// The largest message this side takes, in bytes; announced to the peer. Default 256 KiB, at least 1.
    public var maximumMessageSize: Int
    /// What a peer may make this side keep.
    public var limits: RTCLimits
    /// ICE and DTLS timing.
    public var timing: RTCTiming
    /// The codecs and header extensions to offer and to accept. A change holds for the next description; transceivers that there are keep
    /// their header extensions.
    public var media: RTCMediaCapabilities

    /// A configuration; everything has a default.
    public init(
        iceServers: [RTCIceServer] = [],
        iceTransportPolicy: RTCIceTransportPolicy = .all,
        bundlePolicy: RTCBundlePolicy = .balanced,
        rtcpMuxPolicy: RTCRtcpMuxPolicy = .require,
        certificates: [RTCCertificate] = [],
        iceCandidatePoolSize: UInt8 = 0,
        maximumMessageSize: Int = 262_144,
        limits: RTCLimits = .defaults,
        timing: RTCTiming = .defaults,
        media: RTCMediaCapabilities = .defaults
    ) {
        self.iceServers = iceServers
        self.iceTransportPolicy = iceTransportPolicy
        self.bundlePolicy = bundlePolicy
        self.rtcpMuxPolicy = rtcpMuxPolicy
        self.certificates = certificates
        self.iceCandidatePoolSize = iceCandidatePoolSize
        self.maximumMessageSize = maximumMessageSize
        self.limits = limits
        self.timing = timing
        self.media = media
    }
}

/// Whom a STUN or TURN server that is reached over TLS must be certified by.
public enum RTCIceServerTrust: Sendable, Hashable {
    /// The system's certification authorities.
    case system
    /// These certificates and no others: PEM, one or more.
    case certificates(pem: String)
}

/// What one connection may keep on behalf of its peer and its user; beyond it things are refused and counted.
public struct RTCLimits: Sendable, Hashable {
    /// The defaults of all limits.
    public static let defaults = RTCLimits()

    /// The most remote candidates of one generation. Default 100.
    public var remoteCandidates = 100
    /// The most transceivers, and the most sections for media in a description of the peer. Default 128.
    public var transceivers = 128
    /// The most data channels open at once. Default 65,534, what RFC 8831 allows.
    public var dataChannels = 65_534
    /// Bytes of a data channel that `send` accepts before it suspends. Default 1 MiB.
    public var sendHighWatermark = 1 << 20
    /// Bytes left at which a suspended `send` goes on. Default 256 KiB.
    public var sendLowWatermark = 256 << 10
    /// Unread bytes of all channels together at which the peer is slowed down. Default 1 MiB.
    public var receiveHighWatermark = 1 << 20
    /// Unread bytes at which the peer may go on. Default 256 KiB.
    public var receiveLowWatermark = 256 << 10
    /// How long `close` of a data channel may wait for the peer. Default 5 s.
    public var dataChannelCloseTimeout: Duration = .seconds(5)

    /// The defaults.
    public init() {}
}

/// Timing of ICE and DTLS.
public struct RTCTiming: Sendable, Hashable {
    /// The defaults of all times.
    public static let defaults = RTCTiming()

    /// Silence after which a connection counts as disconnected. Default 5 s.
    public var disconnectedTimeout: Duration = .seconds(5)
    /// How long consent lasts without an answer (RFC 7675 section 5.1). Default 30 s.
    public var consentTimeout: Duration = .seconds(30)
    /// How long ICE waits for a pair before it fails (RFC 8863). Default 30 s.
    public var connectTimeout: Duration = .seconds(30)
    /// How long a DTLS handshake may take. Default 30 s.
    public var handshakeTimeout: Duration = .seconds(30)

    /// The defaults.
    public init() {}
}
