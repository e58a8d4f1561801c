internal import NIOCore
internal import RTCBase

/// What the transport keeps of one data channel.
final class Channel {
    enum State {
        /// Waits for the association, or for more streams.
        case connecting
        case open
        /// Closing has begun; messages accepted before still go out.
        case closing
        case closed
    }

    /// How far the reset of our half of the stream has come.
    enum Reset {
        case none
        case requested
        case done
    }

    struct OutgoingMessage {
        var bytes: ByteBuffer
        var payloadProtocol: UInt32
    }

    let handle: DataChannelHandle
    let parameters: DataChannelParameters
    let reliability: SCTPReliability
    let isIncoming: Bool
    var stream: UInt16?
    var state = State.connecting

    // Sending.
    var queue = CircularBuffer<OutgoingMessage>(initialCapacity: 4)
    var bufferedAmount = 0
    /// The bytes of the queue's first message that SCTP has already.
    var handedOver = 0
    /// What this channel may still send before the next one's turn, in bytes.
    var credit = 0
    var isScheduled = false
    var hasReportedAmount = true
    /// Unordered messages must not overtake the OPEN (RFC 8832 section 6).
    var isAcknowledged: Bool

    // Receiving.
    /// The parts so far of a message that comes in several (deprecated payload protocols 52 and 54).
    var parts: ByteBuffer?

    // Closing.
    var outgoingReset = Reset.none
    var isIncomingReset = false
    var closeDeadline: NIODeadline?
    var closeError: RTCError?
    /// Whether the stream number can be used again.
    var mayReuseStream = true

    var statistics = DataChannelStatistics()

    init(handle: DataChannelHandle, parameters: DataChannelParameters, stream: UInt16?, isIncoming: Bool) {
        self.handle = handle
        self.parameters = parameters
        self.reliability = parameters.reliability
        self.stream = stream
        self.isIncoming = isIncoming
        self.isAcknowledged = isIncoming || parameters.negotiated
    }

    /// How many bytes this channel may send in its turn.
    var quantum: Int { max(Int(self.parameters.priority), 64) * 16 }

    /// Drops what waits, except for a message SCTP has a part of already.
    func dropQueue() {
        while self.queue.count > (self.handedOver > 0 ? 1 : 0) {
            guard let dropped = self.queue.popLast() else { return }
            if dropped.payloadProtocol != PayloadProtocol.control {
                self.bufferedAmount -= dropped.bytes.readableBytes
            }
        }
    }
}
