/// Who begins the DTLS handshake (RFC 4145 section 4, RFC 8842 section 5.2).
public enum SDPSetup: String, Sendable, Hashable, CaseIterable {
    /// The sender begins: it is the DTLS client.
    case active
    /// The sender waits: it is the DTLS server.
    case passive
    /// The sender leaves it to the answerer; what offers say.
    case actpass
    /// Nobody begins for now; not used by WebRTC.
    case holdconn
}
