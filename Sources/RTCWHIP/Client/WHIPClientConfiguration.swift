public import Logging
public import RTCBase
public import RTCCore
public import WebRTC

/// How a ``WHIPClient`` or ``WHEPClient`` works.
public struct WHIPClientConfiguration: Sendable {
    /// When a server learns this side's candidates.
    public enum Candidates: Sendable, Hashable {
        /// As they are found, with `PATCH` after the offer was answered: the fastest, also where the server names STUN and TURN servers. A
        /// server that takes no `PATCH` finds this side by its checks.
        case trickled
        /// All with the offer, which waits for them.
        case gathered
    }

    /// The bearer token (RFC 6750), which goes with every request that ``sendsToken`` allows; nil for none.
    public var token: String?
    /// Whether the token goes to a URL: that of the endpoint, of a redirection, or of the session. Default: to all, since servers share
    /// out their load by redirections to other hosts (RFC 9725 section 4.5). From TLS to none is never gone.
    public var sendsToken: @Sendable (_ url: String) -> Bool = { _ in true }
    /// How the connection is configured. Servers for ICE that stand here take the place of those that the server names (RFC 9725
    /// section 4.6).
    public var connection = RTCConfiguration(bundlePolicy: .maxBundle)
    /// Which local addresses the connection uses.
    public var addressPolicy = RTCAddressPolicy.defaults
    /// Makes the connection; nil for one with sockets of its own.
    public var connect: (@Sendable (RTCConfiguration) throws(RTCError) -> RTCPeerConnection)?
    /// When the server learns the candidates. Default trickled.
    public var candidates = Candidates.trickled
    /// Whether servers for ICE are asked for with `OPTIONS` before the offer; RFC 9725 section 4.6 advises against it. Needed with
    /// ``Candidates/gathered`` only. Default `false`.
    public var asksForServers = false
    /// Whether ICE is restarted when the path is lost. Default `true`.
    public var restartsICE = true
    /// How often a restart is tried before the session counts as lost. Default 5.
    public var restartAttempts = 5
    /// How often an offer is sent again to a server that has no room at present: 503, 429, and for WHEP 409. Default 5.
    public var retries = 5
    /// The longest wait before an offer is sent again, whatever the server says. Default 60 s.
    public var maximumRetryDelay: Duration = .seconds(60)
    /// How many redirections are followed. Default 5.
    public var redirects = 5
    /// How long a request may take, until its response is there to the last byte. Default 10 s.
    public var requestTimeout: Duration = .seconds(10)
    /// How long to wait for candidates where a message should have all. Default 3 s.
    public var gatheringTimeout: Duration = .seconds(3)
    /// What sends the requests.
    public var exchange: any WHIPExchange = AsyncHTTPExchange.shared
    /// What tells the time.
    public var clock: any Clock<Duration> = ContinuousClock()
    /// Where the client logs to; nil for nowhere.
    public var logger: Logger?

    /// The defaults.
    public init() {}
}

// The token, and the credentials of servers for ICE.
extension WHIPClientConfiguration: CustomStringConvertible, CustomDebugStringConvertible {
    /// What a session does, and whether there is a token: nothing that is secret.
    public var description: String {
        "WHIPClientConfiguration(\(self.token == nil ? "no token" : "token"), candidates: \(self.candidates))"
    }

    /// The same as ``description``.
    public var debugDescription: String { self.description }
}

/// What happens to a session of a ``WHIPClient`` or ``WHEPClient``.
public enum WHIPClientEvent: Sendable, Hashable {
    /// The connection's state changed.
    case connectionStateChange(RTCPeerConnectionState)
    /// ICE was restarted.
    case restarted
    /// The session is over, for this reason; nil after `stop()`. The last event.
    case ended(WHIPClientError?)
}
