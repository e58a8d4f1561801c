internal import NIOCore

/// One SCTP association (RFC 9260) over a datagram path that keeps packets whole (RFC 8261).
///
/// All that the data channels know of the engine below them. Everything but ``send(_:)`` and ``read(into:)`` may be
/// called at any time; those two only inside ``drive(_:)``. The time is told before each run of calls.
protocol SCTPAssociation: AnyObject {
    /// The time, as the owner told it last.
    var now: NIODeadline { get set }
    /// When ``handleTimeout()`` is wanted next, `nil` if at no time. Engines that keep a clock of their own have none.
    var nextTimeout: NIODeadline? { get }
    /// Whether the engine fills packets with small messages by itself, and need not be told when to wait for more.
    var fillsPackets: Bool { get }
    /// Outgoing streams; 0 before the association is up.
    var outgoingStreams: Int { get }
    /// Incoming streams; 0 before the association is up.
    var incomingStreams: Int { get }
    /// Whether the peer is known to add streams on request (RFC 6525 section 4.5).
    var canAddStreams: Bool { get }
    /// Whether the association came to its end while notifications of it may still wait to be read.
    var hasFailed: Bool { get }
    /// Counters and estimates, `nil` while there is no association.
    var status: SCTPAssociationStatus? { get }

    /// Begins the association.
    ///
    /// - Returns: 0 or an error number of the operating system.
    func start(remotePort: UInt16, outgoingStreams: Int, maximumIncomingStreams: Int) -> Int

    /// Does what is due.
    func handleTimeout()

    /// Says that the path to the peer works again after it was silent, or that another one has taken its place: what waits for a
    /// time-out is sent at once.
    func pathResumed(isAnother: Bool)

    /// Takes one packet from the peer.
    func receive(_ packet: UnsafeRawBufferPointer)

    /// Prepares for a run of ``send(_:)`` and ``read(into:)``. Not to be nested.
    func drive(_ body: () -> Void)

    /// Hands over a message, or the next piece of one.
    func send(_ message: borrowing SCTPOutgoing) -> SCTPSendResult

    /// Whether small messages wait to share a packet (`true`), or leave at once (`false`).
    func setCorked(_ isCorked: Bool)

    /// Tells whether much is under way without a pause, which timers may take into account.
    func setBulk(_ isBulk: Bool)

    /// Reads the next piece of data, or notification.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> SCTPReadResult

    /// Whether anything may be there to read that came in without ``receive(_:)``.
    func takeReadable() -> Bool

    /// Resets outgoing streams, after all that was sent on them (RFC 6525 section 4.1).
    ///
    /// - Returns: `false` if the peer does not support it.
    func resetOutgoingStreams(_ streams: [UInt16]) -> Bool

    /// Asks for more outgoing streams (RFC 6525 section 4.5).
    ///
    /// - Returns: `false` if it cannot be asked for now.
    func addOutgoingStreams(_ count: Int) -> Bool

    /// Ends the association after all that was sent has arrived (RFC 9260 section 9.2).
    func shutdown()

    /// Ends the association at once, telling the peer (RFC 9260 section 9.1), and frees everything.
    func abort()

    /// Calls `body` with each packet to send, in order.
    func drainPackets(_ body: (UnsafeRawBufferPointer) -> Void)
}

/// What to send, and how.
struct SCTPOutgoing: ~Copyable {
    var bytes: UnsafeRawBufferPointer
    /// The whole message, for engines that keep it as it is; `nil` for one that is only in `bytes`.
    var buffer: ByteBuffer?
    var stream: UInt16
    var payloadProtocol: UInt32
    var isOrdered: Bool
    var reliability: SCTPReliability
    /// The size of the whole message; more than `bytes` if this is not its first piece.
    var messageSize: Int
}

/// When a message is given up (RFC 3758, RFC 7496).
enum SCTPReliability {
    case reliable
    case retransmissions(UInt16)
    case lifetime(milliseconds: UInt16)
}

enum SCTPSendResult {
    /// This many bytes were taken.
    case accepted(Int)
    /// The send buffer is full; try again after the next packet from the peer.
    case wouldBlock
    /// The association is not there (any more).
    case failed
}

enum SCTPReadResult {
    case nothing
    /// What was read to the buffer.
    case data(SCTPIncomingData)
    /// A whole message, from engines that have it in a buffer of its own.
    case message(SCTPIncomingMessage)
    case notification(SCTPNotification)
}

/// A message or a piece of one.
struct SCTPIncomingData {
    var count: Int
    var stream: UInt16
    var payloadProtocol: UInt32
    var isUnordered: Bool
    /// Whether these bytes end their message.
    var endsMessage: Bool
}

enum SCTPNotification {
    case up
    /// The association was lost or refused; the cause code of RFC 9260 section 3.3.10 if there was one.
    case lost(cause: Int?)
    /// The peer began anew and knows nothing of what was before.
    case restarted
    case shutdownComplete
    /// The peer reset its outgoing streams; an empty list means all.
    case incomingStreamsReset([UInt16])
    case outgoingStreamsReset([UInt16])
    case outgoingStreamsResetRefused([UInt16])
    case streamsAdded
    case addingStreamsRefused
    /// The rest of the message that was being read will not come.
    case partialMessageAborted
    case other
}

/// Counters and estimates of an association.
struct SCTPAssociationStatus {
    var congestionWindow: Int
    var peerReceiveWindow: Int
    var smoothedRoundTripTime: TimeAmount
    var retransmissionTimeout: TimeAmount
    var unacknowledgedChunks: Int
    var pendingMessages: Int
    /// The bytes of the messages that were not sent yet, `nil` if the engine does not count them.
    var pendingBytes: Int?
}
