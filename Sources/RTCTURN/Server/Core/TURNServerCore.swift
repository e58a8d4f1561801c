public import NIOCore
public import RTCBase
internal import RTCSTUN

/// A STUN and TURN server without input and output (RFC 8656, RFC 8489, RFC 6062, RFC 5780).
///
/// A confined class that is told the time. One core serves the clients whose datagrams reach it; a server with several
/// threads has a core on each, which share a ``TURNQuotaLedger`` and the secret of the nonces.
///
/// Application data is not queued and not copied: ``receive(_:from:now:)`` and ``deliver(_:from:count:now:)`` say at once where
/// it goes, and the caller sends it. Everything else is an output of ``poll()``.
public final class TURNServerCore {
    /// What the core does and allows.
    public let configuration: TURNServerCoreConfiguration
    /// What happened so far.
    public internal(set) var counters = TURNServerCounters()
    /// Whether new allocations are refused, see ``drain()``.
    public internal(set) var isDraining = false

    let ledger: TURNQuotaLedger
    let nonces: STUNNonceIssuer
    let users: TURNUserTable
    var random: RandomSource
    var outputs = CircularBuffer<TURNServerOutput>()
    var allocations: [TURNFiveTuple: TURNAllocation] = [:]
    var slots: [RelaySlot] = []
    var freeSlots: [Int] = []
    var wheel: TimerWheel<Timer>
    var limiter: ResponseLimiter
    var pendingAuthentications: [UInt64: PendingAuthentication] = [:]
    var pendingRequests: Set<PendingKey> = []
    /// How many requests of each address wait for an answer about their user.
    var pendingByAddress: [TransportAddress: Int] = [:]
    var lastAuthentication: UInt64 = 0
    var connections: [UInt32: PeerConnection] = [:]
    /// Clients' TCP and TLS connections.
    var clients: [TURNFiveTuple: ClientConnection] = [:]
    /// The client of the datagram before: in a burst it is often the same.
    var lastAllocation: TURNAllocation?
    /// Of Data indications. Nobody answers them, so their IDs need not be hard to guess.
    var lastIndication: UInt64
    private var unixTime: Int64
    private var unixTimeAt: NIODeadline

    /// A core without allocations.
    ///
    /// - Parameters:
    ///   - unixTime: Seconds of the Unix epoch at `now`, for time-limited credentials.
    public init(
        configuration: TURNServerCoreConfiguration,
        ledger: TURNQuotaLedger,
        random: RandomSource = .system,
        unixTime: Int64,
        now: NIODeadline
    ) {
        self.configuration = configuration
        self.ledger = ledger
        self.random = random
        self.lastIndication = self.random.next()
        self.users = TURNUserTable(configuration)
        let features: STUNSecurityFeatures = configuration.offersPasswordAlgorithms ? .passwordAlgorithms : []
        self.nonces = STUNNonceIssuer(
            secret: configuration.nonceSecret.isEmpty ? self.random.bytes(count: 32) : configuration.nonceSecret,
            features: features,
            lifetime: configuration.nonceLifetime
        )
        self.wheel = TimerWheel(now: now)
        self.limiter = ResponseLimiter(perSecond: configuration.unauthenticatedResponsesPerSecond, now: now)
        self.unixTime = unixTime
        self.unixTimeAt = now
    }

    /// How many allocations there are.
    public var allocationCount: Int { self.allocations.count }

    /// Sets the clock for time-limited credentials again.
    public func setUnixTime(_ seconds: Int64, now: NIODeadline) {
        self.unixTime = seconds
        self.unixTimeAt = now
    }

    func unixTime(at now: NIODeadline) -> Int64 {
        self.unixTime + (now - self.unixTimeAt).nanoseconds / 1_000_000_000
    }

    /// Refuses new allocations from now on, with 300 where there is another server to name and 508 otherwise.
    public func drain() { self.isDraining = true }

    // MARK: The four verbs

    /// Takes one message of a client: a datagram, or what ``TURNStreamDecoder`` cut out of its stream.
    ///
    /// - Returns: Where its application data goes, if it carries some that may pass. Everything else is up to ``poll()``.
    public func receive(_ datagram: RawSpan, from client: TURNFiveTuple, now: NIODeadline) -> TURNForward? {
        guard self.isReachable(client) else { return nil }
        if let first: UInt8 = datagram.bigEndian(at: 0), TURNChannelData.isChannelData(firstByte: first) {
            return self.receiveChannelData(datagram, from: client, now: now)
        }
        guard let message = STUNMessage(datagram) else {
            self.counters.malformed += 1
            return nil
        }
        switch (message.messageClass, message.method) {
        case (.request, _): self.receiveRequest(message, datagram, from: client, now: now)
        case (.indication, .send): return self.receiveSend(message, datagram, from: client, now: now)
        // Binding indications keep NAT bindings alive; responses are nobody's here.
        default: break
        }
        return nil
    }

    /// What is to be done next; `nil` when there is nothing.
    public func poll() -> TURNServerOutput? { self.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due.
    public var nextTimeout: NIODeadline? { self.wheel.nextTimeout }

    /// Whether a client can still be answered: its connection, if it has one, is open.
    func isReachable(_ client: TURNFiveTuple) -> Bool { !client.transport.isStream || self.clients[client] != nil }

    // MARK: Requests

    private func receiveRequest(
        _ message: STUNMessage,
        _ datagram: RawSpan,
        from client: TURNFiveTuple,
        now: NIODeadline
    ) {
        self.counters.requests += 1
        let attributes = TURNAttributes(of: message, in: datagram)
        let request = TURNRequest(
            client: client,
            method: message.method,
            transactionID: message.transactionID,
            hasFingerprint: message.hasFingerprint
        )
        if message.method == .binding {
            return self.receiveBinding(request, attributes, now: now)
        }
        guard Self.methods.contains(message.method) else { return }
        switch self.configuration.authentication {
        case .stunOnly: return
        case .anyone:
            let user = TURNUser(name: "", account: client.client.ip, keyBytes: [], algorithm: .md5)
            self.handle(request, attributes, user, now: now)
        case .credentials: self.authenticate(request, message, attributes, datagram, now: now)
        }
    }

    private static let methods: Set<STUNMethod> = [
        .allocate, .refresh, .createPermission, .channelBind, .connect, .connectionBind,
    ]

    /// Handles a request whose sender is known.
    func handle(_ request: TURNRequest, _ attributes: TURNAttributes, _ user: TURNUser, now: NIODeadline) {
        guard attributes.unknownRequired.isEmpty else {
            let unknown = attributes.unknownRequired
            return self.refuse(request, .unknownAttribute) { $0.appendUnknownAttributes(unknown) }
        }
        guard attributes.malformed.isEmpty else { return self.refuse(request, .badRequest) }
        switch request.method {
        case .allocate: return self.allocate(request, attributes, user, now: now)
        case .connectionBind: return self.bindConnection(request, attributes, user, now: now)
        default: break
        }
        guard let allocation = self.allocations[request.client], allocation.isAnswered else {
            return self.refuse(request, .allocationMismatch)
        }
        guard allocation.user.name == user.name else { return self.refuse(request, .wrongCredentials) }
        switch request.method {
        case .refresh: self.refresh(allocation, request, attributes, now: now)
        case .createPermission: self.createPermission(allocation, request, attributes, now: now)
        case .channelBind: self.bindChannel(allocation, request, attributes, now: now)
        default: self.connect(allocation, request, attributes, now: now)
        }
    }
}

struct RelaySlot {
    var generation: UInt32 = 0
    var allocation: TURNAllocation?
}
