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
    /// How the relay of a relayed candidate of ours is reached; `nil` for others.
    public var relayProtocol: RTCIceServerTransportProtocol?
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
    /// What congestion control lets all streams of media together send along this pair, in bits per second, headers included; `nil` for
    /// pairs that are not selected, and while no media is sent.
    public var availableOutgoingBitrate: Double?
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
