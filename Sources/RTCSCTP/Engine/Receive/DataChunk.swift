internal import NIOCore

/// A DATA chunk as it came (RFC 9260 section 3.3.1).
struct DataChunk {
    static let headerSize = 12

    var tsn: UInt32
    var stream: UInt16
    var sequence: UInt16
    var payloadProtocol: UInt32
    var flags: DataFlags
    var payload: UnsafeRawBufferPointer

    /// Reads the value of the chunk; `nil` if it is malformed or has no user data.
    init?(_ chunk: ChunkReader.Chunk) {
        guard chunk.value.count > Self.headerSize else { return nil }
        self.tsn = chunk.value.uint32(at: 0)
        self.stream = chunk.value.uint16(at: 4)
        self.sequence = chunk.value.uint16(at: 6)
        self.payloadProtocol = chunk.value.uint32(at: 8)
        self.flags = DataFlags(rawValue: chunk.flags)
        self.payload = UnsafeRawBufferPointer(rebasing: chunk.value.dropFirst(Self.headerSize))
    }

    /// Whether it is a whole message.
    var isWhole: Bool { self.flags.isSuperset(of: [.beginning, .end]) }
}

/// A message that came in whole.
struct SCTPIncomingMessage {
    var bytes: ByteBuffer
    var stream: UInt16
    var payloadProtocol: UInt32
    var isUnordered: Bool
    /// Whether it was larger than the limit, and its bytes are gone.
    var isOversize = false
}
