public import NIOCore
public import RTCSignaling

extension SocketIOClient {
    /// This side in one namespace.
    ///
    /// Namespaces share a session: one whose events nobody reads holds up the others, and keeps a session that was lost from coming back.
    public final class Socket: Sendable {
        /// The namespace.
        public let namespace: String
        /// What happens in the namespace, from the first ``Event/connected`` on.
        public let events: Events

        private let id: SocketIOClientSession.SocketID
        private let lifetime: Lifetime

        init(
            _ namespace: String,
            _ id: SocketIOClientSession.SocketID,
            _ inbox: SocketIOClientDriver.SocketInbox,
            _ lifetime: Lifetime
        ) {
            self.namespace = namespace
            self.id = id
            self.lifetime = lifetime
            self.events = Events(id: id, inbox: inbox, lifetime: lifetime)
        }

        /// Sends an event; suspends while too much waits to be sent. Without a session it waits for the next.
        ///
        /// What was sent before a session is lost may not have arrived, as Socket.IO numbers nothing:
        /// ``Event/interrupted(_:unconfirmed:)`` says how much that is.
        ///
        /// - Throws: ``RTCSignaling/SocketIOClientError``: `queueFull` when there is no session and as much waits as the configuration
        ///   allows, `messageTooLarge`, `closed`, and `cancelled` when the task was cancelled while it waited; then the event is not sent.
        public func emit(_ name: String, _ arguments: SocketIOValue...) async throws(SocketIOClientError) {
            try await self.emit(name, arguments)
        }

        /// Sends an event; suspends while too much waits to be sent. Without a session it waits for the next.
        public func emit(_ name: String, _ arguments: [SocketIOValue]) async throws(SocketIOClientError) {
            try await self.lifetime.driver.emit(name, arguments, to: self.id)
        }

        /// Sends an event, and waits for the server's acknowledgement.
        ///
        /// An event that waits for a session when `timeout` is over, or when the task is cancelled, is not sent any more.
        ///
        /// - Parameter timeout: How long to wait at most.
        /// - Returns: What the acknowledgement carries.
        /// - Throws: ``RTCSignaling/SocketIOClientError``: `timedOut`, `interrupted` when the session was lost meanwhile, `disconnected`,
        ///   `tooManyAcknowledgements`, `cancelled`, and what ``emit(_:_:)-(_,SocketIOValue...)`` throws.
        public func emitWithAck(
            _ name: String,
            _ arguments: SocketIOValue...,
            timeout: TimeAmount = .seconds(10)
        ) async throws(SocketIOClientError) -> [SocketIOValue] {
            try await self.lifetime.driver.ask(name, arguments, to: self.id, timeout: timeout)
        }

        /// Leaves the namespace after what was sent; does nothing if it is over. The client is over with its last namespace.
        public func disconnect() { self.lifetime.driver.disconnect(self.id) }
    }

    /// What happens in a namespace.
    public enum Event: Sendable {
        /// This side has the namespace: for the first time, or again after ``interrupted(_:unconfirmed:)``. To the server it is a new
        /// client each time, in no rooms.
        case connected
        /// An event came.
        case received(ReceivedEvent)
        /// The server says that something is wrong; the namespace goes on.
        case error(SocketIOValue)
        /// The session is lost, and the client tries to come back. So many events and acknowledgements of all namespaces were sent and may
        /// not have arrived; what waits is sent when the client is back.
        case interrupted(SocketIOClientError, unconfirmed: Int)
        /// The namespace is over, nil if this side left; so many events were accepted and are not sent. Nothing comes after this.
        case disconnected(SocketIOClientError?, unsent: Int)
    }

    /// An event that came.
    public struct ReceivedEvent: Sendable {
        /// The event's name.
        public let name: String
        /// What it carries.
        public let arguments: [SocketIOValue]

        private let incoming: SocketIOClientSession.Incoming
        private let id: SocketIOClientSession.SocketID
        private let lifetime: Lifetime

        init(
            _ incoming: SocketIOClientSession.Incoming,
            _ id: SocketIOClientSession.SocketID,
            _ lifetime: Lifetime
        ) {
            self.name = incoming.name
            self.arguments = incoming.arguments
            self.incoming = incoming
            self.id = id
            self.lifetime = lifetime
        }

        /// Whether the server wants to have an acknowledgement.
        public var wantsAcknowledgement: Bool { self.incoming.acknowledgement != nil }

        /// Acknowledges the event, once; does nothing if the server does not want that.
        ///
        /// - Throws: ``RTCSignaling/SocketIOClientError``: `interrupted` when the session by which the event came is lost, `closed`.
        public func acknowledge(_ arguments: SocketIOValue...) async throws(SocketIOClientError) {
            try await self.lifetime.driver.acknowledge(self.incoming, arguments, to: self.id)
        }
    }

    /// What happens in a namespace, as a sequence for one reader; ends after ``Event/disconnected(_:unsent:)``.
    public struct Events: AsyncSequence, Sendable {
        let id: SocketIOClientSession.SocketID
        let inbox: SocketIOClientDriver.SocketInbox
        let lifetime: Lifetime

        /// Reads the events.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let events: Events

            /// The next event; nil at the end.
            ///
            /// - Throws: ``RTCSignaling/SocketIOClientError``: `cancelled`, and `invalidArgument` when two tasks read at once.
            public mutating func next() async throws(SocketIOClientError) -> Event? { try await self.events.next() }

            /// The next event; nil at the end.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(SocketIOClientError) -> Event? {
                try await self.events.next()
            }
        }

        /// An iterator; those of one socket share its events.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(events: self) }

        private func next() async throws(SocketIOClientError) -> Event? {
            switch try await self.lifetime.driver.next(self.id, self.inbox) {
            case nil: nil
            case .connected?: .connected
            case .event(let incoming)?: .received(ReceivedEvent(incoming, self.id, self.lifetime))
            case .error(let value)?: .error(value)
            case .interrupted(let error, let unconfirmed)?: .interrupted(error, unconfirmed: unconfirmed)
            case .over(let error, let unsent)?: .disconnected(error, unsent: unsent)
            }
        }
    }
}
