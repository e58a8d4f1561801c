public import NIOCore
public import RTCBase

/// The data channels of one peer connection, and the SCTP association under them (RFC 8831, RFC 8832).
///
/// Synchronous and confined to one thread. After every run of calls the owner calls ``poll()`` until it returns `nil`, then
/// ``drainPackets(_:)``. The timers of the usrsctp engine are the process's, see ``SCTPRuntime``: when one of them made
/// something happen here, `wake` is called and the owner is to call ``handleTimeout(now:)``, then the same two.
public final class DataChannelTransport {
    /// What the transport tells its owner.
    public enum Output: Sendable {
        /// Something happened.
        case event(Event)
    }

    /// The state of the association (W3C `RTCSctpTransportState`).
    public enum AssociationState: Sendable, Hashable {
        /// The association is being negotiated, or was not begun.
        case connecting
        /// Channels can be opened and used.
        case connected
        /// The association is over; with an error unless this side ended it or the peer did so in order.
        case closed(RTCError?)
    }

    /// What happened.
    public enum Event: Sendable {
        /// The association changed its state. ``AssociationState/closed(_:)`` comes after all channels' ends, and is the
        /// last event.
        indirect case associationState(AssociationState)
        /// A channel created here can be used.
        case channelOpened(DataChannelHandle, StreamID)
        /// The peer opened a channel; it can be used.
        indirect case channelIncoming(DataChannelHandle, StreamID, DataChannelParameters)
        /// Messages of one channel came in, one at least: as many as were there together.
        case messages(DataChannelHandle, [DataChannelMessage])
        /// The peer began to close a channel. Its messages, and those accepted for it here, are still delivered.
        case channelClosing(DataChannelHandle)
        /// A channel is gone, and its handle with it; with an error unless it was closed in order.
        indirect case channelClosed(DataChannelHandle, RTCError?)
        /// Bytes left a channel's queue for SCTP: its ``bufferedAmount(_:)`` is now this.
        case bufferedAmountChanged(DataChannelHandle, Int)
    }

    /// The configuration given at the beginning.
    public let configuration: SCTPConfiguration

    let association: any SCTPAssociation
    var channels = ChannelTable()
    var early: EarlyData
    var events = CircularBuffer<Event>(initialCapacity: 16)
    var counters = SCTPStatistics()
    var phase = Phase.idle
    var now = NIODeadline.uptimeNanoseconds(0) {
        didSet { self.association.now = self.now }
    }

    // Set by start.
    var isClient: Bool?
    var remoteMaximumMessageSize = Int.max
    var maximumIncomingStreams = 0

    // Sending.
    var ready = CircularBuffer<Channel>(initialCapacity: 4)
    /// The channel whose message SCTP has a part of; no other may send before it is whole.
    var unfinished: Channel?
    var isBlocked = false
    /// What SCTP may be given before it is asked again how much it has.
    var allowedBytes = 0
    var allowedMessages = 0
    var averageMessage = 1_024
    var isBulk = false
    /// Bytes handed over since packets were last drained.
    var handedOverSinceDrain = 0
    var packing: PacketPacking
    /// Whether the messages at hand are small enough to share packets.
    var isPacking = false
    var withNewAmount: [Channel] = []
    var waitingForStreams: [Channel] = []
    var isAddingStreams = false
    /// Streams whose reset is on its way: SCTP takes nothing for them.
    var resetting: Set<UInt16> = []
    var resetsToSend: [UInt16] = []
    /// Streams without a channel here that were reset in answer to the peer's reset.
    var answered: Set<UInt16> = []
    var isShutdownRequested = false

    // Receiving.
    var mayRead = false
    var partial: PartialMessage?
    var batch: [BatchedMessage] = []
    var run = MessageRun()
    var packetsBeforeStart: [ByteBuffer] = []

    // Closing.
    var closing: [Channel] = []

    enum Phase {
        case idle
        case connecting
        case connected
        case shuttingDown
        case closed
    }

    /// A transport that does nothing before ``start(isClient:remotePort:remoteMaximumMessageSize:now:)``.
    ///
    /// - Parameter wake: Called from any thread, once until the owner has looked, when SCTP's clock made something happen.
    ///   It must not call the transport, only see to it that the owner does so soon.
    public convenience init(configuration: SCTPConfiguration = .init(), wake: @escaping @Sendable () -> Void) {
        let association: any SCTPAssociation
        switch configuration.engine {
        case .native: association = NativeAssociation(configuration: configuration)
        case .usrsctp: association = UsrsctpAssociation(configuration: configuration, wake: wake)
        }
        self.init(configuration: configuration, association: association)
    }

