import RTCBase
import RTCCore

/// The TCP candidates of this side (RFC 6544 section 4.5).
public struct RTCTcpCandidates: OptionSet, Sendable, Hashable {
    /// One bit for each role.
    public let rawValue: UInt8

    /// Roles by their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Connect to passive candidates of peers. A peer thereby makes this host open TCP connections to addresses that it
    /// names, 16 at most; ports of well-known other services are left alone (WHATWG fetch's list).
    public static let active = RTCTcpCandidates(rawValue: 1)
    /// Listen: an endpoint on its own port number, a connection without an endpoint on a port that the system chooses.
    public static let passive = RTCTcpCandidates(rawValue: 2)
}

/// What peers are told in place of a local address: for interfaces behind one-to-one NATs, or in other networks.
public struct RTCAddressRewrite: Sendable, Hashable {
    /// The interface that the rule is for, or the beginning of its name followed by `*`; `nil` for all.
    public var interface: String?
    /// The local address that the rule is for, an IP literal; `nil` for all.
    public var localAddress: String?
    /// What peers are told: IP literals, of which those of the local address's family count. Empty tells nothing: the address is
    /// used for TURN and STUN and not announced.
    public var announced: [String]
    /// Whether the local address is told too. Default `false`.
    public var keepsLocal: Bool

    /// A rule.
    public init(
        interface: String? = nil,
        localAddress: String? = nil,
        announced: [String],
        keepsLocal: Bool = false
    ) {
        self.interface = interface
        self.localAddress = localAddress
        self.announced = announced
        self.keepsLocal = keepsLocal
    }
}

/// What happens when a local address appears or vanishes.
public enum RTCNetworkChangePolicy: Sendable, Hashable {
    /// Nothing: the addresses of the beginning are all there are.
    case ignore
    /// New addresses become candidates, and those that are gone are forgotten.
    ///
    /// The peer hears of new ones by the usual event, until gathering is complete: then it was told that there are no more (RFC 8838
    /// section 13). Later ones are tried all the same, and the peer learns of them by the checks. If the address that carried the data has
    /// gone, or nothing works for two seconds, `negotiationneeded` asks for a restart of ICE, which tells them.
    case gather
    /// The same, and every change asks for a restart of ICE, as ``RTCPeerConnection/restartIce()`` does.
    case restart
}

/// Which local addresses a connection or endpoint uses, and what it tells peers of them.
///
/// Beyond W3C: a browser has no say in this, a server in a container or behind a one-to-one NAT needs one (RFC 8828 section 5).
public struct RTCAddressPolicy: Sendable, Hashable {
    /// The policy of a new connection: all interfaces, without loopback unless there is nothing else.
    public static let defaults = RTCAddressPolicy()

    /// Listen on these addresses only, IP literals without port. Empty, the default: on the interfaces' addresses.
    public var addresses: [String] = []
    /// Whether loopback addresses are used beside others. Default `false`; a machine without any other uses them anyway.
    public var includesLoopback = false
    /// Whether IPv6 addresses are used. Default `true`.
    public var includesIPv6 = true
    /// Whether link-local addresses (169.254.0.0/16, fe80::/10) are used. Default `false`.
    public var includesLinkLocal = false
    /// Interfaces not to use: names, or beginnings of names followed by `*`, for example `docker*`. Default none.
    public var excludedInterfaces: [String] = []
    /// Interfaces to use and no others, in the same form. Empty, the default: all that are not excluded.
    public var includedInterfaces: [String] = []
    /// The ports of a connection's own sockets for UDP and for passive TCP; `nil`, the default: the system chooses. An endpoint has
    /// one port, see ``WebRTCEndpoint/Configuration/port``.
    public var portRange: ClosedRange<UInt16>?
    /// What to announce for some interfaces or addresses only; the first rule that fits holds, and ``announcedAddresses`` for those
    /// without one.
    public var rewriteRules: [RTCAddressRewrite] = []
    /// Whether host candidates show a random `.local` name in place of their address (draft-ietf-mmusic-mdns-ice-candidates), as
    /// browsers do: only peers on the same network find out what it stands for. Default `false`.
    public var hidesAddresses = false
    /// What happens when an address appears or vanishes while there are connections. Default ``RTCNetworkChangePolicy/gather``.
    public var networkChanges = RTCNetworkChangePolicy.gather
    /// Addresses to announce beside the local ones, or instead of them: IP literals. For a server behind a one-to-one NAT.
    public var announcedAddresses: [String] = []
    /// Whether ``announcedAddresses`` replace the local addresses of their family. Default `true`.
    public var announcedReplaceLocal = true

    /// Which TCP candidates there are (RFC 6544), for peers that no UDP reaches. Default none.
    public var tcp: RTCTcpCandidates = []
    /// Whether UDP candidates are offered. Default `true`. Without them only TCP and relays remain.
    public var usesUDP = true

    /// The default policy.
    public init() {}

    /// Checks that all addresses are IP literals.
    ///
    /// - Throws: `RTCError.Code.syntax` for one that is not.
    func validate() throws(RTCError) {
        if let range = self.portRange, range.lowerBound == 0 { throw RTCError(.range, "port 0 is in portRange") }
        for rule in self.rewriteRules {
            for address in rule.announced + [rule.localAddress].compactMap({ $0 })
            where TransportAddress(ip: address, port: 0) == nil {
                throw RTCError(.syntax, "'\(address)' is no IP address")
            }
        }
        for address in self.addresses + self.announcedAddresses where TransportAddress(ip: address, port: 0) == nil {
            throw RTCError(.syntax, "'\(address)' is no IP address")
        }
    }
}
