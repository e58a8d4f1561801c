public import NIOCore
public import RTCSignaling

/// A client in one namespace of a ``SocketIOService``.
///
/// Everything may be called from anywhere, and takes effect in the order of the calls.
public final class SocketIOSocket: Sendable {
    /// The name that the client has for this socket. Whoever knows it can take the client's place.
    public let id: String
    /// The namespace.
    public let namespace: String
    /// The query with which the client asked for the namespace; empty for none.
    public let query: String
    /// The request that began the client's session.
    public let request: SignalingRequest
    /// What the client sends, in its order, to be read by one reader; ends with the socket.
    ///
    /// A client over a WebSocket whose events are not read is not read from; one over requests that sends more than the server's
    /// limit of unread messages is cut off.
    public let events: SocketIOEvents

    private let socketID: SocketIOSocketID
    private let service: SocketIOService
    private let eventLoop: any EventLoop
    private let driver: NIOLoopBound<SocketIODriver>

    init(_ question: SocketIOQuestion, service: SocketIOService, events: SocketIOEvents, driver: SocketIODriver) {
        self.id = question.id.text
        self.namespace = question.id.namespace
        self.query = question.query
        self.request = question.request
        self.events = events
        self.socketID = question.id
        self.service = service
        self.eventLoop = driver.eventLoop
        self.driver = NIOLoopBound(driver, eventLoop: driver.eventLoop)
    }

    // MARK: Events

    /// Sends an event; does nothing when the socket is over.
    ///
    /// Events that a client does not take are kept up to a limit of bytes; then its session ends.
    public func emit(_ name: String, _ arguments: SocketIOValue...) { self.emit(name, arguments) }

    /// Sends an event; does nothing when the socket is over.
    public func emit(_ name: String, _ arguments: [SocketIOValue]) {
        self.eventLoop.execute { self.driver.value.emit(name, arguments, to: self.socketID) }
    }

    /// Sends an event, and waits for the client's acknowledgement.
    ///
    /// - Parameter timeout: How long to wait at most.
    /// - Returns: What the acknowledgement carries.
    /// - Throws: ``SocketIOError`` if none came.
    public func emitWithAck(
        _ name: String,
        _ arguments: SocketIOValue...,
        timeout: TimeAmount = .seconds(10)
    ) async throws(SocketIOError) -> [SocketIOValue] {
        let result = await withCheckedContinuation { continuation in
            self.eventLoop.execute {
                self.driver.value.emit(name, arguments, to: self.socketID, timeout: timeout) {
                    continuation.resume(returning: $0)
                }
            }
        }
        return try result.get()
    }

    // MARK: Rooms

    /// Becomes a member of a room; of more than ``SocketIOConfiguration/maximumRooms`` it does not.
    public func join(_ room: String) { self.eventLoop.execute { self.driver.value.join(room, self.socketID) } }

    /// Leaves a room.
    public func leave(_ room: String) { self.eventLoop.execute { self.driver.value.leave(room, self.socketID) } }

    /// Everybody else in the namespace.
    public var broadcast: SocketIOTarget {
        SocketIOTarget(
            service: self.service,
            audience: SocketIOAudience(namespace: self.namespace, excluding: self.socketID)
        )
    }

    /// Everybody else in a room, whether this socket is in it or not.
    public func to(_ room: String) -> SocketIOTarget { self.broadcast.to(room) }

    // MARK: The end

    /// Takes the namespace away from the client, after what was sent; does nothing when the socket is over.
    ///
    /// - Parameter closingConnection: Whether the client's connection is closed, too, with all its namespaces.
    public func disconnect(closingConnection: Bool = false) {
        self.eventLoop.execute {
            self.driver.value.disconnect(self.socketID, closesSession: closingConnection)
        }
    }
}

/// A client that wants to have a namespace.
public struct SocketIOConnecting: Sendable {
    /// The name that the client would have.
    public let id: String
    /// The namespace.
    public let namespace: String
    /// The query with which the client asked for the namespace; empty for none.
    public let query: String
    /// The request that began the client's session: its query, headers and cookies tell who the client is.
    public let request: SignalingRequest

    init(_ question: SocketIOQuestion) {
        self.id = question.id.text
        self.namespace = question.id.namespace
        self.query = question.query
        self.request = question.request
    }
}

/// Why there is no acknowledgement.
public enum SocketIOError: Error, Sendable, Hashable {
    /// None came in time.
    case timedOut
    /// The client is gone.
    case disconnected
    /// The client owes as many as it may.
    case tooManyAcknowledgements
}
