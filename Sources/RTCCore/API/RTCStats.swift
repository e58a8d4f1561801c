/// What a connection measured (W3C webrtc-pc section 8, webrtc-stats): entries by their id.
public struct RTCStatsReport: Sendable {
    /// The entries, in no particular order of importance; ids are unique.
    public private(set) var entries: [RTCStats] = []

    /// An empty report.
    public init() {}

    /// The entry with an id.
    public subscript(id: String) -> RTCStats? { self.entries.first { $0.id == id } }

    mutating func append(_ id: String, _ timestamp: Double, _ content: RTCStats.Content) {
        self.entries.append(RTCStats(id: id, timestamp: timestamp, content: content))
    }

    /// The pair that carries data, if any.
    public var selectedCandidatePair: RTCCandidatePairStats? {
        for entry in self.entries {
            guard case .transport(let transport) = entry.content, let id = transport.selectedCandidatePairId,
                case .candidatePair(let pair)? = self[id]?.content
            else { continue }
            return pair
        }
        return nil
    }
}

/// One entry of a report.
public struct RTCStats: Sendable {
    /// Identifies the object that was measured, the same in every report of a connection.
    public let id: String
    /// When it was measured, in milliseconds since 1970.
    public let timestamp: Double
    /// What was measured.
    public let content: Content

    /// What was measured, by type.
    public enum Content: Sendable {
        /// The connection as a whole.
        case peerConnection(RTCPeerConnectionStats)
        /// Its transport: ICE, DTLS and what passed through them.
        case transport(RTCTransportStats)
        /// A certificate, of this side or of the peer.
        case certificate(RTCCertificateStats)
        /// A candidate of this side.
        case localCandidate(RTCIceCandidateStats)
        /// A candidate of the peer.
        case remoteCandidate(RTCIceCandidateStats)
        /// A pair of candidates, with its checks and what passed along it.
        case candidatePair(RTCCandidatePairStats)
        /// A data channel.
        case dataChannel(RTCDataChannelStats)
    }

    /// The type's name in W3C webrtc-stats.
    public var type: String {
        switch self.content {
        case .peerConnection: return "peer-connection"
        case .transport: return "transport"
        case .certificate: return "certificate"
        case .localCandidate: return "local-candidate"
        case .remoteCandidate: return "remote-candidate"
        case .candidatePair: return "candidate-pair"
        case .dataChannel: return "data-channel"
        }
    }
}

/// W3C webrtc-stats, `RTCPeerConnectionStats`.
public struct RTCPeerConnectionStats: Sendable, Hashable {
    /// Channels that were opened.
    public var dataChannelsOpened = 0
    /// Channels that were open and are closed.
    public var dataChannelsClosed = 0
}

/// W3C webrtc-stats, `RTCTransportStats`.
public struct RTCTransportStats: Sendable, Hashable {
    /// Datagrams sent; those of ICE do not count.
    public var packetsSent: UInt64 = 0
    /// Datagrams received; those of ICE do not count.
    public var packetsReceived: UInt64 = 0
    /// Bytes of the datagrams sent, without the headers of IP and UDP.
    public var bytesSent: UInt64 = 0
    /// Bytes of the datagrams received, without the headers of IP and UDP.
    public var bytesReceived: UInt64 = 0
    /// The ICE role of this side.
    public var iceRole: RTCIceRole = .unknown
    /// The ufrag of this side.
    public var iceLocalUsernameFragment: String?
    /// The state of DTLS.
    public var dtlsState: RTCDtlsTransportState = .new
    /// The state of ICE.
    public var iceState: RTCIceTransportState = .new
    /// The id of the pair in use; `nil` before there is one.
    public var selectedCandidatePairId: String?
    /// The id of the entry with this side's certificate.
    public var localCertificateId: String?
    /// The id of the entry with the peer's certificate; `nil` before DTLS is connected.
    public var remoteCertificateId: String?
    /// The version as it stands on the wire, in hexadecimal, for example `FEFD`.
    public var tlsVersion: String?
    /// The cipher suite by its IANA name.
    public var dtlsCipher: String?
    /// `client`, `server` or `unknown`.
    public var dtlsRole: String?
    /// The SRTP protection profile by its IANA name.
    public var srtpCipher: String?
    /// How often the pair in use changed, the first choice included.
    public var selectedCandidatePairChanges = 0
    // MARK: Beyond W3C
    /// The group of the key exchange.
    public var dtlsGroup: String?
}

