/// What a handshake agreed upon.
public struct DTLSSessionInfo: Sendable, Hashable {
    /// The protocol version.
    public var version: DTLSVersion
    /// The cipher suite's IANA name, for example `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`.
    public var cipherSuite: String
    /// The key exchange's group, for example `X25519` or `P-256`; `nil` when OpenSSL does not tell.
    public var group: String?
    /// The SRTP profile; `nil` when the peers share none or one of them did not offer any.
    public var srtpProfile: SRTPProtectionProfile?
    /// Whether the master secret is bound to the handshake (RFC 7627).
    public var extendedMasterSecret: Bool
    /// The peer's certificates in DER, its own first.
    public var peerCertificates: [[UInt8]]
}

/// The side of the handshake.
public enum DTLSRole: String, Sendable, Hashable {
    /// Sends the first hello: `a=setup:active`.
    case client
    /// Waits for it: `a=setup:passive`.
    case server
}

/// What a ``DTLSConnection`` has counted.
public struct DTLSCounters: Sendable, Hashable {
    /// Datagrams given to ``DTLSConnection/receive(_:now:deliver:)``.
    public var datagramsReceived = 0
    /// Datagrams handed out to be sent.
    public var datagramsSent = 0
    /// Application records delivered.
    public var recordsReceived = 0
    /// Application records sent.
    public var recordsSent = 0
    /// The bytes of the application records delivered.
    public var bytesReceived = 0
    /// The bytes of the application records sent.
    public var bytesSent = 0
    /// Datagrams, or parts of them, dropped unread: before the start without room to hold them, after the end, too long, or
    /// impossible at that point of a handshake.
    public var datagramsDropped = 0
    /// Datagrams on an established connection without any new application record: repetitions, forgeries, alerts.
    public var datagramsWithoutData = 0
    /// Flights sent again because an answer was late.
    public var retransmissions = 0
    /// Alerts sent, warnings among them.
    public var alertsSent = 0
    /// Authenticated alerts received, warnings among them.
    public var alertsReceived = 0
    /// Alerts received that nobody authenticated; see ``DTLSConnection``.
    public var unauthenticatedAlerts = 0
}
