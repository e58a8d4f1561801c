/// W3C webrtc-stats, `RTCTransportStats`.
public struct RTCTransportStats: Sendable, Hashable {
    /// Datagrams sent; those of ICE do not count.
    public var packetsSent: UInt64 = 0
    /// Datagrams received; those of ICE do not count.
    public var packetsReceived: UInt64 = 0
    /// Bytes of the datagrams sent, without the headers of IP and UDP.
    public var bytesSent: UInt64 = 0
    /// Bytes of the datagrams received, without the headers of IP and UDP.
    public var bytesReceived: UInt64 = 0
    /// The ICE role of this side.
    public var iceRole: RTCIceRole = .unknown
    /// The ufrag of this side.
    public var iceLocalUsernameFragment: String?
    /// The state of DTLS.
    public var dtlsState: RTCDtlsTransportState = .new
    /// The state of ICE.
    public var iceState: RTCIceTransportState = .new
    /// The id of the pair in use; `nil` before there is one.
    public var selectedCandidatePairId: String?
    /// The id of the entry with this side's certificate.
    public var localCertificateId: String?
    /// The id of the entry with the peer's certificate; `nil` before DTLS is connected.
    public var remoteCertificateId: String?
    /// The version as it stands on the wire, in hexadecimal, for example `FEFD`.
    public var tlsVersion: String?
    /// The cipher suite by its IANA name.
    public var dtlsCipher: String?
    /// `client`, `server` or `unknown`.
    public var dtlsRole: String?
    /// The SRTP protection profile by its IANA name.
    public var srtpCipher: String?
    /// How often the pair in use changed, the first choice included.
    public var selectedCandidatePairChanges = 0
    // MARK: Beyond W3C
    /// The group of the key exchange.
    public var dtlsGroup: String?
}

/// W3C webrtc-stats, `RTCCertificateStats`.
public struct RTCCertificateStats: Sendable, Hashable {
    /// The fingerprint: pairs of upper-case hexadecimal digits with colons between (RFC 8122 section 5).
    public var fingerprint: String
    /// The hash function by its name in SDP, for example `sha-256`.
    public var fingerprintAlgorithm: String
    /// The certificate in DER, as base64.
    public var base64Certificate: String
}
