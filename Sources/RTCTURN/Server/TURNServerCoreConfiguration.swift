public import NIOCore
public import RTCBase

/// What a ``TURNServerCore`` does and allows.
public struct TURNServerCoreConfiguration: Sendable {
    /// Who may have allocations.
    public enum Authentication: Sendable {
        /// No relaying: a STUN server.
        case stunOnly
        /// Everybody. An open relay will be abused; for closed networks and measurements.
        case anyone
        /// Whoever has credentials.
        case credentials(TURNCredentialSources)
    }

    /// Who may have allocations. Default ``Authentication/stunOnly``.
    public var authentication = Authentication.stunOnly
    /// REALM. Default `localhost`.
    public var realm = "localhost"
    /// SOFTWARE in responses that are authenticated; `nil`, the default, for none.
    public var software: String?
    /// The families that relays can have.
    public var relayFamilies: Set<TransportAddress.Family> = [.ipv4]
    /// Whether TCP can be relayed (RFC 6062). Default `true`.
    public var relaysTCP = true
    /// The lifetime of allocations whose clients ask for none or less, in seconds. Default 600.
    public var defaultLifetime: Int64 = 600
    /// The longest lifetime, in seconds. Default 3,600.
    public var maximumLifetime: Int64 = 3_600
    /// How long a nonce is good for. Default 10 minutes.
    public var nonceLifetime = TimeAmount.minutes(10)
    /// What nonces are made with: the same for all cores of a server. Empty, the default, for random bytes.
    public var nonceSecret: [UInt8] = []
    /// Whether PASSWORD-ALGORITHMS is offered, SHA-256 first (RFC 8489 section 9.2.1). Default `true`.
    public var offersPasswordAlgorithms = true
    /// Which peers may be reached.
    public var peerFilter = TURNPeerFilter()
    /// Permissions of an allocation. Default 64.
    public var permissionsPerAllocation = 64
    /// Channels of an allocation. Default 64.
    public var channelsPerAllocation = 64
    /// TCP connections of an allocation to peers. Default 16.
    public var connectionsPerAllocation = 16
    /// Bytes a second of one allocation in each direction; `nil`, the default, for no limit.
    public var bytesPerSecondPerAllocation: Int?
    /// Responses a second to one address without valid credentials: binding responses and the errors 401, 438 and 400, over
    /// UDP. Others are dropped, so that nobody can aim this server at somebody else. Default 500.
    public var unauthenticatedResponsesPerSecond = 500
    /// Requests that wait for an answer about their user. Default 1,000.
    public var pendingAuthentications = 1_000
    /// Of these, requests of one IPv4 address or IPv6 network of 64 bits. Default 50.
    public var pendingAuthenticationsPerAddress = 50
    /// How long a request waits for an answer about its user, after which it is refused with 500, or for its relay, after which
    /// it is dropped; rounded up to whole seconds. Default 5 s.
    public var pendingTimeout = TimeAmount.seconds(5)
    /// How long a client's connection may stay without an allocation. Default 60 s.
    public var idleConnectionTimeout = TimeAmount.seconds(60)
    /// Another server's address, told with 300 while this one drains.
    public var alternateServer: TransportAddress?
    /// The other addresses for behaviour discovery (RFC 5780): by each address of the server, the one that differs in IP
    /// address and port. Empty, the default, for no discovery.
    public var otherAddresses: [TransportAddress: TransportAddress] = [:]
    /// The number of this core among its server's, 0 to 255: it leads the IDs of connections.
    public var index: UInt8 = 0

    /// A STUN server.
    public init() {}
}

/// Where users are known from, asked in this order: table, shared secrets, owner.
public struct TURNCredentialSources: Sendable {
    /// Passwords by user name.
    public var users: [String: String]
    /// Secrets for time-limited credentials; several while one replaces another.
    public var sharedSecrets: [String]
    /// Whether the owner is asked, see ``TURNServerOutput/authenticate(_:)``.
    public var asksOwner: Bool

    /// Sources.
    public init(users: [String: String] = [:], sharedSecrets: [String] = [], asksOwner: Bool = false) {
        self.users = users
        self.sharedSecrets = sharedSecrets
        self.asksOwner = asksOwner
    }
}
