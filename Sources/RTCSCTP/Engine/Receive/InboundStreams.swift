internal import NIOCore

/// Puts the ordered messages of each stream in order (RFC 9260 section 6.6). Only streams that were used take memory.
struct InboundStreams {
    private struct Stream {
        var next: UInt16 = 0
        var waiting: [UInt16: SCTPIncomingMessage] = [:]
    }

    private var streams: [UInt16: Stream] = [:]
    /// The bytes of the messages that wait for earlier ones.
    private(set) var byteCount = 0

    /// Whether a message of one chunk is the next of its stream, which then counts as received.
    mutating func accept(_ chunk: DataChunk) -> Bool {
        if chunk.flags.contains(.unordered) { return true }
        let isNext = self.streams[chunk.stream, default: Stream()].next == chunk.sequence
        if isNext { self.streams[chunk.stream, default: Stream()].next &+= 1 }
        return isNext
    }

    /// Whether messages wait in a stream for the one just accepted.
    func hasWaiting(_ stream: UInt16) -> Bool { self.streams[stream]?.waiting.isEmpty == false }

    /// Takes a message, and hands out those that are in order now.
    mutating func take(_ message: SCTPIncomingMessage, sequence: UInt16, to queue: inout ReceiveQueue) {
        guard !message.isUnordered else {
            queue.append(message)
            return
        }
        var stream = self.streams.removeValue(forKey: message.stream) ?? Stream()
        if sequence == stream.next {
            stream.next &+= 1
            queue.append(message)
            self.release(&stream, to: &queue)
        } else if stream.waiting.updateValue(message, forKey: sequence) == nil {
            self.byteCount += message.bytes.readableBytes
        }
        self.streams[message.stream] = stream
    }

    /// Hands out what waited for the message just accepted.
    mutating func release(_ number: UInt16, to queue: inout ReceiveQueue) {
        guard var stream = self.streams.removeValue(forKey: number) else { return }
        self.release(&stream, to: &queue)
        self.streams[number] = stream
    }

    private mutating func release(_ stream: inout Stream, to queue: inout ReceiveQueue) {
        while let message = stream.waiting.removeValue(forKey: stream.next) {
            self.byteCount -= message.bytes.readableBytes
            stream.next &+= 1
            queue.append(message)
        }
    }

    /// The peer gave up all messages of a stream up to `sequence` (RFC 3758 section 3.6).
    mutating func skip(_ number: UInt16, through sequence: UInt16, to queue: inout ReceiveQueue) {
        var stream = self.streams.removeValue(forKey: number) ?? Stream()
        // Those that did come are delivered in their order all the same.
        while Int16(bitPattern: sequence &- stream.next) >= 0 {
            if let message = stream.waiting.removeValue(forKey: stream.next) {
                self.byteCount -= message.bytes.readableBytes
                queue.append(message)
            }
            stream.next &+= 1
        }
        self.release(&stream, to: &queue)
        self.streams[number] = stream
    }

    /// Begins a stream anew (RFC 6525 section 5.2.2).
    mutating func reset(_ number: UInt16) {
        guard let stream = self.streams.removeValue(forKey: number) else { return }
        for message in stream.waiting.values { self.byteCount -= message.bytes.readableBytes }
    }

    /// Begins all streams anew.
    mutating func resetAll() { self = InboundStreams() }
}
