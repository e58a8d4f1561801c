public import NIOCore
public import RTCBase
public import RTCSCTP

extension PeerSession {
    /// What happened, with the state as it was at that moment.
    public enum Event: Sendable {
        case negotiationNeeded
        case signalingStateChange(RTCSignalingState)
        case iceGatheringStateChange(RTCIceGatheringState)
        /// A candidate; an empty one at the end of a generation, `nil` when all generations are complete.
        case iceCandidate(RTCIceCandidate?)
        case iceCandidateError(RTCIceCandidateError)
        case iceTransportStateChange(RTCIceTransportState)
        case iceTransportGatheringStateChange(RTCIceGatheringState)
        case selectedCandidatePairChange(RTCIceCandidatePair)
        case iceConnectionStateChange(RTCIceConnectionState)
        case dtlsTransportStateChange(RTCDtlsTransportState)
        case dtlsTransportError(RTCError)
        case sctpTransportStateChange(RTCSctpTransportState)
        case connectionStateChange(RTCPeerConnectionState)
        /// The peer opened a channel.
        case dataChannel(DataChannelHandle, DataChannelParameters, StreamID)
        /// A channel of ours, or the peer's, may be used.
        case dataChannelOpen(DataChannelHandle)
        case dataChannelMessage(DataChannelHandle, DataChannelMessageKind, ByteBuffer)
        case dataChannelIDAssigned(DataChannelHandle, StreamID)
        /// Bytes left a channel's queue: this many wait still.
        case dataChannelBufferedAmount(DataChannelHandle, Int)
        case dataChannelClosing(DataChannelHandle)
        case dataChannelClosed(DataChannelHandle, RTCError?)
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
