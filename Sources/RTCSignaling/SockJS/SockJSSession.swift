import NIOCore

/// What is known of a session over HTTP.
struct SockJSSession: Sendable {
    /// A request that receives for the session.
    struct Receiver: Sendable {
        var exchange: ExchangeID
        var transport: SockJSTransport
        /// Bytes of frames so far.
        var sent = 0
        /// Whether more may be written now.
        var isWritable = true
    }

    /// What clients are told once a session is over.
    struct End: Sendable {
        var code: Int
        var reason: String
    }

    let id: SockJSSessionID
    var receiver: Receiver?
    /// Whether the open frame was sent.
    var isOpened = false
    /// Messages that wait for a receiver.
    var waiting: [String] = []
    var waitingBytes = 0
    /// Set once the session is over; then it only tells that, until it is forgotten.
    var end: End?
}
