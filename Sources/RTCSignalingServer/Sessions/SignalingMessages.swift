import NIOCore
public import RTCSignaling

/// What a client sends, as a sequence for one reader.
public struct SignalingMessages: AsyncSequence, Sendable {
    typealias Producer = Inbox<WebSocketMessage>.Producer

    /// Reads the messages.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let iterator: Producer.AsyncIterator

        /// The next message; nil at the end of the session.
        public mutating func next() async -> WebSocketMessage? { await self.iterator.next() }
    }

    let producer: Producer

    /// The one iterator.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(iterator: self.producer.makeAsyncIterator()) }
}
