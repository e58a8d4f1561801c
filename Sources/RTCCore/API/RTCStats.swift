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
        case peerConnection(RTCPeerConnectionStats)
        case transport(RTCTransportStats)
        case certificate(RTCCertificateStats)
        case localCandidate(RTCIceCandidateStats)
        case remoteCandidate(RTCIceCandidateStats)
        case candidatePair(RTCCandidatePairStats)
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
    public var packetsSent: UInt64 = 0
    public var packetsReceived: UInt64 = 0
    public var bytesSent: UInt64 = 0
    public var bytesReceived: UInt64 = 0
    public var iceRole: RTCIceRole = .unknown
    public var iceLocalUsernameFragment: String?
    public var dtlsState: RTCDtlsTransportState = .new
    public var iceState: RTCIceTransportState = .new
    public var selectedCandidatePairId: String?
    public var localCertificateId: String?
    public var remoteCertificateId: String?
    /// The version as it stands on the wire, in hexadecimal, for example `FEFD`.
    public var tlsVersion: String?
    /// The cipher suite by its IANA name.
    public var dtlsCipher: String?
    /// `client`, `server` or `unknown`.
    public var dtlsRole: String?
    /// The SRTP protection profile by its IANA name.
    public var srtpCipher: String?
    public var selectedCandidatePairChanges = 0
    // MARK: Beyond W3C
    /// The group of the key exchange.
    public var dtlsGroup: String?
}

/// W3C webrtc-stats, `RTCCertificateStats`.
public struct RTCCertificateStats: Sendable, Hashable {
    public var fingerprint: String
    public var fingerprintAlgorithm: String
    /// The certificate in DER, as base64.
    public var base64Certificate: String
}

/// W3C webrtc-stats, `RTCIceCandidateStats`.
public struct RTCIceCandidateStats: Sendable, Hashable {
    public var transportId: String
    public var address: String?
    public var port: UInt16?
    public var `protocol`: RTCIceProtocol
    public var candidateType: RTCIceCandidateType
    public var priority: UInt32
    public var url: String?
    public var foundation: String
    public var relatedAddress: String?
    public var relatedPort: UInt16?
    public var usernameFragment: String?
    public var tcpType: RTCIceTcpCandidateType?
}

/// W3C webrtc-stats, `RTCIceCandidatePairStats`.
public struct RTCCandidatePairStats: Sendable, Hashable {
    public var transportId: String
    public var localCandidateId: String
    public var remoteCandidateId: String
    /// `frozen`, `waiting`, `in-progress`, `failed` or `succeeded`.
    public var state: String
    public var nominated: Bool
    public var packetsSent: UInt64
    public var packetsReceived: UInt64
    public var bytesSent: UInt64
    public var bytesReceived: UInt64
    /// The sum of all round trips, in seconds.
    public var totalRoundTripTime: Double
    /// The newest round trip, in seconds.
    public var currentRoundTripTime: Double?
    public var requestsReceived: UInt64
    public var requestsSent: UInt64
    public var responsesReceived: UInt64
    public var responsesSent: UInt64
    public var consentRequestsSent: UInt64
}

/// W3C webrtc-stats, `RTCDataChannelStats`.
public struct RTCDataChannelStats: Sendable, Hashable {
    public var label: String
    public var `protocol`: String
    public var dataChannelIdentifier: UInt16?
    public var state: RTCDataChannelState
    public var messagesSent: UInt64
    public var bytesSent: UInt64
    public var messagesReceived: UInt64
    public var bytesReceived: UInt64
}
