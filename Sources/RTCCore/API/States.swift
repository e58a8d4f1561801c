/// Where the exchange of descriptions stands (W3C webrtc-pc section 4.3.1).
public enum RTCSignalingState: String, Sendable, Hashable {
    /// No exchange is under way; also before the first.
    case stable
    /// A local offer waits for its answer.
    case haveLocalOffer = "have-local-offer"
    /// A remote offer waits for its answer.
    case haveRemoteOffer = "have-remote-offer"
    /// A remote offer has a provisional local answer.
    case haveLocalPranswer = "have-local-pranswer"
    /// A local offer has a provisional remote answer.
    case haveRemotePranswer = "have-remote-pranswer"
    /// The connection is closed.
    case closed
}

/// How far local candidates are collected (W3C webrtc-pc section 4.3.2).
public enum RTCIceGatheringState: String, Sendable, Hashable {
    /// Gathering has not begun.
    case new
    /// Candidates are being collected.
    case gathering
    /// All candidates are there.
    case complete
}

/// The state of a connection as a whole: of ICE and DTLS together (W3C webrtc-pc section 4.3.3).
public enum RTCPeerConnectionState: String, Sendable, Hashable {
    /// The connection was closed on this side.
    case closed
    /// ICE or DTLS has failed.
    case failed
    /// The peer is silent; this may pass by itself.
    case disconnected
    /// Nothing has begun.
    case new
    /// ICE or DTLS is being established.
    case connecting
    /// Data can flow.
    case connected
}

/// The state of a connection's ICE transports together (W3C webrtc-pc section 4.3.4).
public enum RTCIceConnectionState: String, Sendable, Hashable {
    /// The connection was closed on this side.
    case closed
    /// No pair works, or consent has expired; only a restart leads out.
    case failed
    /// The peer is silent; this may pass by itself.
    case disconnected
    /// No checks yet: remote candidates or the description are missing.
    case new
    /// Pairs are being checked; none works yet.
    case checking
    /// A pair is in use, and no better one will come.
    case completed
    /// A pair is in use; better ones may still come.
    case connected
}

/// The state of one ICE transport (W3C webrtc-pc section 5.6.4).
public enum RTCIceTransportState: String, Sendable, Hashable {
    /// The transport was closed on this side.
    case closed
    /// No pair works, or consent has expired; only a restart leads out.
    case failed
    /// The peer is silent; this may pass by itself.
    case disconnected
    /// No checks yet: remote candidates or the description are missing.
    case new
    /// Pairs are being checked; none works yet.
    case checking
    /// A pair is in use, and no better one will come.
    case completed
    /// A pair is in use; better ones may still come.
    case connected
}

/// The state of a DTLS transport (W3C webrtc-pc section 5.5.1).
public enum RTCDtlsTransportState: String, Sendable, Hashable {
    /// The handshake has not begun.
    case new
    /// The handshake is under way.
    case connecting
    /// The handshake is done, and the peer's certificate is the one its description announced.
    case connected
    /// It was closed by either side.
    case closed
    /// The handshake failed, or the certificate is not the announced one.
    case failed
}

/// The state of an SCTP transport (W3C webrtc-pc section 6.1.1.2).
public enum RTCSctpTransportState: String, Sendable, Hashable {
    /// The association is being set up.
    case connecting
    /// Data channels can be used.
    case connected
    /// The association is over.
    case closed
}

/// The state of a data channel (W3C webrtc-pc section 6.2).
public enum RTCDataChannelState: String, Sendable, Hashable {
    /// The channel cannot be used yet.
    case connecting
    /// Messages can be sent.
    case open
    /// The channel is being closed; messages that were sent before still arrive.
    case closing
    /// The channel is over, or could not be opened.
    case closed
}

/// The ICE role of an agent (RFC 8445 section 6.1.1).
public enum RTCIceRole: String, Sendable, Hashable {
    /// Not determined yet.
    case unknown
    /// This side nominates.
    case controlling
    /// The peer nominates.
    case controlled
}
