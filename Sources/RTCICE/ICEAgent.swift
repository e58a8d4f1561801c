public import NIOCore
public import RTCBase
public import RTCSTUN

/// A full ICE agent for one component over UDP (RFC 8445, 8838, 8839, 8863, 7675, 8421), without IO, clock or locks.
///
/// Give it local addresses (``gather(hosts:stunServers:now:)``), the peer's credentials and candidates, every STUN
/// datagram that arrives (``receive(_:from:to:now:)``) and its time-outs; take from ``poll()`` what to send and what
/// happened, until that is `nil`, after every call. Confined to one thread.
public final class ICEAgent {
    /// What an agent wants done or known.
    public enum Output: Sendable {
        /// A datagram to send.
        case transmit(ByteBuffer, from: TransportAddress, to: TransportAddress, kind: TransmitKind)
        /// Something happened.
        case event(Event)
    }

    /// What a datagram is, so that a driver with shared ports can route its answer.
    public enum TransmitKind: Sendable, Hashable {
        /// A connectivity or consent check; the answer carries this ID.
        case check(STUNTransactionID)
        /// A request to a STUN server; the answer carries this ID.
        case server(STUNTransactionID)
        /// An answer to a peer's check.
        case response
    }

    /// Something that happened.
    public enum Event: Sendable, Hashable {
        /// A local candidate to tell the peer.
        case localCandidate(ICECandidate)
        /// A local candidate that came after ``ICEAgent/noteEndOfCandidates()``. The peer must not be told (RFC 8838 section 13): it
        /// learns of it by our checks (RFC 8445 section 7.3.1.3), or after a restart.
        case untoldCandidate(ICECandidate)
        /// Gathering began or ended.
        case gatheringStateChanged(ICEGatheringState)
        /// A STUN server did not help (W3C `icecandidateerror`): its URL, its error code or 701 for silence, words,
        /// and the local address that asked.
        case candidateError(url: String, code: Int, text: String, address: TransportAddress)
        /// A STUN server told what it saw of us, which may be the local address that asked.
        case serverAnswered(url: String, address: TransportAddress)
        /// The connection state changed.
        case stateChanged(ICEConnectionState)
        /// Data goes over another pair from now on.
        case selectedPairChanged(ICECandidatePair)
        /// A role conflict, or a lite peer, changed the role.
        case roleChanged(ICERole)
        /// The first authenticated message came from this remote address to this base: a route for its datagrams may be
        /// written.
        case pathValidated(remote: TransportAddress, base: TransportAddress)
        /// A `.local` name wants resolving; answer with ``ICEAgent/addResolved(hostname:addresses:now:)``.
        case resolve(hostname: String)
    }

    /// The times and limits.
    public let configuration: ICEConfiguration
    /// Which agent nominates.
    public internal(set) var role: ICERole
    /// What decides role conflicts (RFC 8445 section 16.1).
    public internal(set) var tieBreaker: UInt64
    /// The connection state.
    public internal(set) var state = ICEConnectionState.new
    /// The gathering state.
    public internal(set) var gatheringState = ICEGatheringState.new
    /// What was refused so far.
    public internal(set) var counters = ICECounters()

    var random: RandomSource
    var current: ICEGeneration
    /// The generation before a restart: while nothing is selected in the new one its pair carries the data.
    var previous: ICEGeneration?

    var checks: [STUNTransactionID: Check] = [:]
    var nextOrdinaryCheckAt = NIODeadline.distantPast
    var validated: Set<ICEPath> = []
    var selected: ICECheckPair?
    var isDisconnected = false

    var gathering = Gathering()

    private var outputs = OutputQueue<Output>()
    private var cachedTimeout: NIODeadline?
    private var isTimeoutCached = false

    /// A check of ours that waits for its answer.
    struct Check {
        enum Purpose {
            case connectivity
            case nomination
            case consent
        }

        var transaction: STUNTransaction
        let pair: ICECheckPair
        let purpose: Purpose
        let role: ICERole
    }

    /// An agent in its first generation.
    public init(
        configuration: ICEConfiguration = ICEConfiguration(),
        role: ICERole,
        localCredentials: ICECredentials,
        random: RandomSource = .system
    ) {
        self.configuration = configuration
        self.role = role
        self.random = random
        self.tieBreaker = self.random.next()
        self.current = ICEGeneration(number: 0, localCredentials: localCredentials)
    }

    // MARK: Credentials and candidates

    /// Our credentials of the current generation.
    public var localCredentials: ICECredentials { self.current.localCredentials }
    /// The peer's credentials of the current generation.
    public var remoteCredentials: ICECredentials? { self.current.remoteCredentials }
    /// Our candidates of the current generation.
    public var localCandidates: [ICECandidate] { self.current.localCandidates }
    /// The peer's candidates of the current generation, peer-reflexive ones among them.
    public var remoteCandidates: [ICECandidate] { self.current.remoteCandidates }

    /// The peer's names that have no address here, or none yet.
    public var unresolvedNames: [String] {
        (Array(self.current.unresolved.keys) + self.current.unknownNames).sorted()
    }

    /// Sets the role before checks begin; later, it is for role conflicts to change it and the call does nothing.
    public func setRole(_ role: ICERole) {
        guard self.current.checklist.allSatisfy({ $0.lastCheckAt == nil }) else { return }
        self.changeRole(to: role)
    }

