/// Where the exchange of descriptions stands (W3C webrtc-pc section 4.3.1).
public enum RTCSignalingState: String, Sendable, Hashable {
    case stable
    case haveLocalOffer = "have-local-offer"
    case haveRemoteOffer = "have-remote-offer"
    case haveLocalPranswer = "have-local-pranswer"
    case haveRemotePranswer = "have-remote-pranswer"
    case closed
}

/// How far local candidates are collected (W3C webrtc-pc section 4.3.2).
public enum RTCIceGatheringState: String, Sendable, Hashable {
    case new
    case gathering
    case complete
}

/// The state of a connection as a whole: of ICE and DTLS together (W3C webrtc-pc section 4.3.3).
public enum RTCPeerConnectionState: String, Sendable, Hashable {
    case closed
    case failed
    case disconnected
    case new
    case connecting
    case connected
}

/// The state of a connection's ICE transports together (W3C webrtc-pc section 4.3.4).
public enum RTCIceConnectionState: String, Sendable, Hashable {
    case closed
    case failed
    case disconnected
    case new
    case checking
    case completed
    case connected
}

/// The state of one ICE transport (W3C webrtc-pc section 5.6.4).
public enum RTCIceTransportState: String, Sendable, Hashable {
    case closed
    case failed
    case disconnected
    case new
    case checking
    case completed
    case connected
}

/// The state of a DTLS transport (W3C webrtc-pc section 5.5.1).
public enum RTCDtlsTransportState: String, Sendable, Hashable {
    case new
    case connecting
    case connected
    case closed
    case failed
}

/// The state of an SCTP transport (W3C webrtc-pc section 6.1.1.2).
public enum RTCSctpTransportState: String, Sendable, Hashable {
    case connecting
    case connected
    case closed
}

/// The state of a data channel (W3C webrtc-pc section 6.2).
public enum RTCDataChannelState: String, Sendable, Hashable {
    case connecting
    case open
    case closing
    case closed
}

/// The ICE role of an agent (RFC 8445 section 6.1.1).
public enum RTCIceRole: String, Sendable, Hashable {
    case unknown
    case controlling
    case controlled
}
