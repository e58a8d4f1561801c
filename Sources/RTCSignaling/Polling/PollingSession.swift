import NIOCore

/// What is known of a session over plain HTTP requests.
struct PollingSession: HTTPSession {
    /// A request that waits for messages or takes them as they come.
    struct Receiver: HTTPSessionReceiver {
        var exchange: ExchangeID
        /// The request of a poll, whose response is yet to come; nil for a stream, whose response has begun.
        var poll: SignalingRequest?
        /// When a poll that got nothing ends, or a stream has its next sign of life.
        var deadline: NIODeadline
        /// The first message that was not written to it.
        var next: UInt64
        /// Bytes of messages so far.
        var sent = 0
        var isWritable = true

        var isStream: Bool { self.poll == nil }
    }

    let id: PollingSessionID
    /// Messages that were not acknowledged, the number of the first, and what they take in bytes.
    private(set) var messages = CircularBuffer<String>()
    private(set) var first: UInt64 = 1
    private(set) var bytes = 0
    /// The last message that was taken from the client.
    var received: UInt64 = 0
    var receiver: Receiver?
    /// Whether the client's messages are wanted.
    var isReading = true
    var end: CloseNotice?

    init(id: PollingSessionID) { self.id = id }

    /// The last message that there is; zero for none yet.
    var last: UInt64 { self.first + UInt64(self.messages.count) - 1 }

    mutating func append(_ message: String) {
        self.messages.append(message)
        self.bytes += message.utf8.count + WebSocketMessage.overhead
    }

    /// Forgets what the client has: everything up to `number`.
    mutating func acknowledge(_ number: UInt64) {
        while self.first <= number, let message = self.messages.popFirst() {
            self.first += 1
            self.bytes -= message.utf8.count + WebSocketMessage.overhead
        }
    }

    mutating func discard() { self.acknowledge(.max) }

    /// Messages from `number` on, as many as `limit` bytes hold, one at least.
    func messages(from number: UInt64, limit: Int) -> ArraySlice<String> {
        let start = Int(max(number, self.first) - self.first)
        guard start < self.messages.count else { return [] }
        var size = 0
        let fitting = self.messages.dropFirst(start).prefix { message in
            size += message.utf8.count
            return size <= limit
        }
        return ArraySlice(fitting.isEmpty ? [self.messages[offset: start]] : Array(fitting))
    }
}
