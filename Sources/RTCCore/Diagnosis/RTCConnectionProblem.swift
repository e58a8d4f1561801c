/// What keeps a connection from coming about, or has ended it: the likely cause, as far as one side can tell.
///
/// Beyond W3C.
public enum RTCConnectionProblem: Sendable, Hashable {
    /// Negotiation is not complete: the peer's description has not come.
    case noRemoteDescription
    /// This side has no address to offer; its address policy or its interfaces leave none.
    case noLocalCandidates
    /// The peer has told no candidate that can be used.
    case noRemoteCandidates
    /// Only relays may be used (`iceTransportPolicy`), and no TURN server is configured.
    case relayWithoutServer
    /// Only relays may be used, and none gave an address; what the servers said comes behind this.
    case noRelay
    /// A server refused, with this STUN error code: 401 for wrong credentials, 486 for too many allocations, and so on.
    case serverRefused(url: String, code: Int, text: String)
    /// A server did not answer, or could not be connected to.
    case serverUnreachable(url: String, text: String)
    /// All of the peer's candidates are `.local` names that nobody here knows: the two are not on one network. The networks are
    /// those of this side's candidates.
    case unresolvableNames(count: Int, localNetworks: [String])
    /// One side has IPv4 addresses only, the other IPv6.
    case noCommonAddressFamily
    /// One side offers TCP only, or the same TCP roles as the other.
    case noCommonTransport
    /// Both sides have told private addresses only, of networks that do not meet: one of them needs a STUN or TURN server.
    case privateNetworksOnly(local: [String], remote: [String])
    /// Checks of the peer arrive, and ours are not answered: a firewall lets datagrams through one way only.
    case oneWay
    /// Nothing was answered that was sent over UDP, not even by the STUN and TURN servers: a firewall lets no UDP out, and a TURN
    /// server over TCP or TLS is needed.
    case udpBlocked
    /// No check was answered although both sides have told public addresses: firewalls or symmetric NATs are in the way, and a
    /// relay (TURN, over TCP or TLS if UDP is blocked) is needed.
    case blockedWithoutRelay
    /// No check was answered, not even through relays.
    case noAnswer
    /// The peer refused the checks with this STUN error code.
    case checksRefused(code: Int)
    /// The connection worked, and then the peer stopped answering (RFC 7675).
    case consentExpired
    /// A path was found, and the DTLS handshake over it failed.
    case handshakeFailed
}

extension RTCConnectionProblem: CustomStringConvertible {
    /// The cause in plain words, with what to do.
    public var description: String {
        switch self {
        case .noRemoteDescription:
            return "the peer's description has not come: look at the signalling"
        case .noLocalCandidates:
            return "this side has no address to offer: look at its address policy and interfaces"
        case .noRemoteCandidates:
            return "the peer has told no usable candidate: look at the signalling of candidates"
        case .relayWithoutServer:
            return "only relays may be used, and no TURN server is configured"
        case .noRelay:
            return "only relays may be used, and no TURN server gave an address"
        case .serverRefused(let url, let code, let text):
            let what = code == 401 ? "refused the credentials" : "refused"
            return "the server \(url) \(what): \(code) \(text)"
        case .serverUnreachable(let url, let text):
            return "the server \(url) could not be used: \(text)"
        case .unresolvableNames(let count, let networks):
            let here = networks.isEmpty ? "no addresses" : "only \(networks.joined(separator: ", "))"
            return """
                the peer offered only .local names (\(count)), which nobody here knows, and we \(here): \
                they are not on one network, and one side needs a STUN or TURN server
                """
        case .noCommonAddressFamily:
            return "one side has only IPv4 and the other only IPv6: a TURN server with both is needed"
        case .noCommonTransport:
            return "the two sides have no transport in common: one offers only TCP, or both have the same TCP roles"
        case .privateNetworksOnly(let local, let remote):
            return """
                we offered only \(local.joined(separator: ", ")) and the peer only \(remote.joined(separator: ", ")), \
                private networks that do not meet: one side needs a STUN or TURN server, or an announced address
                """
        case .oneWay:
            return "the peer's checks arrive and ours are not answered: a firewall lets datagrams through one way only"
        case .blockedWithoutRelay:
            return """
                no check was answered: firewalls or symmetric NATs are in the way, and no relay was there; \
                a TURN server is needed, over TCP or TLS if UDP is blocked
                """
        case .udpBlocked:
            return """
                nothing was answered that was sent over UDP, not even by the servers: a firewall lets no UDP out; \
                a TURN server is needed over TLS, best on port 443
                """
        case .noAnswer:
            return """
                no check was answered, not even through relays: the peer is gone, or in a network that lets no UDP out
                """
        case .checksRefused(let code):
            return "the peer refused the checks with \(code): its description may be an old one"
        case .consentExpired:
            return "the connection worked, and then the peer stopped answering"
        case .handshakeFailed:
            return "a path was found, and the DTLS handshake over it failed"
        }
    }
}
