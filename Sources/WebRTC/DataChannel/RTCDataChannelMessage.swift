public import NIOCore
public import RTCBase
import RTCSCTP

/// A message of a data channel: text or bytes.
public struct RTCDataChannelMessage: Sendable, Hashable {
    /// What the bytes of a message are.
    public enum Kind: Sendable, Hashable {
        /// UTF-8.
        case text
        /// Bytes.
        case binary

        var wire: DataChannelMessageKind { self == .text ? .text : .binary }
    }

    /// Whether it is text or bytes.
    public var kind: Kind
    /// Its bytes; those of a text are UTF-8.
    public var bytes: ByteBuffer

    /// A message.
    public init(kind: Kind, bytes: ByteBuffer) {
        self.kind = kind
        self.bytes = bytes
    }

    init(_ message: DataChannelMessage) {
        self.init(kind: message.kind == .text ? .text : .binary, bytes: message.bytes)
    }

    /// A text.
    public static func text(_ text: String) -> RTCDataChannelMessage {
        RTCDataChannelMessage(kind: .text, bytes: ByteBuffer(string: text))
    }

    /// Bytes.
    public static func binary(_ bytes: ByteBuffer) -> RTCDataChannelMessage {
        RTCDataChannelMessage(kind: .binary, bytes: bytes)
    }

    /// The text, `nil` for bytes. Malformed UTF-8 is replaced (U+FFFD).
    public var text: String? { self.kind == .text ? String(buffer: self.bytes) : nil }

    /// Its size in bytes.
    public var byteCount: Int { self.bytes.readableBytes }
}

extension RTCDataChannel {
    /// The messages of a channel.
    public struct Messages: AsyncSequence, Sendable {
        /// A whole message.
        public typealias Element = RTCDataChannelMessage
        /// What ends the messages early: the channel failed.
        public typealias Failure = RTCError

        let queue: MessageQueue

        /// Begins to read; only one reader at a time.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: self.queue) }

        /// Reads the messages one by one; they come from the event loop many at a time.
        public struct AsyncIterator: AsyncIteratorProtocol {
            private let queue: MessageQueue
            private var batch: [DataChannelMessage] = []
            private var index = 0

            init(queue: MessageQueue) { self.queue = queue }

            /// The next message; waits while there is none, `nil` when the channel is closed or the task is cancelled.
            ///
            /// - Throws: The error that the channel failed with, after the messages that came before it.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(RTCError) -> RTCDataChannelMessage? {
                if self.index == self.batch.count {
                    self.batch = []
                    self.index = 0
                    guard try await self.queue.take(into: &self.batch) else { return nil }
                }
                defer { self.index += 1 }
                return RTCDataChannelMessage(self.batch[self.index])
            }
        }
    }
}
