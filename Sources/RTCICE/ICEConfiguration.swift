public import NIOCore
public import RTCBase
public import RTCSTUN

/// The times and limits of an ``ICEAgent``.
public struct ICEConfiguration: Sendable, Hashable {
    /// Ta: the least time between two ordinary checks, and between two requests of one pair. Default 20 ms; less than
    /// 5 ms counts as 5 ms (RFC 8445 section 14.2, which recommends 50 ms where nothing is known of the network).
    public var pacingInterval: TimeAmount = .milliseconds(20)
    /// The retransmissions of a connectivity check; its RTO grows with the number of checks under way (RFC 8445
    /// section 14.3). Default 500 ms, 7 transmissions, 39.5 s in all.
    public var checkTiming = STUNTransaction.Timing()
    /// The retransmissions of a request to a STUN server. Default 5 transmissions and 9.5 s in all, so that one dead
    /// server does not hold up a peer that waits for the end of gathering; RFC 8489 has 7 and 39.5 s.
    public var serverTiming = STUNTransaction.Timing(transmissions: 5, finalWait: 4)
    /// How long a controlling agent waits for a better pair before it nominates the best of those that work. Default
    /// 100 ms. It does not wait when no better one is left to be checked.
    public var nominationDelay: TimeAmount = .milliseconds(100)
    /// How long a controlling agent waits for a pair without a relay before it nominates one with a relay. Default
    /// 500 ms. It does not wait when no better one is left to be checked.
    public var relayNominationDelay: TimeAmount = .milliseconds(500)
    /// How long a check over TCP waits for its answer, the connection's making included (RFC 6544 section 6.2 has
    /// 39.5 s). Default 20 s.
    public var tcpCheckTimeout: TimeAmount = .seconds(20)
    /// Whether this is a lite agent (RFC 8445 section 2.5): it answers checks and sends none, offers host candidates
    /// only and is always the controlled one. For servers that every peer can reach. Default `false`.
    public var isLite = false
    /// How long after the peer's credentials are known the agent does not fail, whatever has failed (RFC 8863). Default
    /// 30 s; the default ``checkTiming`` alone takes the 39.5 s that RFC 8863 recommends where pairs do not answer.
    public var patience: TimeAmount = .seconds(30)
    /// The average time between consent checks, each randomised by a factor of 0.8 to 1.2 (RFC 7675 section 5.1).
    /// Default 5 s; less counts as 5 s.
    public var consentInterval: TimeAmount = .seconds(5)
    /// How long after the last answer the agent gives up sending: consent has expired and the agent fails. Default 30 s
    /// (RFC 7675 section 5.1); less than three times ``consentInterval`` counts as that.
    public var consentExpiry: TimeAmount = .seconds(30)
    /// How long nothing authenticated must have been heard, with a check unanswered for at least half that time, before
    /// the agent reports ``ICEConnectionState/disconnected``. Default 5 s; less than 1 s counts as 1 s.
    public var disconnectedTimeout: TimeAmount = .seconds(5)
    /// How often a selected pair that owes an answer is asked again, until it answers. Default 500 ms; less than
    /// 100 ms counts as 100 ms.
    public var probeInterval: TimeAmount = .milliseconds(500)
    /// The most local candidates. Default 100.
    public var maximumLocalCandidates = 100
    /// The most remote candidates that signalling may add. Default 100.
    public var maximumRemoteCandidates = 100
    /// The most remote candidates that checks may reveal. Default 32.
    public var maximumPeerReflexiveCandidates = 32
    /// The most candidate pairs (RFC 8445 section 6.1.2.5). Default 100.
    public var maximumPairs = 100
    /// The most checks remembered before the peer's credentials are known. Default 16.
    public var maximumEarlyChecks = 16

    /// The defaults.
    public init() {}

    /// The timing of a check over TCP, which repeats what is lost by itself.
    var tcpTiming: STUNTransaction.Timing {
        STUNTransaction.Timing(initialInterval: self.tcpCheckTimeout, transmissions: 1, finalWait: 1)
    }
    var pacing: TimeAmount { max(self.pacingInterval, .milliseconds(5)) }
    var consent: TimeAmount { max(self.consentInterval, .seconds(5)) }
    var expiry: TimeAmount { max(self.consentExpiry, self.consent * 3) }
    var disconnection: TimeAmount { max(self.disconnectedTimeout, .seconds(1)) }
    var probing: TimeAmount { max(self.probeInterval, .milliseconds(100)) }
}

/// A local address to offer as a host candidate.
public struct ICEHostAddress: Sendable, Hashable {
    /// What datagrams are sent from; the driver finds its socket by it.
    public var base: TransportAddress
    /// What peers are told instead, for example the public address of a 1:1 NAT. Default: the base.
    public var announced: [TransportAddress]
    /// The local preference, 0 to 65535; `nil` lets the agent choose by RFC 8421: IPv6 and IPv4 alternate, link-local
    /// and loopback addresses come last, otherwise in the order given.
    public var localPreference: UInt16?
    /// The role of a TCP address; `nil` for UDP. An active one has the port ``ICECandidate/activePort``.
    public var tcpType: ICECandidate.TCPType?
    /// A `.local` name that peers are told in place of the address (draft-ietf-mmusic-mdns-ice-candidates); `nil` tells
    /// the address.
    public var hostname: String?

    /// An address to send from, and what peers are told of it; `nil` tells the address itself.
    public init(
        base: TransportAddress,
        announced: [TransportAddress]? = nil,
        localPreference: UInt16? = nil,
        tcpType: ICECandidate.TCPType? = nil,
        hostname: String? = nil
    ) {
        self.base = base
        self.announced = announced ?? [base]
        self.localPreference = localPreference
        self.tcpType = tcpType
        self.hostname = hostname
    }
}

/// A STUN server to learn reflexive addresses from.
public struct ICEServerAddress: Sendable, Hashable {
    /// Its address, resolved.
    public var address: TransportAddress
    /// Its URL, for candidates and errors.
    public var url: String

    /// A server at a known address.
    public init(address: TransportAddress, url: String) {
        self.address = address
        self.url = url
    }
}
