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
        /// The neighbours here that belong to the same message: right only in the first and the last of them.
        var run: TSNRanges.Run

        /// What it takes, in bytes.
        var cost: Int { self.payload.readableBytes + SCTPIncomingMessage.overhead }
    }

    /// How far ahead of the first gap a chunk may be.
    private static let reach = 65_535

    /// The last number without a gap before it.
    private(set) var cumulative: Int64
    /// The ring: chunk `cumulative + 1 + index`.
    private var held = CircularBuffer<Held?>(initialCapacity: 1)
    private(set) var heldBytes = 0
    private var arrived = TSNRanges()
    /// The message whose beginning came in order.
    private var open: (message: SCTPIncomingMessage, sequence: UInt16)?
    private let maximumMessageSize: Int
    /// The room made at once for a message in several chunks.
    private static let usualSize = 65_536
    /// Numbers that came twice since the last acknowledgement, at most ``maximumDuplicates``.
    private(set) var duplicates: [UInt32] = []
    private static let maximumDuplicates = 16

    private var streams = InboundStreams()

    /// - Parameter maximumMessageSize: The bytes of a larger message are dropped as they come.
    init(initialTSN: UInt32, maximumMessageSize: Int) {
        self.cumulative = Int64(initialTSN) - 1
        self.maximumMessageSize = maximumMessageSize
    }

    /// What takes memory and cannot be read yet, in bytes, but for the message that comes in order: that one must end whatever the window is,
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
    /// - Parameter room: What may be held in addition, in bytes. The one that closes the first gap is taken if nothing may be: it may
    ///   be what everything else waits for.
    mutating func take(_ chunk: DataChunk, room: Int, to queue: inout ReceiveQueue) -> Outcome {
        let tsn = TSN.unwrap(chunk.tsn, near: self.cumulative)
        guard tsn > self.cumulative else { return self.duplicate(chunk.tsn) }
        let index = Int(tsn - self.cumulative) - 1
        if index == 0 {
            guard room >= 0 else { return .refused }
            self.advance(with: chunk, to: &queue)
            return .inOrder
        }
        guard index < Self.reach, chunk.payload.count + SCTPIncomingMessage.overhead <= room else { return .refused }
        while self.held.count <= index { self.held.append(nil) }
        let position = self.held.index(self.held.startIndex, offsetBy: index)
        guard self.held[position] == nil else { return self.duplicate(chunk.tsn) }
        let held = Held(
            payload: ByteBuffer(bytes: chunk.payload),
            stream: chunk.stream,
            sequence: chunk.sequence,
            payloadProtocol: chunk.payloadProtocol,
            flags: chunk.flags,
            run: TSNRanges.Run(first: tsn, last: tsn)
        )
        self.heldBytes += held.cost
        self.held[position] = held
        self.arrived.insert(tsn)
        self.join(tsn, to: &queue)
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
        defer { self.arrived.removeAll(through: self.cumulative) }
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
            self.heldBytes -= chunk.cost
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
            bytes.reserveCapacity(flags.contains(.end) ? payload.count : Self.usualSize)
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
        guard flags.contains(.end), var whole = self.open else { return }
        self.open = nil
        if size + payload.count < Self.usualSize / 4 {
            whole.message.bytes = ByteBuffer(bytes: whole.message.bytes.readableBytesView)
        }
        self.streams.take(whole.message, sequence: whole.sequence, to: &queue)
    }

    // MARK: Ahead of a gap

    /// Joins the chunk that just came with its neighbours of the same message, and delivers that if all of it is there.
    private mutating func join(_ number: Int64, to queue: inout ReceiveQueue) {
        guard let arrived = self[number] else { return }
        var run = arrived.run
        if !arrived.flags.contains(.beginning), let before = self[number - 1], before.stream == arrived.stream,
            !before.flags.contains(.end)
        {
            run.first = before.run.first
        }
        if !arrived.flags.contains(.end), let after = self[number + 1], after.stream == arrived.stream,
            !after.flags.contains(.beginning)
        {
            run.last = after.run.last
        }
        // What was given up may have taken a run's beginning away.
        guard let first = self[run.first], let last = self[run.last] else { return }
        self[run.first]?.run = run
        self[run.last]?.run = run
        guard first.flags.contains(.beginning), last.flags.contains(.end) else { return }
        self.deliver(run, of: first, to: &queue)
    }

    /// The chunk in the ring with a number.
    private subscript(number: Int64) -> Held? {
        get {
            let index = Int(number - self.cumulative) - 1
            guard index >= 0, index < self.held.count else { return nil }
            return self.held[self.held.index(self.held.startIndex, offsetBy: index)]
        }
        set {
            let index = Int(number - self.cumulative) - 1
            guard index >= 0, index < self.held.count else { return }
            self.held[self.held.index(self.held.startIndex, offsetBy: index)] = newValue
        }
    }

    private mutating func deliver(_ run: TSNRanges.Run, of first: Held, to queue: inout ReceiveQueue) {
        var bytes = ByteBuffer()
        for number in run.first...run.last {
            guard var part = self[number]?.payload else { return }
            self.heldBytes -= part.readableBytes + SCTPIncomingMessage.overhead
            if run.first == run.last { bytes = part } else { bytes.writeBuffer(&part) }
            self[number]?.payload = ByteBuffer()
            self[number]?.isDelivered = true
        }
        let isOversize = bytes.readableBytes > self.maximumMessageSize
        self.streams.take(
            SCTPIncomingMessage(
                bytes: isOversize ? ByteBuffer() : bytes,
                stream: first.stream,
                payloadProtocol: first.payloadProtocol,
                isUnordered: first.flags.contains(.unordered),
                isOversize: isOversize
            ),
            sequence: first.sequence,
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
            guard let first = self.held.popFirst(), let chunk = first, !chunk.isDelivered else { continue }
            self.heldBytes -= chunk.cost
        }
        for entry in skipped { self.streams.skip(entry.stream, through: entry.sequence, to: &queue) }
        self.advanceThroughHeld(to: &queue)
        self.arrived.removeAll(through: self.cumulative)
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
        for run in self.arrived.runs.prefix(limit) {
            body(UInt16(run.first - self.cumulative), UInt16(run.last - self.cumulative))
        }
    }
}
