public import NIOCore

/// Puts blocks of sound into RED packets, each with some of the blocks before it (RFC 2198).
public struct REDEncoder: Sendable {
    private struct Kept: Sendable {
        var payload: ByteBuffer
        var payloadType: PayloadType
        var timestamp: UInt32
    }

    /// How many earlier blocks each packet carries, 0 to 8; numbers beyond count as the nearer end. With fewer the oldest
    /// are forgotten.
    public var redundancy: Int {
        didSet {
            self.redundancy = min(max(self.redundancy, 0), 8)
            self.kept.removeFirst(max(0, self.kept.count - self.redundancy))
        }
    }
    /// The newest last.
    private var kept: [Kept] = []

    /// A block that lies further back cannot be named: offsets have 14 bits.
    static let maximumOffset: UInt32 = 0x3FFF
    /// A larger block cannot be sent again: lengths have 10 bits.
    static let maximumBlockSize = 0x3FF

    /// An encoder of one stream.
    ///
    /// - Parameter redundancy: How many earlier blocks each packet carries; numbers beyond 0 to 8 count as the nearer end.
    public init(redundancy: Int) { self.redundancy = min(max(redundancy, 0), 8) }

    /// Forgets the earlier blocks: after a change of the timestamps' base.
    public mutating func reset() { self.kept.removeAll(keepingCapacity: true) }

    /// Appends the RED payload of a block to `buffer`.
    ///
    /// Earlier blocks that lie too far back, are too large or do not fit are left out, the oldest first.
    ///
    /// - Parameters:
    ///   - payload: The block, as its own format puts it into a packet.
    ///   - payloadType: The payload type of that format.
    ///   - timestamp: The block's RTP timestamp, which is the packet's.
    ///   - maximumPayloadSize: The largest payload in bytes.
    ///   - buffer: What to append to.
    public mutating func encode(
        _ payload: ByteBuffer,
        payloadType: PayloadType,
        timestamp: UInt32,
        maximumPayloadSize: Int,
        into buffer: inout ByteBuffer
    ) throws(PacketizationError) {
        guard payload.readableBytes > 0 else { throw .emptyFrame }
        guard payload.readableBytes < maximumPayloadSize else {
            throw .indivisible(byteCount: payload.readableBytes)
        }
        let first = self.firstToRepeat(timestamp, room: maximumPayloadSize - 1 - payload.readableBytes)
        for block in self.kept[first...] {
            let offset = timestamp &- block.timestamp
            buffer.writeInteger(0x80 | block.payloadType.rawValue)
            let word = offset << 10 | UInt32(block.payload.readableBytes)
            buffer.writeInteger(UInt8(truncatingIfNeeded: word >> 16))
            buffer.writeInteger(UInt16(truncatingIfNeeded: word))
        }
        buffer.writeInteger(payloadType.rawValue)
        for block in self.kept[first...] { buffer.writeImmutableBuffer(block.payload) }
        buffer.writeImmutableBuffer(payload)
        self.keep(Kept(payload: payload, payloadType: payloadType, timestamp: timestamp))
    }

    /// The oldest block from which on all can be repeated.
    private func firstToRepeat(_ timestamp: UInt32, room: Int) -> Int {
        var room = room
        var first = self.kept.count
        while first > 0 {
            let block = self.kept[first - 1]
            let offset = timestamp &- block.timestamp
            let size = block.payload.readableBytes
            guard offset > 0, offset <= Self.maximumOffset, size <= Self.maximumBlockSize, size + 4 <= room else {
                break
            }
            room -= size + 4
            first -= 1
        }
        return first
    }

    private mutating func keep(_ block: Kept) {
        guard self.redundancy > 0 else { return }
        if self.kept.count == self.redundancy { self.kept.removeFirst() }
        self.kept.append(block)
    }
}
