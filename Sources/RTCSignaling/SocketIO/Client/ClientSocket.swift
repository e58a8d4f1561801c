import NIOCore

/// A namespace of a ``SocketIOClientSession``.
struct ClientSocket: Sendable {
    /// A packet that waits for a transport.
    struct Queued: Sendable {
        var messages: [WebSocketMessage]
        var size: Int
        /// Tells which of the packets of all namespaces is first.
        var order: UInt64
        /// The acknowledgement that it asks for.
        var asks: UInt64?
        /// The session whose event it acknowledges.
        var answers: Int?
    }

    /// The most events that may come before the server's answer.
    static let maximumEarly = 64

    let namespace: String
    let query: String
    /// Whether the server gave it to this side, in the session that there is.
    var isConnected = false
    /// Whether it did so in any.
    var wasConnected = false
    /// Events that came before the server's answer: some servers greet first. And their bytes on the wire.
    var early: [SocketIOClientSession.Incoming] = []
    var earlyBytes = 0
    /// When the server's answer is late.
    var deadline: NIODeadline?
    /// When silence is taken for the server's consent, for `/` that was asked for; nil where there has to be an answer.
    var consent: NIODeadline?
    var queue = CircularBuffer<Queued>()
}

/// An acknowledgement that is waited for.
struct OwedAcknowledgement: Sendable {
    var socket: SocketIOClientSession.SocketID
    /// How many messages were sent when it was; nil while the event waits.
    var sent: UInt64?
}
