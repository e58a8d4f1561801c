import NIOCore
public import RTCSignaling
import Synchronization

/// A member of a room, over channels that may break: it comes back by itself, and nothing is lost or doubled on the way.
///
/// ```swift
/// let client = RoomClient { try await connect(to: url) }
/// let others = try await client.join(RoomName("lobby")!)
/// for await event in client.events { … }
/// ```
///
/// Everything may be called from anywhere. ``leave()`` ends it; a client that is only forgotten leaves too.
public final class RoomClient: Sendable {
    /// Opens a channel to the server.
    public typealias Opening = @Sendable () async throws(SignalingChannelError) -> any SignalingChannel

    private let configuration: RoomClientConfiguration
    private let opening: Opening
    private let driver = Mutex<RoomDriver?>(nil)
    private let queue: EventQueue<RoomEvent>

    /// What happens, from the first event on: to be read by one task. Who does not read stops the channel.
    public var events: RoomEvents { RoomEvents(queue: self.queue) }

    /// A client that has joined nothing.
    ///
    /// - Parameter open: Opens a channel; called each time that one is needed, and cancelled when it takes too long.
    public init(
        configuration: RoomClientConfiguration = RoomClientConfiguration(),
        open: @escaping Opening
    ) {
        self.configuration = configuration
        self.opening = open
        self.queue = EventQueue(capacity: configuration.maximumUnreadEvents)
    }

    deinit { self.driver.withLock { $0 }?.leave() }

    /// Joins a room; once for each client.
    ///
    /// - Parameters:
    ///   - room: The room; it exists while it has members.
    ///   - metadata: What this side says of itself: an object.
    ///   - credential: What the server's owner asks for.
    /// - Returns: The members that were there before.
    /// - Throws: ``RoomError``; the client is of no use then.
    @discardableResult
    public func join(
        _ room: RoomName,
        metadata: JSONValue = [:],
        credential: String? = nil
    ) async throws(RoomError) -> [RoomMember] {
        let session = RoomSession(
            room: room,
            metadata: metadata,
            credential: credential,
            configuration: self.configuration
        )
        let driver = self.driver.withLock { current -> RoomDriver? in
            guard current == nil else { return nil }
            let driver = RoomDriver(session, queue: self.queue, open: self.opening)
            current = driver
            return driver
        }
        guard let driver else { throw .alreadyJoined }
        return try await driver.join()
    }

    /// Who this side is; nil while it is no member.
    public var member: RoomMember? { self.driver.withLock { $0 }?.member }

    /// The other members, as far as this side has heard.
    public var members: [RoomMember] { self.driver.withLock { $0 }?.members ?? [] }

    /// Sends to others; without a channel it waits for the next.
    ///
    /// Messages arrive in their order and once, as long as nothing tells of a loss (``RoomEvent/rejoined(_:others:because:unconfirmed:)``).
    ///
    /// - Throws: ``RoomError/queueFull``, ``RoomError/messageTooLarge(limit:)``, ``RoomError/messageTooDeep``, ``RoomError/notJoined``.
    public func send(_ message: RoomMessage, to recipient: RoomRecipient) throws(RoomError) {
        guard let driver = self.driver.withLock({ $0 }) else { throw .notJoined }
        try driver.send(message, to: recipient)
    }

    /// Begins to leave, and returns at once. It is over with ``RoomEvent/ended(_:)``: when everything that ``send(_:to:)`` took was sent, or
    /// ``RoomClientConfiguration/leaveTimeout`` has passed; then the event says ``RoomError/unsent(messages:)``.
    ///
    /// The others see it at once if there is a channel, else when the place is not kept any more.
    public func leave() { self.driver.withLock { $0 }?.leave() }
}

/// What a member of a room learns, as a sequence for one reader; ends after ``RoomEvent/ended(_:)``.
public struct RoomEvents: AsyncSequence, Sendable {
    /// Reads the events.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let queue: EventQueue<RoomEvent>

        /// The next event; nil after the end, and when the task is cancelled.
        public mutating func next() async -> RoomEvent? { await self.queue.next() }
    }

    let queue: EventQueue<RoomEvent>

    /// The one iterator.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: self.queue) }
}
