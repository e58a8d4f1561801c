internal import NIOCore

/// Data that came for a channel before the channel.
///
/// One side of a pre-negotiated channel may be ready first, and an unordered message may overtake the OPEN of a peer that
/// does not wait. Also a stream that is being closed may carry its next channel's data already.
struct EarlyData {
    struct Message {
        var bytes: ByteBuffer
        var payloadProtocol: UInt32
    }

    struct Stream {
        var messages: [Message] = []
        /// Whether the peer closed the stream again.
        var isReset = false
    }

    /// What a held message costs beyond its bytes.
    private static let overhead = 64

    private var streams: [UInt16: Stream] = [:]
    private var size = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Keeps a message.
    ///
    /// - Returns: `false` if there is no room.
    mutating func hold(_ bytes: UnsafeRawBufferPointer, payloadProtocol: UInt32, stream: UInt16) -> Bool {
        let cost = bytes.count + Self.overhead
        guard self.size + cost <= self.limit else { return false }
        self.size += cost
        let message = Message(bytes: ByteBuffer(bytes: bytes), payloadProtocol: payloadProtocol)
        self.streams[stream, default: Stream()].messages.append(message)
        return true
    }

    /// Takes note that the peer closed a stream. Without messages there is nothing to remember.
    mutating func reset(_ stream: UInt16) {
        self.streams[stream]?.isReset = true
    }

    /// Whether the peer closed the stream after what is held for it.
    func isReset(_ stream: UInt16) -> Bool {
        self.streams[stream]?.isReset ?? false
    }

    /// Takes everything held for a stream.
    mutating func take(_ stream: UInt16) -> Stream? {
        guard !self.streams.isEmpty, let taken = self.streams.removeValue(forKey: stream) else { return nil }
        for message in taken.messages { self.size -= message.bytes.readableBytes + Self.overhead }
        return taken
    }

    mutating func removeAll() {
        self.streams.removeAll()
        self.size = 0
    }
}
