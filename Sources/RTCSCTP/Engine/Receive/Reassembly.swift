internal import NIOCore

/// Which numbers came, what waits behind gaps, and the messages that chunks make together (RFC 9260 sections 6.2 and 6.9).
///
/// A message's chunks have consecutive numbers. What comes in order goes straight into the message being put together; what
/// comes early waits in a ring that begins behind the first gap, and is delivered from there when its message is whole and may
/// overtake.
struct Reassembly {
    /// A chunk in the ring.
    private struct Held {
        var payload: ByteBuffer
        var stream: UInt16
        var sequence: UInt16
        var payloadProtocol: UInt32
        var flags: DataFlags
        /// Whether its message was delivered ahead of its turn, and the payload is gone.
        var isDelivered = false
    }

    /// How far ahead of the first gap a chunk may be.
    private static let reach = 65_535

    /// The last number without a gap before it.
    private(set) var cumulative: Int64
    /// The ring: chunk `cumulative + 1 + index`.
    private var held = CircularBuffer<Held?>(initialCapacity: 1)
    private(set) var heldBytes = 0
    /// The message whose beginning came in order.
    private var open: (message: SCTPIncomingMessage, sequence: UInt16)?
    private let maximumMessageSize: Int
    /// Numbers that came twice since the last acknowledgement, at most ``maximumDuplicates``.
    private(set) var duplicates: [UInt32] = []
    private static let maximumDuplicates = 16

    private var streams = InboundStreams()

    /// - Parameter maximumMessageSize: The bytes of a larger message are dropped as they come.
    init(initialTSN: UInt32, maximumMessageSize: Int) {
        self.cumulative = Int64(initialTSN) - 1
        self.maximumMessageSize = maximumMessageSize
    }

    /// The bytes of what cannot be read yet, but for the message that comes in order: that one must end whatever the window is,
    /// and is bounded by the limit for messages.
    var byteCount: Int { self.heldBytes + self.streams.byteCount }

    /// Whether something is missing before what came.
    var hasGaps: Bool { !self.held.isEmpty }

    /// What became of a chunk.
    enum Outcome {
        case inOrder
        case outOfOrder
        case duplicate
        /// Too far ahead, or there is no room.
        case refused
    }

    /// Takes a chunk.
    ///
    /// - Parameter room: The bytes that may be held for chunks out of order.
    mutating func take(_ chunk: DataChunk, room: Int, to queue: inout ReceiveQueue) -> Outcome {
        let tsn = TSN.unwrap(chunk.tsn, near: self.cumulative)
        guard tsn > self.cumulative else { return self.duplicate(chunk.tsn) }
        let index = Int(tsn - self.cumulative) - 1
        if index == 0 {
            self.advance(with: chunk, to: &queue)
            return .inOrder
        }
        guard index < Self.reach, self.heldBytes + chunk.payload.count <= room else { return .refused }
        while self.held.count <= index { self.held.append(nil) }
        let position = self.held.index(self.held.startIndex, offsetBy: index)
        guard self.held[position] == nil else { return self.duplicate(chunk.tsn) }
        self.heldBytes += chunk.payload.count
        self.held[position] = Held(
            payload: ByteBuffer(bytes: chunk.payload),
            stream: chunk.stream,
            sequence: chunk.sequence,
            payloadProtocol: chunk.payloadProtocol,
            flags: chunk.flags
        )
        self.deliverAhead(index, to: &queue)
        return .outOfOrder
    }

    private mutating func duplicate(_ tsn: UInt32) -> Outcome {
        if self.duplicates.count < Self.maximumDuplicates { self.duplicates.append(tsn) }
        return .duplicate
    }

    mutating func clearDuplicates() { self.duplicates.removeAll(keepingCapacity: true) }

    // MARK: In order

    private mutating func advance(with chunk: DataChunk, to queue: inout ReceiveQueue) {
        self.cumulative += 1
        if !self.held.isEmpty { self.held.removeFirst() }
        if chunk.isWhole {
            self.open = nil
            self.deliver(chunk, to: &queue)
        } else {
            self.add(chunk.payload, of: chunk.stream, chunk.sequence, chunk.payloadProtocol, chunk.flags, to: &queue)
        }
        self.advanceThroughHeld(to: &queue)
    }

    private mutating func deliver(_ chunk: DataChunk, to queue: inout ReceiveQueue) {
        if self.streams.accept(chunk) {
            queue.append(chunk)
            if !chunk.flags.contains(.unordered), self.streams.hasWaiting(chunk.stream) {
                self.streams.release(chunk.stream, to: &queue)
            }
        } else {
            let message = SCTPIncomingMessage(
                bytes: ByteBuffer(bytes: chunk.payload),
                stream: chunk.stream,
                payloadProtocol: chunk.payloadProtocol,
                isUnordered: false
            )
            self.streams.take(message, sequence: chunk.sequence, to: &queue)
        }
    }

    /// Goes on with what waited right behind the last number in order.
    private mutating func advanceThroughHeld(to queue: inout ReceiveQueue) {
        while let first = self.held.first, let chunk = first {
            self.held.removeFirst()
            self.cumulative += 1
            if chunk.isDelivered {
                self.open = nil
                continue
            }
            self.heldBytes -= chunk.payload.readableBytes
            chunk.payload.withUnsafeReadableBytes {
                self.add($0, of: chunk.stream, chunk.sequence, chunk.payloadProtocol, chunk.flags, to: &queue)
            }
        }
    }

