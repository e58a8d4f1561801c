import NIOCore

/// What is known of a session over HTTP.
struct SockJSSession: HTTPSession {
    /// A request that receives for the session.
    struct Receiver: HTTPSessionReceiver {
        var exchange: ExchangeID
        var transport: SockJSTransport
        /// Bytes of frames so far.
        var sent = 0
        var isWritable = true
    }

    let id: SockJSSessionID
    var receiver: Receiver?
    /// Whether the open frame was sent.
    var isOpened = false
    /// Messages that wait for a receiver.
    var waiting: [String] = []
    var waitingBytes = 0
    var end: CloseNotice?
}
