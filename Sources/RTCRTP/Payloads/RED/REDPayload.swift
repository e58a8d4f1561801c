/// What a RED packet carries: the newest block of sound, and earlier ones once more (RFC 2198).
public struct REDPayload: Sendable, Hashable {
    /// One block of sound.
    public struct Block: Sendable, Hashable {
        /// The format.
        public let payloadType: PayloadType
        /// The RTP timestamp.
        public let timestamp: UInt32
        /// Where in the RED payload the block lies.
        public let range: Range<Int>
    }

    /// Why a payload is refused.
    public enum Failure: Error, Sendable, Hashable, CaseIterable {
        /// A header is cut short.
        case truncatedHeader
        /// The blocks are longer than the payload.
        case truncatedBlock
        /// The newest block is empty.
        case emptyPrimary
        /// More than ``REDPayload/maximumBlocks``.
        case tooManyBlocks
    }

    /// More blocks than this are refused.
    public static let maximumBlocks = 16

    /// The newest block, whose timestamp is the packet's.
    public let primary: Block
    /// The earlier blocks that are not empty, in the order of the packet: the oldest first by custom.
    public let redundant: [Block]

    /// Reads a payload.
    ///
    /// - Parameters:
    ///   - payload: The packet's payload.
    ///   - timestamp: The packet's RTP timestamp.
    public static func parse(_ payload: RawSpan, timestamp: UInt32) -> Result<REDPayload, Failure> {
        payload.withUnsafeBytes { self.parse($0, timestamp: timestamp) }
    }

    private static func parse(_ bytes: UnsafeRawBufferPointer, timestamp: UInt32) -> Result<REDPayload, Failure> {
        var reader = PayloadReader(bytes)
        var headers: [(type: PayloadType, offset: UInt32, length: Int)] = []
        var first = reader.byte()
        while first & 0x80 != 0 {
            guard headers.count < self.maximumBlocks - 1 else { return .failure(.tooManyBlocks) }
            // Block type (7 bits), timestamp offset (14), length (10).
            let word = UInt32(reader.uint16()) << 8 | UInt32(reader.byte())
            headers.append((PayloadType(lowBitsOf: first), word >> 10, Int(word & 0x3FF)))
            first = reader.byte()
            if reader.isExhausted { return .failure(.truncatedHeader) }
        }
        if reader.isExhausted { return .failure(.truncatedHeader) }
        var redundant: [Block] = []
        var start = reader.offset
        for header in headers {
            let range = start..<start + header.length
            guard range.upperBound <= bytes.count else { return .failure(.truncatedBlock) }
            if header.length > 0 {
                redundant.append(
                    Block(payloadType: header.type, timestamp: timestamp &- header.offset, range: range)
                )
            }
            start = range.upperBound
        }
        guard start < bytes.count else { return .failure(.emptyPrimary) }
        let type = PayloadType(lowBitsOf: first)
        let primary = Block(payloadType: type, timestamp: timestamp, range: start..<bytes.count)
        return .success(REDPayload(primary: primary, redundant: redundant))
    }
}
