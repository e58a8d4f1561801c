public import NIOCore
public import NIOSSL
public import RTCBase
public import RTCTURN

/// How a ``TURNServer`` listens, whom it serves and what it allows.
public struct TURNServerConfiguration: Sendable {
    /// An address that clients send to.
    public struct Listener: Sendable {
        /// The transport.
        public var transport: TURNTransport
        /// An IP address of this host. `0.0.0.0` and `::` stand for all addresses of the family that are not link-local;
        /// loopback ones only if there are no others.
        public var address: String
        /// The port; 0 lets the system choose.
        public var port: Int
        /// Certificate and key; required for TLS and nothing for other transports.
        public var tls: TLSConfiguration?

        /// A listener.
        public init(_ transport: TURNTransport, address: String, port: Int = 3478, tls: TLSConfiguration? = nil) {
            self.transport = transport
            self.address = address
            self.port = port
            self.tls = tls
        }
    }

    /// An address that relays are bound to; one of each family.
    public struct RelayAddress: Sendable, Hashable {
        /// An IP address of this host.
        public var address: String
        /// What clients and peers are told in its place, behind a one-to-one NAT.
        public var announced: String?

        /// A relay address.
        public init(_ address: String, announced: String? = nil) {
            self.address = address
            self.announced = announced
        }
    }

    /// Finds out whose key a user name or its hash has. Called on any thread, many at once, but at most
    /// ``TURNServerCoreConfiguration/pendingAuthentications`` for each thread of the server.
    ///
    /// Its task is cancelled when ``TURNServerCoreConfiguration/pendingTimeout`` has passed, by default 5 s, and the client gets a
    /// 500; also when the server stops. One that goes on nevertheless counts until it returns.
    public typealias Authenticator = @Sendable (TURNAuthenticationRequest) async -> TURNAuthenticationAnswer

    /// Where clients are listened to.
    public var listeners: [Listener]
    /// Where relays are bound; empty for none, which makes a STUN server.
    public var relayAddresses: [RelayAddress]
    /// The ports of relays. Default 49152 to 65535.
    public var relayPorts: ClosedRange<Int> = 49_152...65_535
    /// The realm of long-term credentials. Default `localhost`.
    public var realm = "localhost"
    /// Passwords by user name.
    public var users: [String: String] = [:]
    /// Secrets for time-limited credentials, see ``TURNServer/mintCredential(for:lifetime:)``; several while one replaces
    /// another.
    public var sharedSecrets: [String] = []
    /// Asked about users that neither ``users`` nor ``sharedSecrets`` know.
    public var authenticator: Authenticator?
    /// Whether everybody may relay without credentials. Default `false`; an open relay will be abused.
    public var allowsAnyone = false
    /// How many allocations there are, in all and for each user, and a user's bandwidth.
    public var limits = TURNQuotaLedger.Limits()
    /// Bytes a second of one allocation in each direction; `nil`, the default, for no limit.
    public var bytesPerSecondPerAllocation: Int?
    /// Peers that are allowed though they would be refused, in CIDR notation.
    public var allowedPeers: [TURNAddressRange] = []
    /// Peers that are refused, in CIDR notation, beyond those that ``TURNPeerFilter`` refuses by itself.
    public var deniedPeers: [TURNAddressRange] = []
    /// Whether TCP is relayed (RFC 6062). Default `true`.
    public var relaysTCP = true
    /// A second IP address of this host, for behaviour discovery (RFC 5780) on the first UDP listener; with
    /// ``alternatePort``.
    public var alternateAddress: String?
    /// The second port for behaviour discovery. Default 3479.
    public var alternatePort = 3479
    /// Another server, which clients are sent to while this one drains.
    public var alternateServer: TransportAddress?
    /// Lifetimes, rates and sizes of which the defaults are rarely wrong. What stands above is taken from above.
    public var core = TURNServerCoreConfiguration()
    /// Threads for UDP and relays, 1 to 256; `nil`, the default, for one for each processor.
    public var threads: Int?
    /// How long a thread that is busy (4,000 datagrams a second) rests between looks at its sockets, so that it is woken for
    /// several datagrams at once. It is what relaying delays them at most, and half of it on the average. Default 500 µs; 0 for
    /// not at all, at most 10 ms.
    public var wakeupPause = TimeAmount.microseconds(500)
    /// Clients' connections over TCP and TLS at a time. Default 10,000.
    public var connections = 10_000
    /// Of these, connections of one IPv4 address or IPv6 network of 64 bits. Default 1,000.
    public var connectionsPerAddress = 1_000
    /// Bytes that may wait for a client that reads slowly, 1 KiB to 1 GiB; what peers send beyond is dropped, and a client for
    /// which twice as much waits is cut off. Default 256 KiB.
    public var bytesPerConnection = 256 << 10
    /// How long a client over TCP or TLS may read nothing of what waits for it before it is cut off, 1 s to 1 h; counted in
    /// whole seconds. Connections joined to a peer's (RFC 6062) wait as long as they like. Default 60 s.
    public var stalledReaderTimeout = TimeAmount.seconds(60)

    /// A server for these listeners and relays.
    public init(listeners: [Listener], relayAddresses: [RelayAddress] = []) {
        self.listeners = listeners
        self.relayAddresses = relayAddresses
    }
}