    /// Begins a new generation (RFC 8445 section 9): call ``gather(hosts:stunServers:now:)`` and
    /// ``setRemote(credentials:isLite:now:)`` next. The selected pair keeps carrying data until the new generation
    /// selects one. Does nothing once closed.
    public func restart(localCredentials: ICECredentials, now: NIODeadline) {
        guard self.state != .closed else { return }
        if let selected = self.selected, self.state != .failed {
            if selected.generation == self.current.number { self.previous = self.current }
            self.previous?.expiresAt = nil
        } else {
            self.selected = nil
            self.previous = nil
        }
        let isAfterFailure = self.state == .failed
        self.current = ICEGeneration(number: self.current.number + 1, localCredentials: localCredentials)
        let kept = self.previous?.number
        self.checks = self.checks.filter { $0.value.pair.generation == kept }
        self.gathering = Gathering()
        self.rebuildValidated()
        self.setGatheringState(.new)
        if isAfterFailure { self.setState(.checking) }
        self.settle(now: now)
    }

    /// Ends everything: nothing is sent, received or reported from here on but the state itself.
    public func close() {
        guard self.state != .closed else { return }
        self.outputs.removeAll()
        self.checks.removeAll()
        self.gathering = Gathering()
        self.previous = nil
        self.selected = nil
        self.validated.removeAll()
        self.setState(.closed)
        self.isTimeoutCached = false
    }

    // MARK: The path of data

    /// The pair that data goes over; `nil` before one is selected. It stays known after ``ICEConnectionState/failed``.
    public var selectedPair: ICECandidatePair? { self.selected?.publicPair }

    /// Where to send data; `nil` if nowhere: before a pair is selected, and after consent expired.
    public var selectedPath: ICEPath? {
        self.state == .failed || self.state == .closed ? nil : self.selected?.path
    }

    /// Whether an authenticated message has come over this path: data from any other must be refused.
    public func isValidated(remote: TransportAddress, base: TransportAddress) -> Bool {
        if let path = self.selected?.path, path.remote == remote, path.base == base { return true }
        return self.validated.contains(ICEPath(base: base, remote: remote))
    }

    // MARK: The engine contract

    /// The next thing to do, `nil` if there is none.
    public func poll() -> Output? { self.outputs.popFirst() }

    /// When to call ``handleTimeout(now:)``; `nil` if nothing is pending.
    public var nextTimeout: NIODeadline? {
        if !self.isTimeoutCached {
            self.cachedTimeout = self.computeNextTimeout()
            self.isTimeoutCached = true
        }
        return self.cachedTimeout
    }

    /// Does what is due.
    public func handleTimeout(now: NIODeadline) {
        guard self.state != .closed else { return }
        if let expiry = self.previous?.expiresAt, expiry <= now { self.forgetPrevious() }
        self.handleGatheringTimeout(now: now)
        self.handleCheckTimeouts(now: now)
        self.keepConsent(now: now)
        self.settle(now: now)
    }

    /// Takes a STUN datagram that came from `remote` to the local address `base`. Anything else is counted and dropped.
    public func receive(
        _ datagram: RawSpan,
        from remote: TransportAddress,
        to base: TransportAddress,
        now: NIODeadline
    ) {
        guard self.state != .closed else { return }
        guard let message = STUNMessage(datagram) else {
            self.counters.malformed += 1
            return
        }
        guard message.method == .binding else {
            self.counters.ignored += 1
            return
        }
        let path = ICEPath(base: base, remote: remote)
        switch message.messageClass {
        case .request:
            self.receiveRequest(message, in: datagram, path: path, now: now)
        case .successResponse, .errorResponse:
            self.receiveResponse(message, in: datagram, path: path, now: now)
        case .indication:
            // A keep-alive (RFC 8445 section 11): nothing to do, and not authenticated.
            self.counters.ignored += 1
            return
        }
        self.settle(now: now)
    }

    // MARK: Inside

    func emit(_ event: Event) {
        self.outputs.append(.event(event))
    }

    func transmit(_ datagram: ByteBuffer, over path: ICEPath, kind: TransmitKind) {
        self.outputs.append(.transmit(datagram, from: path.base, to: path.remote, kind: kind))
    }

    func setState(_ state: ICEConnectionState) {
        guard state != self.state else { return }
        self.state = state
        self.emit(.stateChanged(state))
    }

    func setGatheringState(_ state: ICEGatheringState) {
        guard state != self.gatheringState else { return }
        self.gatheringState = state
        self.emit(.gatheringStateChanged(state))
    }

    /// Draws the conclusions from whatever just changed.
    func settle(now: NIODeadline) {
        self.runChecks(now: now)
        self.considerNomination(now: now)
        self.updateState(now: now)
        self.isTimeoutCached = false
    }

    func generation(of pair: ICECheckPair) -> ICEGeneration? {
        if pair.generation == self.current.number { return self.current }
        return pair.generation == self.previous?.number ? self.previous : nil
    }

    func forgetPrevious() {
        guard let previous = self.previous else { return }
        self.previous = nil
        if self.selected?.generation == previous.number { self.selected = nil }
        self.checks = self.checks.filter { $0.value.pair.generation != previous.number }
        self.rebuildValidated()
    }

    private func rebuildValidated() {
        var kept = Set<ICEPath>()
        for generation in [self.current, self.previous].compactMap({ $0 }) {
            for path in generation.pairs.keys where self.validated.contains(path) { kept.insert(path) }
            for early in generation.earlyChecks { kept.insert(early.path) }
        }
        self.validated = kept
    }

    func noteValidated(_ path: ICEPath) {
        guard self.validated.insert(path).inserted else { return }
        self.emit(.pathValidated(remote: path.remote, base: path.base))
    }
}
