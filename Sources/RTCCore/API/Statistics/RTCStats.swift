/// What a connection measured (W3C webrtc-pc section 8, webrtc-stats): entries by their id.
public struct RTCStatsReport: Sendable {
    /// The entries, in no particular order of importance; ids are unique.
    public private(set) var entries: [RTCStats] = []

    /// An empty report.
    public init() {}

    init(_ entries: [RTCStats]) { self.entries = entries }

    /// The entry with an id.
    public subscript(id: String) -> RTCStats? { self.entries.first { $0.id == id } }

    mutating func append(
        _ id: String,
        _ timestamp: Double,
        _ content: RTCStats.Content,
        of transceiver: TransceiverID? = nil
    ) {
        self.entries.append(RTCStats(id: id, timestamp: timestamp, content: content, transceiver: transceiver))
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
    /// The transceiver whose stream this is, for streams that this side sends or receives.
    let transceiver: TransceiverID?

    /// What was measured, by type. W3C's type `media-playout` is not among them: nothing is played here.
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
        /// A codec that a stream uses, or used last.
        case codec(RTCCodecStats)
        /// A stream that is received.
        case inboundRtp(RTCInboundRtpStreamStats)
        /// A stream that is sent.
        case outboundRtp(RTCOutboundRtpStreamStats)
        /// What the peer says it received of a stream that is sent.
        case remoteInboundRtp(RTCRemoteInboundRtpStreamStats)
        /// What the peer says it sent of a stream that is received.
        case remoteOutboundRtp(RTCRemoteOutboundRtpStreamStats)
        /// The source of a track that is sent.
        case mediaSource(RTCMediaSourceStats)
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
        case .codec: return "codec"
        case .inboundRtp: return "inbound-rtp"
        case .outboundRtp: return "outbound-rtp"
        case .remoteInboundRtp: return "remote-inbound-rtp"
        case .remoteOutboundRtp: return "remote-outbound-rtp"
        case .mediaSource: return "media-source"
        }
    }
}
