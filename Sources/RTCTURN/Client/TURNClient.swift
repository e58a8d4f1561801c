public import NIOCore
public import RTCBase
internal import RTCSTUN

/// One allocation at one TURN server over one socket (RFC 8656), without IO, clock or locks.
///
/// Give it what arrives from the server (``receive(_:now:)``), datagrams for peers (``send(_:to:now:)``) and its time-outs;
/// take from ``poll()`` what to send to the server and what happened, until that is `nil`, after every call. Confined to
/// one thread.
public final class TURNClient {
    /// What a client wants done or known.
    public enum Output: Sendable {
        /// Datagrams for the server; over TCP and TLS the bytes follow each other in the stream.
        case transmit(DatagramBatch)
        /// Something happened.
        case event(Event)
    }

    /// Something that happened.
    public enum Event: Sendable, Hashable {
        /// There is an allocation.
        case allocated(TURNRelayedAddresses)
        /// Another server is to be asked in this one's place, over a new socket (RFC 8489 section 10).
        case redirected(to: TransportAddress, domain: String?)
        /// The server gave no allocation.
        case refused(TURNFailure)
        /// There was an allocation, and is none any more. A new client over a new socket may make another.
        case lost(TURNFailure)
        /// The server refused to prolong the allocation, which ends when its lifetime is over unless other credentials
        /// come before (``TURNClient/update(username:password:now:)``).
        case refreshRefused(TURNFailure)
        /// The server lets this peer's address not send through the relay.
        case peerRefused(TransportAddress, TURNFailure)
    }

    /// What became of a datagram from the server.
    public enum Received: Sendable, Hashable {
        /// It was the client's own, or nobody's.
        case nothing
        /// A peer's datagram: where it is in what was received, where it came from, and the relayed address it went to.
        case data(Range<Int>, from: TransportAddress, to: TransportAddress)
    }

    /// What was dropped, and why.
    public struct Counters: Sendable, Hashable {
        /// Datagrams that are no STUN messages and no ChannelData, or broken ones.
        public var malformed: UInt64 = 0
        /// Responses without or with a wrong integrity code, or with a bid-down nonce.
        public var badIntegrity: UInt64 = 0
        /// Responses that no request waits for.
        public var unexpected: UInt64 = 0
        /// Data on channels that were not bound, or of addresses that are no peers'.
        public var unknownPeer: UInt64 = 0
        /// Datagrams for peers that found no room to wait for a permission, or no allocation.
        public var notSent: UInt64 = 0
    }

    enum Phase {
        case new
        case allocating
        case allocated
        case ended
    }

    /// What is asked for.
    public let configuration: TURNClientConfiguration
    /// What was dropped.
    public internal(set) var counters = Counters()
    /// The allocation, `nil` before and after there is one.
    public internal(set) var allocation: TURNRelayedAddresses?
    /// The newest answer of the server in words, for diagnosis: `nil` before there was one.
    public internal(set) var lastAnswer: String?

    var phase = Phase.new
    var random: RandomSource
    var authentication: TURNAuthentication
    var requests: [STUNTransactionID: Request] = [:]
    var families: TURNClientConfiguration.Families
    var deadline: NIODeadline?
    /// When the allocation ends unless it is refreshed.
    var expiresAt: NIODeadline?
    var refreshAt: NIODeadline?
    /// Whether the allocation is lost unless the server answers.
    var isInDoubt = false

    var permissions: [TransportAddress: Permission] = [:]
    var channels: [TransportAddress: Channel] = [:]
    var peersByChannel: [UInt16: TransportAddress] = [:]
    var waiting: [(peer: TransportAddress, datagram: ByteBuffer)] = []

    private var outputs = OutputQueue<Output>()

    /// A request under way.
    struct Request {
        enum Purpose {
            case allocate
            case refresh(lifetime: UInt32?)
            case permit([TransportAddress])
            case bind(TransportAddress)
        }

        var purpose: Purpose
        var transaction: STUNTransaction
        /// How often it was refused for its credentials or nonce.
        var refusals: Int
        /// What its integrity code was made with, and its answer's must be; `nil` without one.
        var key: STUNIntegrityKey?
        /// Which of the credentials it was made with.
        var credentials: Int
    }

    /// An IP address that may send through the relay; the port means nothing.
    struct Permission {
        var isInstalled = false
        var isAsked = false
        var refreshAt: NIODeadline?
    }

    struct Channel {
        var number: UInt16
        var isBound = false
        var isAsked = false
        var refreshAt: NIODeadline?
    }

    /// A client that has asked for nothing yet.
    public init(configuration: TURNClientConfiguration, random: RandomSource = .system) {
        self.configuration = configuration
        self.families = configuration.families
        self.random = random
        self.authentication = TURNAuthentication(
            username: configuration.username,
            password: configuration.password
        )
    }

    // MARK: The allocation

    /// Asks for an allocation; to be called once, when the socket is there.
    public func start(now: NIODeadline) {
        guard self.phase == .new else { return }
        self.phase = .allocating
        self.deadline = now + self.configuration.timeLimit
        self.request(.allocate, now: now)
    }

