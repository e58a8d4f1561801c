import NIOCore
public import RTCSignaling

/// What a client sends, as a sequence for one reader.
public struct SocketIOEvents: AsyncSequence, Sendable {
    /// An event that came.
    public struct Event: Sendable {
        /// The event's name.
        public let name: String
        /// What it carries.
        public let arguments: [SocketIOValue]

        fileprivate let acknowledgementID: UInt64?
        fileprivate let origin: Origin

        /// Whether the client wants to have an acknowledgement.
        public var wantsAcknowledgement: Bool { self.acknowledgementID != nil }

        /// Acknowledges the event, once; does nothing if the client does not want that, or is gone.
        public func acknowledge(_ arguments: SocketIOValue...) {
            guard let number = self.acknowledgementID else { return }
            let origin = self.origin
            origin.eventLoop.execute { origin.driver.value.acknowledge(number, arguments, to: origin.id) }
        }
    }

    /// Where events come from.
    struct Origin: Sendable {
        let eventLoop: any EventLoop
        let driver: NIOLoopBound<SocketIODriver>
        let id: SocketIOSocketID
    }

    /// Reads the events.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let iterator: Inbox<SocketIOEvent>.Producer.AsyncIterator
        fileprivate let origin: Origin

        /// The next event; nil at the end of the socket.
        public mutating func next() async -> Event? {
            guard let event = await self.iterator.next() else { return nil }
            return Event(
                name: event.name,
                arguments: event.arguments,
                acknowledgementID: event.acknowledgementID,
                origin: self.origin
            )
        }
    }

    private let producer: Inbox<SocketIOEvent>.Producer
    private let origin: Origin

    init(producer: Inbox<SocketIOEvent>.Producer, driver: SocketIODriver, id: SocketIOSocketID) {
        self.producer = producer
        let bound = NIOLoopBound(driver, eventLoop: driver.eventLoop)
        self.origin = Origin(eventLoop: driver.eventLoop, driver: bound, id: id)
    }

    /// The one iterator.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(iterator: self.producer.makeAsyncIterator(), origin: self.origin)
    }
}
