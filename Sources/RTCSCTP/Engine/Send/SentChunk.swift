internal import NIOCore

/// A chunk that was sent and is not behind the peer's cumulative acknowledgement yet.
struct SentChunk {
    enum State: UInt8 {
        /// Under way, for all we know.
        case inFlight
        /// To be sent again.
        case lost
        /// The peer has it, behind a gap.
        case acknowledged
        /// Given up: the peer is told to go on without it (RFC 3758).
        case abandoned
    }

    /// The size of the header of a DATA chunk with that of the chunk, in bytes.
    static let headerSize = ChunkReader.headerSize + DataChunk.headerSize

    var payload: ByteBuffer
    var message: Int64
    var stream: UInt16
    var sequence: UInt16
    var payloadProtocol: UInt32
    var flags: DataFlags
    var rule: AbandonmentRule
    var sentAt: NIODeadline
    var transmissions = 1
    var state = State.inFlight

    init(payload: ByteBuffer, message: OutgoingMessage, flags: DataFlags, sentAt: NIODeadline) {
        self.payload = payload
        self.message = message.number
        self.stream = message.stream
        self.sequence = message.sequence
        self.payloadProtocol = message.payloadProtocol
        self.flags = flags
        self.rule = message.rule
        self.sentAt = sentAt
    }

    /// Its size in a packet, in bytes.
    var size: Int { Self.headerSize + (self.payload.readableBytes + 3) & ~3 }

    func write(to packet: inout PacketWriter, tsn: Int64) {
        packet.appendChunkHeader(
            type: ChunkType.data,
            flags: self.flags.rawValue,
            valueSize: DataChunk.headerSize + self.payload.readableBytes
        )
        packet.append(TSN.wrap(tsn))
        packet.append(self.stream)
        packet.append(self.sequence)
        packet.append(self.payloadProtocol)
        self.payload.withUnsafeReadableBytes { packet.append($0) }
        packet.pad()
    }
}
