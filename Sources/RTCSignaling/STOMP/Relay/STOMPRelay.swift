public import NIOCore
public import RTCBase

/// Passes clients of STOMP on to an external broker, doing no input or output.
///
/// Each client has a connection of its own there, so that its acknowledgements, transactions, receipts and flow are the broker's; one
/// more is for what the server itself sends. What a client is told to have been taken, the broker has taken: no receipt comes from
/// here, but for what the owner has taken (``STOMPConfiguration/applicationPrefix``, ``confirm(_:now:)``); there are no transactions of
/// that.
///
/// | Destination | A message there goes to |
/// |---|---|
/// | ``STOMPRelayConfiguration/destinationPrefixes`` | the same at the broker |
/// | `/user/NAME/…` | all connections of the user, or the one session, of that name that subscribe to `/user/…`, on all nodes |
/// | ``STOMPConfiguration/applicationPrefix`` | the owner, by ``Output/sent(_:)`` |
///
/// When a connection to the broker breaks, its client gets an `ERROR`; while the broker is away, every new client does.
public struct STOMPRelay: Sendable {
    /// What ``poll()`` gives.
    public enum Output: Sendable, Hashable {
        /// Bytes to write to a client; ``didTransmit(_:to:now:)`` is told when they are out.
        case transmit(STOMPConnectionID, ByteBuffer)
        /// A client's connection is over: close it after what is to be written.
        case close(STOMPConnectionID)
        /// The owner must decide; only where ``STOMPConfiguration/asks``.
        case ask(STOMPQuestion)
        /// A client sent something to the owner; ``confirm(_:now:)`` is told when that has it.
        case sent(STOMPBroker.Sent)
        /// A connection to the broker is wanted: ``linkOpened(_:now:)`` or ``linkEnded(_:now:)`` tells what became of it.
        case open(STOMPRelayLinkID)
        /// Bytes to write to the broker; ``didTransmit(_:toBroker:)`` is told when they are out.
        case transmitToBroker(STOMPRelayLinkID, ByteBuffer)
        /// A connection to the broker is over: close it after what is to be written, if it is there.
        case closeLink(STOMPRelayLinkID)
        /// Whether to read from the broker: a client that reads slowly has the broker wait.
        case setReading(STOMPRelayLinkID, Bool)
        /// Whether the broker can be reached now.
        case availability(Bool)
    }

    /// The broker.
    public let relay: STOMPRelayConfiguration
    /// Limits and times towards clients; those of queues are the broker's.
    public let configuration: STOMPConfiguration
    /// Messages of the server that there was no room for.
    public internal(set) var droppedMessages = 0
    /// Connections that were cut off because they did not read.
    public internal(set) var slowConnections = 0
    /// Whether the broker can be reached.
    public internal(set) var isAvailable = false

    let destinations: STOMPRelayDestinations
    var outputs = CircularBuffer<Output>()
    var clients: [STOMPConnectionID: STOMPRelayClient] = [:]
    var links: [STOMPRelayLinkID: STOMPRelayLink] = [:]
    var clientDeadlines = DeadlineQueue<STOMPConnectionID>()
    var linkDeadlines = DeadlineQueue<STOMPRelayLinkID>()
    var system: STOMPRelaySystem
    var random: RandomSource
    var lastConnection: UInt64 = 0
    private var nextLink: UInt64 = 0

    /// A relay that connects to its broker at once.
    public init(
        relay: STOMPRelayConfiguration,
        configuration: STOMPConfiguration = STOMPConfiguration(),
        random: RandomSource = .system,
        now: NIODeadline
    ) {
        self.relay = relay
        self.configuration = configuration
        self.destinations = STOMPRelayDestinations(
            configuration: relay,
            applicationPrefix: configuration.applicationPrefix
        )
        self.random = random
        self.system = STOMPRelaySystem(
            backOff: BackOff(first: relay.firstRetry, longest: relay.longestRetry, random: random)
        )
        self.openSystemLink(now)
    }

    /// How many clients there are.
    public var connectionCount: Int { self.clients.count }

    /// How many messages of the server wait for the broker or for its receipt.
    public var pendingMessages: Int { self.system.pending.count }

    /// How many bytes wait for clients that do not read them.
    public var unsentBytes: Int { self.clients.values.reduce(0) { $0 + $1.unsentBytes } }

    // MARK: Clients

    /// A new client; nil if there are as many as allowed.
    public mutating func open(now: NIODeadline) -> STOMPConnectionID? {
        self.add(now) { _, reader, liveness in STOMPRelayClient(reader: reader, liveness: liveness) }
    }

    /// A client's connection was closed from the other side.
    public mutating func connectionEnded(_ id: STOMPConnectionID, now: NIODeadline) {
        self.end(id)
    }

    /// Tells that bytes of ``Output/transmit(_:_:)`` were written.
    public mutating func didTransmit(_ count: Int, to id: STOMPConnectionID, now: NIODeadline) {
        guard let client = self.clients[id] else { return }
        self.clients[id]?.unsentBytes = max(0, client.unsentBytes - count)
        self.settleReading(of: id, now)
    }

    // MARK: The four verbs

    /// Takes bytes that a client sent, cut anywhere.
    public mutating func receive(_ bytes: ByteBuffer, from id: STOMPConnectionID, now: NIODeadline) {
        self.take(bytes, from: id, now)
    }

    /// Takes bytes that the broker sent, cut anywhere.
    public mutating func receive(_ bytes: ByteBuffer, fromBroker id: STOMPRelayLinkID, now: NIODeadline) {
        guard self.links[id] != nil else { return }
        self.links[id]?.liveness.lastReceived = now
        self.links[id]?.reader.append(bytes)
        self.process(id, now)
    }

    /// Does what is due: heart-beats, the end of connections that are silent, and new attempts to reach the broker.
    public mutating func handleTimeout(now: NIODeadline) {
        while let id = self.clientDeadlines.popDue(now: now) { self.clientTimeout(id, now) }
        while let id = self.linkDeadlines.popDue(now: now) { self.linkTimeout(id, now) }
        if let retry = self.system.retryAt, now >= retry { self.openSystemLink(now) }
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> Output? { self.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due at the latest; nil when nothing is pending.
    public var nextTimeout: NIODeadline? {
        [self.clientDeadlines.next, self.linkDeadlines.next, self.system.retryAt].earliest
    }

    // MARK: The owner

    /// Answers the question of a client, which then goes on; does nothing if it has none.
    public mutating func answer(_ id: STOMPConnectionID, _ answer: STOMPAnswer, now: NIODeadline) {
        self.goOn(id, after: answer, now)
    }

    /// Tells that the owner has taken a message of ``Output/sent(_:)``: its client gets the receipt if it wants one.
    public mutating func confirm(_ sent: STOMPBroker.Sent, now: NIODeadline) {
        if let receipt = sent.receipt { self.giveReceipt(receipt, to: sent.connection, now) }
    }

    /// Ends a client's connection with an `ERROR`.
    public mutating func close(_ id: STOMPConnectionID, reason: String, now: NIODeadline) {
        self.fail(id, reason, nil, now)
    }

    mutating func makeLinkID() -> STOMPRelayLinkID {
        self.nextLink += 1
        return STOMPRelayLinkID(number: self.nextLink)
    }
}

extension STOMPRelay: STOMPServer {}

extension STOMPRelay.Output: STOMPServerOutput {}