    /// Ends the allocation and tells the server so, once (RFC 8656 section 8: Refresh with a lifetime of 0). Nothing is
    /// reported from here on; poll once more.
    public func close(now: NIODeadline) {
        guard self.phase != .ended else { return }
        // The answer to a request for an allocation may be under way.
        let mayBeAllocated =
            self.phase == .allocated || self.phase == .allocating && self.authentication.key != nil
        self.outputs.removeAll { output in
            if case .event = output { return true }
            return false
        }
        if mayBeAllocated { self.request(.refresh(lifetime: 0), now: now) }
        self.end()
    }

    /// Takes other credentials from here on: the operator's have changed, or time-limited ones were renewed.
    ///
    /// An allocation belongs to the user name it was made with; a server that refuses another one (441) goes on being
    /// asked with the old credentials.
    public func update(username: String, password: String, now: NIODeadline) {
        guard self.authentication.update(username: username, password: password) else { return }
        if self.phase == .allocated { self.request(.refresh(lifetime: self.configuration.lifetime), now: now) }
    }

    /// Asks the server whether the allocation still exists, and renews its permissions and channels: nothing comes through
    /// it any more. Without an answer the allocation counts as lost: a new socket may reach the server where this one no
    /// longer does.
    public func verify(now: NIODeadline) {
        guard self.phase == .allocated else { return }
        self.isInDoubt = true
        guard !self.isRefreshing else { return }
        self.refreshAt = now
        for peer in self.permissions.keys { self.permissions[peer]?.refreshAt = now }
        for peer in self.channels.keys { self.channels[peer]?.refreshAt = now }
        self.keepAlive(now: now)
    }

    /// Says that the connection to the server has ended, or could not be made.
    public func connectionClosed(_ text: String) {
        guard self.phase != .ended else { return }
        let failure = TURNFailure(code: TURNFailure.unreachable, text: text)
        let wasAllocated = self.phase == .allocated
        self.end()
        self.emit(wasAllocated ? .lost(failure) : .refused(failure))
    }

    /// Says that the host of the server has refused a datagram: nobody listens there (RFC 8489 section 6.2.1, hard ICMP errors). An
    /// allocation is given up when the server, asked whether it exists, is refused too; what was not made yet at once.
    public func connectionRefused(_ text: String, now: NIODeadline) {
        guard self.phase == .allocated, !self.isInDoubt else { return self.connectionClosed(text) }
        self.verify(now: now)
    }

    // MARK: The engine contract

    /// The next thing to do, `nil` if there is none.
    public func poll() -> Output? { self.outputs.popFirst() }

    /// When to call ``handleTimeout(now:)``; `nil` if nothing is pending.
    public var nextTimeout: NIODeadline? {
        guard self.phase != .ended else { return nil }
        var next = self.requests.values.compactMap(\.transaction.nextTimeout).min()
        func consider(_ deadline: NIODeadline?) {
            guard let deadline else { return }
            next = min(next ?? deadline, deadline)
        }
        consider(self.deadline)
        consider(self.expiresAt)
        consider(self.refreshAt)
        for permission in self.permissions.values where !permission.isAsked { consider(permission.refreshAt) }
        for channel in self.channels.values where !channel.isAsked { consider(channel.refreshAt) }
        return next
    }

    /// Does what is due.
    public func handleTimeout(now: NIODeadline) {
        guard self.phase != .ended else { return }
        if let deadline = self.deadline, deadline <= now {
            return self.refuse(TURNFailure(code: TURNFailure.unreachable, text: self.silence))
        }
        if let expiresAt = self.expiresAt, expiresAt <= now {
            return self.lose(
                TURNFailure(code: TURNFailure.unreachable, text: "The allocation was not prolonged in time.")
            )
        }
        self.handleRequestTimeouts(now: now)
        if self.phase == .allocated { self.keepAlive(now: now) }
    }

    // MARK: Inside

    func emit(_ event: Event) { self.outputs.append(.event(event)) }

    func transmit(_ batch: DatagramBatch) { self.outputs.append(.transmit(batch)) }

    var silence: String {
        self.lastAnswer.map { "The TURN server did not finish; its last answer: \($0)" }
            ?? "The TURN server did not answer."
    }

    var isRefreshing: Bool {
        self.requests.values.contains { request in
            if case .refresh = request.purpose { return true }
            return false
        }
    }

    func refuse(_ failure: TURNFailure) {
        self.end()
        self.emit(.refused(failure))
    }

    func lose(_ failure: TURNFailure) {
        self.end()
        self.emit(.lost(failure))
    }

    func end() {
        self.phase = .ended
        self.requests = [:]
        self.permissions = [:]
        self.channels = [:]
        self.peersByChannel = [:]
        self.waiting = []
        self.deadline = nil
        self.expiresAt = nil
        self.refreshAt = nil
        self.allocation = nil
    }
}
