import NIOCore
public import RTCSignaling

/// What a client sends, as a sequence for one reader.
public struct SignalingMessages: AsyncSequence, Sendable {
    typealias Producer = NIOAsyncSequenceProducer<
        WebSocketMessage, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, Delegate
    >

    /// Tells the event loop when there is room again, or nobody who reads.
    struct Delegate: NIOAsyncSequenceProducerDelegate {
        let eventLoop: any EventLoop
        let link: NIOLoopBound<any SessionLink>

        func produceMore() { self.eventLoop.execute { self.link.value.setReading(true) } }

        func didTerminate() {
            self.eventLoop.execute { self.link.value.close(code: 1000, reason: "") }
        }
    }

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
