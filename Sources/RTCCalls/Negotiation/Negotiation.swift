public import NIOCore
public import RTCBase
public import RTCCore
public import RTCRooms
import RTCSignaling

/// Perfect negotiation (W3C webrtc-pc section 10.7) over a signalling path that may lose messages, doing no input or output.
///
/// Both sides may offer at any time. When two offers meet, the polite side takes its own back. After a loss both say where they stand,
/// and repeat what the other lacks. The owner performs the operations of ``poll()`` one after the other and reports each by
/// ``completed(_:now:)``.
public struct Negotiation: Sendable {
    /// What ``poll()`` gives.
    public enum Output: Sendable, Hashable {
        /// Tell the other side.
        case send(NegotiationMessage)
        /// Do this with the connection and report its outcome; nothing else is asked for before.
        case perform(Operation)
        /// Tell the user.
        case event(NegotiationEvent)
    }

    /// What is done with a connection.
    public enum Operation: Sendable, Hashable {
        /// Set the local description that fits, an offer, and report it.
        case offer
        /// Set the remote offer, then the local answer, and report the latter; after an error, roll back.
        case answer(sdp: String)
        /// Set the remote answer.
        case accept(sdp: String)
        /// Report the local description of that kind, as it is now.
        case repeatDescription(RTCSdpType)
        /// Add a candidate of the other side.
        case addCandidate(CandidateMessage)
        /// Ask for a restart of ICE with the next offer.
        case restartICE
    }

    /// What became of an operation.
    public enum Outcome: Sendable, Hashable {
        /// It is done, with the local description that it made or reports.
        case done(RTCSessionDescription?)
        /// It could not be done.
        case failed(RTCError)
    }

    /// An offer of this side that has no answer.
    struct Outstanding: Sendable {
        var number: Int
        var answerDue: NIODeadline
        var waits = 1
    }

    /// Which connection between the two it is (``NegotiationMessage/call``).
    public let call: Int
    /// Whether this side gives way when two offers meet. The other side must be the opposite.
    public let isPolite: Bool
    /// Times and limits.
    public let configuration: NegotiatorConfiguration
    /// Messages of the other side that were of no use: late candidates, answers to offers that gave way, repetitions.
    public internal(set) var droppedMessages = 0
    /// Times that two offers met.
    public internal(set) var collisions = 0
    /// Whether it is over, by ``close(reason:)`` or the other side's `bye`.
    public internal(set) var isEnded = false

    var outputs = CircularBuffer<Output>()
    var inbox = CircularBuffer<NegotiationMessage.Content>()
    var operation: Operation?
    var needsOffer = false
    var needsRestart = false
    var offersFrom: NIODeadline
    var outstanding: Outstanding?
    var lastOffer = 0
    /// The number of the other side's offer that is being answered, and of the last that was.
    var answering = 0
    var answered = 0
    var refusedOffer = 0
    /// Whether the other side's last offer was ignored: its candidates may follow.
    var ignoresOffer = false
    var heldCandidates: [NegotiationMessage.Content] = []
    /// When to compare at the latest, while messages may be missing.
    var comparisonDue: NIODeadline?
    var comparisons = 0
    /// How often this side says again what the other side asks for, whatever that sends.
    var repetitions: RateBucket
    var connectionState = RTCPeerConnectionState.new
    var restartDue: NIODeadline?
    var restarts = 0
    var restartDelay: BackOff
    var lastRequestedRestart: NIODeadline?

    static let maximumWaitingMessages = 512
    /// Repetitions at once, and each second in the long run.
    static let repetitionLimit = (burst: 4, rate: 1.0)
    static let maximumComparisons = 5

    /// A negotiation in which nothing was said yet.
    ///
    /// - Parameters:
    ///   - call: Which connection between the two it is, from 1.
    ///   - isPolite: Whether this side gives way; the other must be the opposite.
    public init(
        call: Int = 1,
        isPolite: Bool,
        configuration: NegotiatorConfiguration = NegotiatorConfiguration(),
        random: RandomSource = .system,
        now: NIODeadline
    ) {
        self.call = call
        self.isPolite = isPolite
        self.configuration = configuration
        self.offersFrom = now + configuration.firstOfferDelay
        self.repetitions = RateBucket(burst: Self.repetitionLimit.burst, now: now)
        self.restartDelay = BackOff(
            first: configuration.firstRestartDelay,
            longest: .seconds(30),
            random: random
        )
    }

    // MARK: The connection

