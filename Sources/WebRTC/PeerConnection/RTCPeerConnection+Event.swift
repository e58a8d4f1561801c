public import RTCBase
public import RTCCore

extension RTCPeerConnection {
    /// What happened to a connection (W3C webrtc-pc section 4.4.2 and 13), with the state as it was at that moment.
    //  The large ones are boxed: every connection keeps room for the events that wait, whatever they are.
    public enum Event: Sendable {
        /// An offer should be made.
        case negotiationNeeded
        /// ``RTCPeerConnection/signalingState`` changed.
        case signalingStateChange(RTCSignalingState)
        /// A local candidate to be sent to the peer; an empty one ends a generation, `nil` ends gathering.
        indirect case iceCandidate(RTCIceCandidate?)
        /// A server gave no candidate.
        indirect case iceCandidateError(RTCIceCandidateError)
        /// ``RTCPeerConnection/iceGatheringState`` changed.
        case iceGatheringStateChange(RTCIceGatheringState)
        /// ``RTCPeerConnection/iceConnectionState`` changed.
        case iceConnectionStateChange(RTCIceConnectionState)
        /// ``RTCPeerConnection/connectionState`` changed.
        case connectionStateChange(RTCPeerConnectionState)
        /// The peer opened a channel. It may still be connecting.
        case dataChannel(RTCDataChannel)
        /// The peer sends a track.
        case track(RTCTrackEvent)
        /// A track of the peer joined a stream.
        case addTrack(MediaStream, MediaStreamTrack)
        /// A track of the peer left a stream.
        case removeTrack(MediaStream, MediaStreamTrack)
        /// Nothing arrives for a track of the peer any more.
        case mute(MediaStreamTrack)
        /// Media arrives for a track of the peer.
        case unmute(MediaStreamTrack)
        /// A track of the peer is over.
        case ended(MediaStreamTrack)
        /// A sender begins a tone; an empty text when it has played all (W3C webrtc-pc section 7.4).
        indirect case toneChange(RTCDTMFSender, String)
        /// The ICE transport changed its state.
        case iceTransportStateChange(RTCIceTransportState)
        /// The ICE transport changed its gathering state.
        case iceTransportGatheringStateChange(RTCIceGatheringState)
        /// Data takes another path.
        indirect case selectedCandidatePairChange(RTCIceCandidatePair)
        /// The DTLS transport changed its state.
        case dtlsTransportStateChange(RTCDtlsTransportState)
        /// DTLS failed.
        indirect case dtlsTransportError(RTCError)
        /// The SCTP transport changed its state.
        case sctpTransportStateChange(RTCSctpTransportState)

        // MARK: Beyond W3C

        /// The connection has failed, for these likely reasons, the likeliest first; follows ``connectionStateChange(_:)``.
        /// ``RTCPeerConnection/diagnose()`` tells more.
        indirect case connectionFailed([RTCConnectionProblem])

        init?(_ event: PeerSession.Event) {
            switch event {
            case .negotiationNeeded: self = .negotiationNeeded
            case .signalingStateChange(let state): self = .signalingStateChange(state)
            case .iceGatheringStateChange(let state): self = .iceGatheringStateChange(state)
            case .iceCandidate(let candidate): self = .iceCandidate(candidate)
            case .iceCandidateError(let error): self = .iceCandidateError(error)
            case .iceTransportStateChange(let state): self = .iceTransportStateChange(state)
            case .iceTransportGatheringStateChange(let state): self = .iceTransportGatheringStateChange(state)
            case .selectedCandidatePairChange(let pair): self = .selectedCandidatePairChange(pair)
            case .iceConnectionStateChange(let state): self = .iceConnectionStateChange(state)
            case .dtlsTransportStateChange(let state): self = .dtlsTransportStateChange(state)
            case .dtlsTransportError(let error): self = .dtlsTransportError(error)
            case .sctpTransportStateChange(let state): self = .sctpTransportStateChange(state)
            case .connectionStateChange(let state): self = .connectionStateChange(state)
            case .connectionFailed(let problems): self = .connectionFailed(problems)
            case .dataChannel, .dataChannelOpen, .dataChannelMessages, .dataChannelIDAssigned,
                .dataChannelBufferedAmount,
                .dataChannelClosing, .dataChannelClosed, .trackMuted, .trackUnmuted, .trackEnded, .streamTrackAdded,
                .streamTrackRemoved, .track:
                return nil
            }
        }
    }
}

extension RTCPeerConnection.Event {
    // MARK: Beyond W3C

    /// Whether the peer is gone: nothing will come of its connection any more.
    public var endsConnection: Bool {
        switch self {
        case .connectionStateChange(.failed), .connectionStateChange(.closed), .dtlsTransportStateChange(.closed),
            .sctpTransportStateChange(.closed):
            return true
        default: return false
        }
    }
}