    /// A transport for the association that takes the place of another one's, which is over. No handle of one is known to the other.
    public convenience init(replacing predecessor: DataChannelTransport, wake: @escaping @Sendable () -> Void) {
        self.init(configuration: predecessor.configuration, wake: wake)
        self.channels = ChannelTable(after: predecessor.channels)
    }

    init(configuration: SCTPConfiguration, association: any SCTPAssociation) {
        self.configuration = configuration
        self.association = association
        self.packing = PacketPacking(packetSize: configuration.maximumPacketSize)
        self.early = EarlyData(limit: configuration.maximumEarlyBytes)
    }

    // MARK: The association

    /// Begins the association. Both sides do so (RFC 8832 section 6, RFC 8841).
    ///
    /// - Parameters:
    ///   - isClient: Whether this side is the DTLS client: its channels get even stream numbers, the server's odd ones.
    ///   - remotePort: The peer's SCTP port (`a=sctp-port`).
    ///   - remoteMaximumMessageSize: The largest message the peer takes, in bytes (`a=max-message-size`); 0 for no limit.
    ///   - now: The time.
    public func start(isClient: Bool, remotePort: UInt16, remoteMaximumMessageSize: Int, now: NIODeadline) {
        guard case .idle = self.phase else { return }
        self.now = now
        self.isClient = isClient
        self.remoteMaximumMessageSize = remoteMaximumMessageSize > 0 ? remoteMaximumMessageSize : Int.max
        self.phase = .connecting
        self.events.append(.associationState(.connecting))
        self.assignStreams()

        let needed = Int(self.channels.highestStream ?? 0) + 1
        self.maximumIncomingStreams = max(self.configuration.maximumIncomingStreams, needed)
        let failure = self.association.start(
            remotePort: remotePort,
            outgoingStreams: min(max(self.configuration.outgoingStreams, needed), 65_535),
            maximumIncomingStreams: min(self.maximumIncomingStreams, 65_535)
        )
        guard failure == 0 else {
            self.finish(
                RTCError(detail: .sctpFailure, "The SCTP association cannot be begun: system error \(failure).")
            )
            return
        }
        let waiting = self.packetsBeforeStart
        self.packetsBeforeStart = []
        for packet in waiting { self.receive(packet.readableBytesSpan, now: now) }
    }

    /// Takes one SCTP packet from the peer.
    public func receive(_ packet: RawSpan, now: NIODeadline) {
        self.now = now
        switch self.phase {
        case .closed:
            return
        case .idle:
            // The peer may be ready a moment earlier; what it sends first would be sent again only after its timeout.
            guard self.packetsBeforeStart.count < 8, packet.byteCount <= 2_048 else { return }
            packet.withUnsafeBytes { self.packetsBeforeStart.append(ByteBuffer(bytes: $0)) }
        case .connecting, .connected, .shuttingDown:
            self.counters.packetsReceived += 1
            packet.withUnsafeBytes { self.association.receive($0) }
            self.mayRead = true
            self.isBlocked = false
        }
    }

    /// Looks at what SCTP's clock did, and at the deadlines of closing channels. Call it after a wake-up too.
    public func handleTimeout(now: NIODeadline) {
        self.now = now
        self.association.handleTimeout()
        self.isBlocked = false
        self.mayRead = true
        self.expireClosings()
        self.work()
    }

    /// Says that the path to the peer works again after it was silent, or that another one has taken its place. What waits for a
    /// time-out, which doubles while a path is dead, is sent at once.
    ///
    /// - Parameter isAnother: Whether it is another path: then nothing that was measured holds any more, and the congestion window is
    ///   that of the beginning (RFC 9260 section 7.2.1, and as RFC 9000 section 9.4 has it for QUIC).
    public func pathResumed(isAnother: Bool, now: NIODeadline) {
        self.now = now
        switch self.phase {
        case .idle, .closed: return
        case .connecting, .connected, .shuttingDown:
            self.association.pathResumed(isAnother: isAnother)
            self.association.handleTimeout()
        }
    }

