import NIOCore
import RTCSignaling

/// The way from a session to its client, confined to the server's event loop.
protocol SessionLink: InboxOwner {
    /// Sends a message; does nothing after the end.
    func send(_ message: WebSocketMessage)
}

/// Who takes what a client sends, confined to the server's event loop.
protocol SessionReceiver: AnyObject {
    /// A message came.
    func received(_ message: WebSocketMessage)
    /// The session is over; nothing comes after.
    func ended()
}
