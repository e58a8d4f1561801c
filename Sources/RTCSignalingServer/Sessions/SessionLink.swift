import NIOCore
import RTCSignaling

/// The way from a session to its client, confined to the server's event loop.
protocol SessionLink: AnyObject {
    /// Sends a message; does nothing after the end.
    func send(_ message: WebSocketMessage)
    /// Ends the session.
    func close(code: Int, reason: String)
    /// Whether the client can be made to stop: of one that cannot, too many messages end the session.
    var canPause: Bool { get }
    /// Whether more messages are wanted.
    func setReading(_ isReading: Bool)
}

/// Who takes what a client sends, confined to the server's event loop.
protocol SessionReceiver: AnyObject {
    /// A message came.
    func received(_ message: WebSocketMessage)
    /// The session is over; nothing comes after.
    func ended()
}