    /// When ``handleTimeout(now:)`` is next wanted, besides wake-ups; `nil` if at no time.
    public var nextTimeout: NIODeadline? {
        let next = self.association.nextTimeout
        guard !self.closing.isEmpty, let close = self.closing.compactMap(\.closeDeadline).min() else { return next }
        return min(next ?? close, close)
    }

    /// Takes the next thing to know, `nil` if there is none.
    public func poll() -> Output? {
        if self.events.isEmpty { self.work() }
        return self.events.popFirst().map { .event($0) }
    }

    /// Hands over to SCTP what the channels have accepted. ``poll()`` does so too.
    public func flush(now: NIODeadline) {
        self.now = now
        self.work()
    }

    /// Calls `body` with each SCTP packet to send, in order. The bytes are valid during the call only.
    public func drainPackets(_ body: (UnsafeRawBufferPointer) -> Void) {
        var count = 0
        self.association.drainPackets {
            count += 1
            body($0)
        }
        self.counters.packetsSent += count
        self.handedOverSinceDrain = 0
    }

    /// Reading and writing; everything public ends up here.
    func work() {
        guard self.phase != .idle, self.phase != .closed else { return }
        if self.association.takeReadable() { self.mayRead = true }
        self.readMessages()
        self.sendMessages()
        self.sendResets()
        self.reportAmounts()
    }

    // MARK: Reading

    /// Whether unread data stays with SCTP, whose window then closes: the peer slows down, nothing is lost.
    public private(set) var isReadingPaused = false

    /// Stops reading. At most what ``poll()`` has not given out yet still comes.
    public func pauseReading() { self.isReadingPaused = true }

    /// Reads again.
    public func resumeReading() {
        guard self.isReadingPaused else { return }
        self.isReadingPaused = false
        self.mayRead = true
    }

    // MARK: The end

    /// Sends what the channels have accepted, then ends the association in order (RFC 9260 section 9.2).
    ///
    /// Ends with ``AssociationState/closed(_:)``, if the peer does not answer after SCTP's own deadline.
    public func shutdown(now: NIODeadline) {
        self.now = now
        switch self.phase {
        case .idle, .connecting:
            self.abort()
        case .connected:
            self.phase = .shuttingDown
            self.resumeReading()
        case .shuttingDown, .closed:
            return
        }
    }

    /// Ends the association at once and tells the peer; what was not sent is dropped.
    ///
    /// Packets remain to be drained. All channels get their end, without an error.
    public func abort() {
        self.finish(nil)
    }

    /// The one way the association ends.
    func finish(_ error: RTCError?) {
        guard self.phase != .closed else { return }
        self.phase = .closed
        self.association.abort()
        self.partial = nil
        self.early.removeAll()
        self.packetsBeforeStart = []
        for channel in self.channels.all {
            self.remove(channel, error: channel.closeError ?? error)
        }
        self.ready.removeAll()
        self.unfinished = nil
        self.withNewAmount = []
        self.waitingForStreams = []
        self.closing = []
        self.resetting = []
        self.resetsToSend = []
        self.events.append(.associationState(.closed(error)))
    }

    // MARK: Statistics

    /// The association's state and counters.
    public var statistics: SCTPStatistics {
        var statistics = self.counters
        guard self.phase != .closed, let status = self.association.status else { return statistics }
        statistics.congestionWindow = status.congestionWindow
        statistics.peerReceiveWindow = status.peerReceiveWindow
        statistics.smoothedRoundTripTime = status.smoothedRoundTripTime
        statistics.retransmissionTimeout = status.retransmissionTimeout
        statistics.unacknowledgedChunks = status.unacknowledgedChunks
        statistics.pendingMessages = status.pendingMessages
        return statistics
    }

    /// How many stream numbers both sides can use (W3C `maxChannels`); `nil` before the association is up.
    public var maxChannels: Int? {
        guard self.phase == .connected || self.phase == .shuttingDown else { return nil }
        let outgoing = self.association.canAddStreams ? 65_535 : self.association.outgoingStreams
        // Streams the peer adds are accepted up to our own limit.
        let incoming =
            self.association.canAddStreams ? self.maximumIncomingStreams : self.association.incomingStreams
        return min(outgoing, incoming, 65_535)
    }
}
