import NIOCore
public import RTCBase
public import RTCSCTP

extension PeerSession {
    /// What happened, with the state as it was at that moment.
    ///
    /// What is large and rare is held indirectly, so that the others stay small.
    public enum Event: Sendable {
        /// An offer should be made (W3C webrtc-pc section 4.7.3).
        case negotiationNeeded
        /// ``PeerSession/signalingState`` changed.
        case signalingStateChange(RTCSignalingState)
        /// ``PeerSession/iceGatheringState`` changed.
        case iceGatheringStateChange(RTCIceGatheringState)
        /// A candidate; an empty one at the end of a generation, `nil` when all generations are complete.
        indirect case iceCandidate(RTCIceCandidate?)
        /// A server gave no candidate.
        indirect case iceCandidateError(RTCIceCandidateError)
        /// The ICE transport changed its state.
        case iceTransportStateChange(RTCIceTransportState)
        /// The ICE transport changed its gathering state.
        case iceTransportGatheringStateChange(RTCIceGatheringState)
        /// Data takes another path.
        indirect case selectedCandidatePairChange(RTCIceCandidatePair)
        /// ``PeerSession/iceConnectionState`` changed.
        case iceConnectionStateChange(RTCIceConnectionState)
        /// The DTLS transport changed its state.
        case dtlsTransportStateChange(RTCDtlsTransportState)
        /// DTLS failed.
        indirect case dtlsTransportError(RTCError)
        /// The SCTP transport changed its state.
        case sctpTransportStateChange(RTCSctpTransportState)
        /// ``PeerSession/connectionState`` changed.
        case connectionStateChange(RTCPeerConnectionState)
        /// The connection has failed, for these likely reasons; follows the change of state.
        indirect case connectionFailed([RTCConnectionProblem])
        /// The peer stopped sending a track; the track is muted now.
        case trackMuted(TransceiverID)
        /// Media of a track arrives.
        case trackUnmuted(TransceiverID)
        /// A track of the peer belongs to a stream no more.
        indirect case streamTrackRemoved(stream: String, TransceiverID)
        /// A track of the peer belongs to a stream now.
        indirect case streamTrackAdded(stream: String, TransceiverID)
        /// The peer sends a track (W3C webrtc-pc section 5.7), in these streams.
        indirect case track(TransceiverID, streams: [String])
        /// A track of the peer has ended.
        case trackEnded(TransceiverID)
        /// The peer opened a channel.
        indirect case dataChannel(DataChannelHandle, DataChannelParameters, StreamID)
        /// A channel of ours, or the peer's, may be used.
        case dataChannelOpen(DataChannelHandle)
        /// Messages of one channel came in, one at least: as many as were there together.
        case dataChannelMessages(DataChannelHandle, [DataChannelMessage])
        /// A channel made here got its stream, now that the DTLS role is known.
        case dataChannelIDAssigned(DataChannelHandle, StreamID)
        /// Bytes left a channel's queue: this many wait still.
        case dataChannelBufferedAmount(DataChannelHandle, Int)
        /// The peer began to close a channel.
        case dataChannelClosing(DataChannelHandle)
        /// A channel is gone; with an error unless it was closed in order.
        indirect case dataChannelClosed(DataChannelHandle, RTCError?)
    }
}

/// Why a server gave no candidate (W3C webrtc-pc section 4.8.3).
public struct RTCIceCandidateError: Sendable, Hashable {
    /// The local address that the server was asked from, if known.
    public var address: String?
    /// The local port, if known.
    public var port: UInt16?
    /// The server's URL.
    public var url: String
    /// The STUN error code, or 701 if the server could not be reached.
    public var errorCode: Int
    /// The reason in words.
    public var errorText: String
}