/// W3C webrtc-stats, `RTCCertificateStats`.
public struct RTCCertificateStats: Sendable, Hashable {
    /// The fingerprint: pairs of upper-case hexadecimal digits with colons between (RFC 8122 section 5).
    public var fingerprint: String
    /// The hash function by its name in SDP, for example `sha-256`.
    public var fingerprintAlgorithm: String
    /// The certificate in DER, as base64.
    public var base64Certificate: String
}

/// W3C webrtc-stats, `RTCIceCandidateStats`.
public struct RTCIceCandidateStats: Sendable, Hashable {
    /// The id of the transport's entry.
    public var transportId: String
    /// The IP address, or the mDNS name that hides it; `nil` if unknown.
    public var address: String?
    /// The port, 0 to 65535; `nil` if unknown.
    public var port: UInt16?
    /// The transport protocol.
    public var `protocol`: RTCIceProtocol
    /// Where the candidate comes from.
    public var candidateType: RTCIceCandidateType
    /// The priority (RFC 8445 section 5.1.2).
    public var priority: UInt32
    /// The URL of the server it was gained from; `nil` for candidates of the host and of the peer.
    public var url: String?
    /// The foundation (RFC 8445 section 5.1.1.3).
    public var foundation: String
    /// The base of a reflexive candidate, or what the server saw of a relayed one; `nil` if not told.
    public var relatedAddress: String?
    /// The port of ``relatedAddress``.
    public var relatedPort: UInt16?
    /// The ufrag of its generation.
    public var usernameFragment: String?
    /// The role of a TCP candidate; `nil` for UDP.
    public var tcpType: RTCIceTcpCandidateType?
}

/// W3C webrtc-stats, `RTCIceCandidatePairStats`.
public struct RTCCandidatePairStats: Sendable, Hashable {
    /// The id of the transport's entry.
    public var transportId: String
    /// The id of the local candidate's entry.
    public var localCandidateId: String
    /// The id of the remote candidate's entry.
    public var remoteCandidateId: String
    /// `frozen`, `waiting`, `in-progress`, `failed` or `succeeded`.
    public var state: String
    /// Whether it was nominated (RFC 8445 section 8).
    public var nominated: Bool
    /// Datagrams sent along this pair, checks not counted.
    public var packetsSent: UInt64
    /// Datagrams received along this pair, checks not counted.
    public var packetsReceived: UInt64
    /// Bytes sent along this pair, checks not counted.
    public var bytesSent: UInt64
    /// Bytes received along this pair, checks not counted.
    public var bytesReceived: UInt64
    /// The sum of all round trips, in seconds.
    public var totalRoundTripTime: Double
    /// The newest round trip, in seconds.
    public var currentRoundTripTime: Double?
    /// Checks received, repetitions included.
    public var requestsReceived: UInt64
    /// Checks sent, repetitions included; those for consent do not count.
    public var requestsSent: UInt64
    /// Answers received.
    public var responsesReceived: UInt64
    /// Answers sent.
    public var responsesSent: UInt64
    /// Checks sent to keep consent fresh (RFC 7675).
    public var consentRequestsSent: UInt64
}

/// W3C webrtc-stats, `RTCDataChannelStats`.
public struct RTCDataChannelStats: Sendable, Hashable {
    /// The name its maker gave it.
    public var label: String
    /// The subprotocol its maker gave it.
    public var `protocol`: String
    /// Its stream; `nil` until it is known.
    public var dataChannelIdentifier: UInt16?
    /// Its state.
    public var state: RTCDataChannelState
    /// Messages sent.
    public var messagesSent: UInt64
    /// Bytes of the messages sent, headers not counted.
    public var bytesSent: UInt64
    /// Messages received.
    public var messagesReceived: UInt64
    /// Bytes of the messages received, headers not counted.
    public var bytesReceived: UInt64
}