    /// Adds a chunk in order to the message it belongs to.
    private mutating func add(
        _ payload: UnsafeRawBufferPointer,
        of stream: UInt16,
        _ sequence: UInt16,
        _ payloadProtocol: UInt32,
        _ flags: DataFlags,
        to queue: inout ReceiveQueue
    ) {
        if flags.contains(.beginning) {
            var bytes = ByteBuffer()
            // Most messages in several chunks are large: growing by doubling would copy them over and over.
            bytes.reserveCapacity(flags.contains(.end) ? payload.count : 65_536)
            let message = SCTPIncomingMessage(
                bytes: bytes,
                stream: stream,
                payloadProtocol: payloadProtocol,
                isUnordered: flags.contains(.unordered)
            )
            self.open = (message, sequence)
        }
        // Without a beginning it belongs to a message that was given up.
        guard let size = self.open?.message.bytes.readableBytes, self.open?.message.stream == stream else {
            self.open = nil
            return
        }
        if size + payload.count > self.maximumMessageSize {
            self.open?.message.bytes = ByteBuffer()
            self.open?.message.isOversize = true
        }
        if self.open?.message.isOversize == false { self.open?.message.bytes.writeBytes(payload) }
        guard flags.contains(.end), let whole = self.open else { return }
        self.open = nil
        self.streams.take(whole.message, sequence: whole.sequence, to: &queue)
    }

    // MARK: Ahead of a gap

    /// Delivers the message of the chunk at `index`, if all of it lies in the ring.
    private mutating func deliverAhead(_ index: Int, to queue: inout ReceiveQueue) {
        func chunk(_ index: Int) -> Held? {
            guard index >= 0, index < self.held.count else { return nil }
            return self.held[self.held.index(self.held.startIndex, offsetBy: index)]
        }
        guard let arrived = chunk(index) else { return }
        var first = index
        while let held = chunk(first), !held.flags.contains(.beginning) {
            guard let before = chunk(first - 1), before.stream == arrived.stream, !before.flags.contains(.end) else {
                return
            }
            first -= 1
        }
        var last = index
        while let held = chunk(last), !held.flags.contains(.end) {
            guard let after = chunk(last + 1), after.stream == arrived.stream, !after.flags.contains(.beginning) else {
                return
            }
            last += 1
        }
        var bytes = ByteBuffer()
        for position in first...last {
            let index = self.held.index(self.held.startIndex, offsetBy: position)
            guard var part = self.held[index]?.payload else { return }
            self.heldBytes -= part.readableBytes
            if first == last { bytes = part } else { bytes.writeBuffer(&part) }
            self.held[index]?.payload = ByteBuffer()
            self.held[index]?.isDelivered = true
        }
        let isOversize = bytes.readableBytes > self.maximumMessageSize
        self.streams.take(
            SCTPIncomingMessage(
                bytes: isOversize ? ByteBuffer() : bytes,
                stream: arrived.stream,
                payloadProtocol: arrived.payloadProtocol,
                isUnordered: arrived.flags.contains(.unordered),
                isOversize: isOversize
            ),
            sequence: arrived.sequence,
            to: &queue
        )
    }

    // MARK: Given up, and reset

    /// The peer gave up everything up to a number (RFC 3758 section 3.6).
    ///
    /// - Returns: Whether that was news.
    mutating func skip(
        through number: UInt32,
        _ skipped: [(stream: UInt16, sequence: UInt16)],
        to queue: inout ReceiveQueue
    ) -> Bool {
        let target = TSN.unwrap(number, near: self.cumulative)
        guard target > self.cumulative, target - self.cumulative <= Int64(Self.reach) else { return false }
        self.open = nil
        while self.cumulative < target {
            self.cumulative += 1
            guard let first = self.held.popFirst() else { continue }
            self.heldBytes -= first?.payload.readableBytes ?? 0
        }
        for entry in skipped { self.streams.skip(entry.stream, through: entry.sequence, to: &queue) }
        self.advanceThroughHeld(to: &queue)
        return true
    }

    /// Begins streams anew; all of them if none is named.
    mutating func reset(_ numbers: [UInt16]) {
        if numbers.isEmpty { self.streams.resetAll() }
        for number in numbers { self.streams.reset(number) }
    }

    // MARK: Acknowledging

    /// Calls `body` with the runs of numbers that came behind the first gap, as offsets from ``cumulative``, at most `limit`.
    func forEachGapBlock(limit: Int, _ body: (_ first: UInt16, _ last: UInt16) -> Void) {
        var count = 0
        var first: Int?
        var offset = 0
        for entry in self.held {
            offset += 1
            if entry != nil {
                first = first ?? offset
                continue
            }
            guard let begin = first else { continue }
            body(UInt16(begin), UInt16(offset - 1))
            first = nil
            count += 1
            if count == limit { return }
        }
        if let begin = first { body(UInt16(begin), UInt16(offset)) }
    }
}
