import NIOCore

/// Names a session of an ``EngineIOService``.
///
/// Whoever knows it can receive and send in the session's stead: clients of Socket.IO 2 have it as their own socket's name, and an
/// application had better tell others something else.
public struct EngineIOSessionID: Sendable, Hashable {
    /// The `sid`: 20 characters, 120 bits of them random.
    public let text: String
}

/// Names a WebSocket of an ``EngineIOService``.
public struct EngineIOWebSocketID: Sendable, Hashable {
    let number: UInt64
}

/// What is known of a session.
struct EngineIOSession: Sendable {
    /// A request that waits for packets.
    struct Poll: Sendable {
        var exchange: ExchangeID
        var request: SignalingRequest
    }

    /// A WebSocket that is to take the session over.
    struct Probe: Sendable {
        var webSocket: EngineIOWebSocketID
        var supportsBinary: Bool
        var deadline: NIODeadline
        /// Whether the probe was answered, so that polls must not wait any more.
        var isAnswered = false
    }

    let id: EngineIOSessionID
    /// The WebSocket that carries it; nil while requests do.
    var webSocket: EngineIOWebSocketID?
    /// Whether the client takes bytes; it gets base64 otherwise.
    var supportsBinary: Bool
    var lastReceived: NIODeadline
    var poll: Poll?
    var probe: Probe?
    /// When the poll is answered with nothing, to let an upgrade go on.
    var releaseDeadline: NIODeadline?
    /// Packets that wait for a poll.
    var waiting: [EngineIOPacket] = []
    var waitingBytes = 0
    /// When it is forgotten, once it is over.
    var endDeadline: NIODeadline?

    /// When something is due.
    func nextTimeout(_ configuration: EngineIOConfiguration) -> NIODeadline? {
        if let end = self.endDeadline { return end }
        let silence = self.lastReceived + configuration.pingInterval + configuration.pingTimeout
        return [silence, self.probe?.deadline, self.releaseDeadline].earliest
    }
}
