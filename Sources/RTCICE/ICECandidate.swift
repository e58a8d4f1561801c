public import RTCBase

/// Where a candidate says it can be reached.
public enum ICECandidateAddress: Sendable, Hashable {
    /// An IP address and a port.
    case ip(TransportAddress)
    /// A name that stands for an address, usually a `.local` one (draft-ietf-mmusic-mdns-ice-candidates), and a port.
    case hostname(String, port: UInt16)

    /// The port.
    public var port: UInt16 {
        switch self {
        case .ip(let address): return address.port
        case .hostname(_, let port): return port
        }
    }
}

/// An address at which an agent may be reached (RFC 8445 section 4, RFC 8839 section 5.1).
public struct ICECandidate: Sendable, Hashable {
    /// How a candidate was found.
    public enum Kind: String, Sendable, Hashable {
        /// An address of the host itself.
        case host
        /// An address that a server saw.
        case serverReflexive = "srflx"
        /// An address that the peer saw during checks.
        case peerReflexive = "prflx"
        /// An address at a relay.
        case relayed = "relay"

        /// The type preference over TCP: below all direct candidates over UDP (RFC 6544 section 4.2).
        var preferenceOverTCP: UInt32 {
            switch self {
            case .host: return 90
            case .peerReflexive: return 80
            case .serverReflexive: return 70
            case .relayed: return 0
            }
        }

        /// The type preference (RFC 8445 section 5.1.2.2), 0 to 126.
        public var preference: UInt32 {
            switch self {
            case .host: return 126
            case .peerReflexive: return 110
            case .serverReflexive: return 100
            case .relayed: return 0
            }
        }
    }

    /// The protocol of a candidate. The agent uses UDP and TCP and ignores the others.
    public enum Transport: Sendable, Hashable {
        /// UDP.
        case udp
        /// TCP (RFC 6544).
        case tcp
        /// Anything else, as written.
        case other(String)
    }

    /// The role of a TCP candidate (RFC 6544 section 4.5).
    public enum TCPType: String, Sendable, Hashable {
        /// Opens the connection.
        case active
        /// Awaits the connection.
        case passive
        /// Both open at once. Understood in descriptions; the agent neither offers nor pairs such candidates.
        case simultaneousOpen = "so"

        /// How host candidates of this role rank among each other (RFC 6544 section 4.2).
        var directionPreference: UInt32 {
            switch self {
            case .active: return 6
            case .passive: return 4
            case .simultaneousOpen: return 2
            }
        }
    }

    /// Equal for candidates of the same kind, base and server: 1 to 32 characters of the ICE alphabet.
    public var foundation: String
    /// 1 for RTP and for data; 2 for RTCP of its own, which the agent ignores.
    public var component: Int
    /// The protocol.
    public var transport: Transport
    /// How much the owner prefers this candidate; higher is better.
    public var priority: UInt32
    /// The address it advertises.
    public var address: ICECandidateAddress
    /// How it was found.
    public var type: Kind
    /// `raddr` and `rport`: what a reflexive or relayed candidate derives from.
    public var relatedAddress: TransportAddress?
    /// Where datagrams of a local candidate are sent from; `nil` for remote candidates.
    public var base: TransportAddress?
    /// The `ufrag` extension: which generation it belongs to.
    public var usernameFragment: String?
    /// The server that revealed a local candidate.
    public var serverURL: String?
    /// The `tcptype` extension.
    public var tcpType: TCPType?

    /// A candidate from its parts.
    public init(
        foundation: String,
        component: Int = 1,
        transport: Transport = .udp,
        priority: UInt32,
        address: ICECandidateAddress,
        type: Kind,
        relatedAddress: TransportAddress? = nil,
        base: TransportAddress? = nil,
        usernameFragment: String? = nil,
        serverURL: String? = nil,
        tcpType: TCPType? = nil
    ) {
        self.foundation = foundation
        self.component = component
        self.transport = transport
        self.priority = priority
        self.address = address
        self.type = type
        self.relatedAddress = relatedAddress
        self.base = base
        self.usernameFragment = usernameFragment
        self.serverURL = serverURL
        self.tcpType = tcpType
    }

    /// The IP address, `nil` for a name.
    public var transportAddress: TransportAddress? {
        guard case .ip(let address) = self.address else { return nil }
        return address
    }

    /// The priority of a candidate (RFC 8445 section 5.1.2.1).
    public static func priority(type: Kind, localPreference: UInt16, component: Int = 1) -> UInt32 {
        type.preference << 24 | UInt32(localPreference) << 8 | UInt32(256 - min(max(component, 1), 256))
    }

    /// The priority of a TCP candidate (RFC 6544 section 4.2): three bits of the local preference tell its role.
    public static func priority(
        type: Kind,
        tcpType: TCPType,
        localPreference: UInt16,
        component: Int = 1
    ) -> UInt32 {
        let local = tcpType.directionPreference << 13 | UInt32(localPreference >> 3)
        return type.preferenceOverTCP << 24 | local << 8 | UInt32(256 - min(max(component, 1), 256))
    }

    /// The priority of the peer-reflexive candidate that a check from this candidate may reveal (RFC 8445 section
    /// 7.1.1).
    var peerReflexivePriority: UInt32 {
        let kind = Kind.peerReflexive
        let preference = self.transport == .tcp ? kind.preferenceOverTCP : kind.preference
        return preference << 24 | self.priority & 0x00FF_FFFF
    }

    /// The port that active TCP candidates show: nobody listens there (RFC 6544 section 4.5).
    public static let activePort: UInt16 = 9
}
