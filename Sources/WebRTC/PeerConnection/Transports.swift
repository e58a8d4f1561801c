import RTCBase
public import RTCCore

/// The SCTP transport of a connection (W3C webrtc-pc section 6.1.1).
public struct RTCSctpTransport: Sendable {
    let shared: PeerShared

    /// The DTLS transport that carries it.
    public var transport: RTCDtlsTransport { RTCDtlsTransport(shared: self.shared) }
    /// Its state.
    public var state: RTCSctpTransportState { self.shared.current.transports?.sctpState ?? .closed }
    /// The largest message that may be sent, in bytes; `Int.max` if the peer takes any.
    public var maxMessageSize: Int { self.shared.current.transports?.maximumMessageSize ?? 65_536 }
    /// The most channels, `nil` before it is connected.
    public var maxChannels: Int? { self.shared.current.transports?.maxChannels }
}

/// The DTLS transport of a connection (W3C webrtc-pc section 5.5).
public struct RTCDtlsTransport: Sendable {
    let shared: PeerShared

    /// The ICE transport that carries it.
    public var iceTransport: RTCIceTransport { RTCIceTransport(shared: self.shared) }
    /// Its state.
    public var state: RTCDtlsTransportState { self.shared.current.transports?.dtlsState ?? .new }

    /// The peer's certificates in DER, empty before the transport is connected.
    public func getRemoteCertificates() -> [[UInt8]] { self.shared.current.transports?.remoteCertificates ?? [] }
}

/// The ICE transport of a connection (W3C webrtc-pc section 5.6).
public struct RTCIceTransport: Sendable {
    let shared: PeerShared

    /// The role of this side.
    public var role: RTCIceRole { self.shared.current.transports?.iceRole ?? .unknown }
    /// `rtp`: RTCP has no component of its own.
    public var component: String { "rtp" }
    /// Its state.
    public var state: RTCIceTransportState { self.shared.current.transports?.iceState ?? .new }
    /// How far candidates are collected.
    public var gatheringState: RTCIceGatheringState { self.shared.current.transports?.iceGatheringState ?? .new }

    /// The candidates that were sent to the peer.
    public func getLocalCandidates() -> [RTCIceCandidate] { self.shared.current.transports?.localCandidates ?? [] }
    /// The candidates that came from the peer.
    public func getRemoteCandidates() -> [RTCIceCandidate] { self.shared.current.transports?.remoteCandidates ?? [] }
    /// The path that data takes.
    public func getSelectedCandidatePair() -> RTCIceCandidatePair? {
        self.shared.current.transports?.selectedCandidatePair
    }
    /// The ufrag and password of this side.
    public func getLocalParameters() -> RTCIceParameters? { self.shared.current.transports?.localParameters }
    /// The ufrag and password of the peer.
    public func getRemoteParameters() -> RTCIceParameters? { self.shared.current.transports?.remoteParameters }
}