    /// The connection says that an offer should be made.
    public mutating func negotiationNeeded(now: NIODeadline) {
        self.needsOffer = true
        self.proceed(now)
    }

    /// The connection found a candidate, or the end of its candidates.
    public mutating func localCandidate(_ candidate: RTCIceCandidate?) {
        // Nil says the same as the empty one of each generation before it.
        guard let candidate, !self.isEnded else { return }
        let content: NegotiationMessage.Content =
            candidate.candidate.isEmpty
            ? .endOfCandidates(usernameFragment: candidate.usernameFragment)
            : .candidate(CandidateMessage(candidate))
        // A description under way goes first.
        guard self.operation == nil else { return self.heldCandidates.append(content) }
        self.send(content)
    }

    /// The connection's state changed.
    public mutating func connectionStateChanged(to state: RTCPeerConnectionState, now: NIODeadline) {
        self.connectionState = state
        switch state {
        case .connected:
            self.restarts = 0
            self.restartDelay.reset()
            self.restartDue = nil
        case .disconnected: self.restartDue = now + self.configuration.disconnectedTimeout + self.courtesy
        case .failed: self.restartDue = now + self.restartDelay.next() + self.courtesy
        case .closed: self.restartDue = nil
        case .new, .connecting: break
        }
    }

    /// The connection's transport is over, which no restart of ICE mends.
    public mutating func transportEnded() {
        guard !self.isEnded else { return }
        self.restartDue = nil
        self.outputs.append(.event(.gaveUp))
    }

    /// The outcome of what ``Output/perform(_:)`` asked for.
    public mutating func completed(_ outcome: Outcome, now: NIODeadline) {
        guard let operation = self.operation else { return }
        self.operation = nil
        if !self.isEnded { self.completed(operation, outcome, now) }
        for content in self.heldCandidates { self.send(content) }
        self.heldCandidates = []
        self.proceed(now)
    }

    // MARK: The other side

    /// Takes a message of the other side.
    public mutating func receive(_ message: NegotiationMessage, now: NIODeadline) {
        guard !self.isEnded else { return }
        guard message.call == self.call, self.inbox.count < Self.maximumWaitingMessages else {
            self.droppedMessages += 1
            return
        }
        self.inbox.append(message.content)
        self.proceed(now)
    }

    /// A message of ``Output/send(_:)`` could not be sent: a moment later both sides compare where they stand.
    public mutating func messageLost(now: NIODeadline) {
        guard !self.isEnded, self.comparisonDue == nil else { return }
        self.comparisons = 0
        self.comparisonDue = now + .seconds(1)
    }

    /// Messages may have been lost, either way: both sides compare where they stand.
    public mutating func resynchronise(now: NIODeadline) {
        guard !self.isEnded else { return }
        self.comparisons = 0
        self.compare(now)
    }

    // MARK: The user

    /// Restarts ICE with an offer of this side; several calls before it can be made are one restart.
    public mutating func restart(now: NIODeadline) {
        self.needsRestart = true
        self.proceed(now)
    }

    /// Asks the other side for an offer that restarts ICE.
    public mutating func requestRestart() { self.send(.restart) }

    /// Says that this side is done with the connection.
    public mutating func close(reason: String = "") {
        guard !self.isEnded else { return }
        self.send(.bye(reason: reason))
        self.end()
    }

    // MARK: The four verbs

    /// Does what is due.
    public mutating func handleTimeout(now: NIODeadline) {
        guard !self.isEnded else { return }
        let comparisonIsDue = self.comparisonDue.map { $0 <= now } == true
        var answerIsDue = false
        if let outstanding = self.outstanding, outstanding.answerDue <= now {
            answerIsDue = true
            self.outstanding?.waits = min(6, outstanding.waits * 2)
            self.outstanding?.answerDue = now + self.configuration.answerTimeout * Int64(min(6, outstanding.waits * 2))
            self.comparisons = 0
        }
        // One for both.
        if comparisonIsDue || answerIsDue { self.compare(now) }
        if let due = self.restartDue, due <= now { self.restartForFailure(now) }
        self.proceed(now)
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> Output? { self.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due; nil when nothing is pending.
    public var nextTimeout: NIODeadline? {
        guard !self.isEnded else { return nil }
        let waitsToOffer =
            self.needsOffer && self.outstanding == nil && self.operation == nil && self.comparisonDue == nil
        let offersFrom = waitsToOffer ? self.offersFrom : nil
        return [self.comparisonDue, self.outstanding?.answerDue, self.restartDue, offersFrom].compactMap { $0 }.min()
    }
}
