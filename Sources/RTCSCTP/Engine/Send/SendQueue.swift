internal import NIOCore

/// The messages that wait to be sent, in the order they were accepted, and the streams' sequence numbers.
struct SendQueue {
    private var messages = CircularBuffer<OutgoingMessage>(initialCapacity: 2)
    private var sequences: [UInt16: UInt16] = [:]
    private var nextNumber: Int64 = 0
    /// The bytes that wait.
    private(set) var byteCount = 0

    var count: Int { self.messages.count }
    var isEmpty: Bool { self.messages.isEmpty }
    /// The message that is sent next, or whose rest is.
    var first: OutgoingMessage? { self.messages.first }

    mutating func append(
        _ bytes: ByteBuffer,
        stream: UInt16,
        payloadProtocol: UInt32,
        isOrdered: Bool,
        rule: AbandonmentRule
    ) {
        self.byteCount += bytes.readableBytes
        self.messages.append(
            OutgoingMessage(
                rest: bytes,
                number: self.nextNumber,
                stream: stream,
                payloadProtocol: payloadProtocol,
                isOrdered: isOrdered,
                rule: rule
            )
        )
        self.nextNumber += 1
    }

    /// Takes the next chunk, of at most `size` bytes.
    mutating func nextChunk(size: Int, now: NIODeadline) -> SentChunk? {
        guard !self.messages.isEmpty else { return nil }
        let index = self.messages.startIndex
        if !self.messages[index].isBegun, self.messages[index].isOrdered {
            let stream = self.messages[index].stream
            let sequence = self.sequences[stream, default: 0]
            self.messages[index].sequence = sequence
            self.sequences[stream] = sequence &+ 1
        }
        var flags: DataFlags = self.messages[index].isOrdered ? [] : .unordered
        if !self.messages[index].isBegun { flags.insert(.beginning) }
        self.messages[index].isBegun = true
        let count = min(size, self.messages[index].rest.readableBytes)
        guard let payload = self.messages[index].rest.readSlice(length: count) else { return nil }
        self.byteCount -= count
        let message = self.messages[index]
        if message.rest.readableBytes == 0 {
            flags.insert(.end)
            self.messages.removeFirst()
        }
        return SentChunk(payload: payload, message: message, flags: flags, sentAt: now)
    }

    /// Drops the messages at the head whose time is over and of which nothing was sent.
    mutating func dropExpired(now: NIODeadline) {
        while let first = self.messages.first, !first.isBegun, first.rule.isOver(transmissions: 0, now: now) {
            self.byteCount -= first.rest.readableBytes
            self.messages.removeFirst()
        }
    }

    /// Drops the rest of a message that was given up.
    mutating func dropRest(of number: Int64) {
        guard let first = self.messages.first, first.number == number else { return }
        self.byteCount -= first.rest.readableBytes
        self.messages.removeFirst()
    }

    /// The streams that something waits for.
    var streams: Set<UInt16> { Set(self.messages.lazy.map(\.stream)) }

    /// Begins the numbers of streams anew (RFC 6525 section 5.1.3).
    mutating func reset(_ streams: [UInt16]) {
        for stream in streams { self.sequences[stream] = nil }
    }

    mutating func removeAll() {
        self.messages.removeAll()
        self.byteCount = 0
    }
}
