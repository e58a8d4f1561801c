public import RTCCore

/// How a ``WHIPService`` or ``WHEPService`` serves.
public struct WHIPServiceConfiguration: Sendable {
    /// What clients may make a service keep and do.
    public struct Limits: Sendable, Hashable {
        /// The most sessions at once; one more gets 503. Default 10,000.
        public var sessions = 10_000
        /// The most sessions at once of one bearer token; one more gets 429. Default nil: no such limit, because viewers may share one.
        public var sessionsPerToken: Int?
        /// The most bytes of a body; a larger one gets 413. Default 128 KiB.
        public var bodySize = 128 << 10
        /// How many sessions may be opened, by all clients together; one more gets 429. Default 100 at once and 50 a second.
        ///
        /// Offers that are refused count, but for those that get 409; so do `OPTIONS` that name ``WHIPServiceConfiguration/iceServers``.
        /// To limit each client is for ``WHIPServiceConfiguration/authorize``, or for what stands before the service.
        public var openings = WHIPRateLimit(burst: 100, perSecond: 50)
        /// How many changes a session may ask for; one more gets 429. Default 50 at once and 10 a second.
        public var changes = WHIPRateLimit(burst: 50, perSecond: 10)
        /// How many changes of one session may wait for another; one more gets 429. Default 16.
        public var waitingChanges = 16

        /// The defaults.
        public init() {}
    }

    /// Decides on every request that is for something here, by a method that is known there: nil accepts it. `OPTIONS` are answered for
    /// everybody; this decides only whether one that is for an endpoint and no preflight names the ``iceServers``. The token is in
    /// ``WHIPRequest/token``; compare it with ``BearerToken/matches(_:)``. By default everybody is accepted.
    public var authorize: @Sendable (WHIPRequest) async -> WHIPRefusal? = { _ in nil }
    /// The STUN and TURN servers that a client is told of (RFC 9725 section 4.6), asked for each session, and for each
    /// `OPTIONS` to an endpoint that is no preflight and that ``authorize`` accepts. By default none.
    public var iceServers: @Sendable (WHIPRequest) async -> [RTCIceServer] = { _ in [] }
    /// What comes before the path in `Location`, `https://media.example.org` for example. Default empty: clients resolve the path
    /// against the URL of their request.
    public var baseURL = ""
    /// The origins of pages that may use the service (WHATWG Fetch). Default nil: all, since a page sends no token that it does not know.
    public var allowedOrigins: [String]?
    /// Bounds.
    public var limits = Limits()
    /// How long a session may take until it is connected; a counter-offer says that it holds for half as long. Default 30 s.
    public var connectTimeout: Duration = .seconds(30)
    /// How long to wait for candidates of servers that this side asks, before an answer goes out without them. Default 3 s.
    public var gatheringTimeout: Duration = .seconds(3)
    /// What tells the time.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// The defaults.
    public init() {}
}

/// How often something may happen: a bucket of tokens.
public struct WHIPRateLimit: Sendable, Hashable {
    /// How often at once.
    public var burst: Int
    /// How often in a second, in the long run.
    public var perSecond: Double

    /// A limit.
    public init(burst: Int, perSecond: Double) {
        self.burst = burst
        self.perSecond = perSecond
    }
}
