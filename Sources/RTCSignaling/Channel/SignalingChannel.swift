/// A two-way channel for text messages between a client and a server, or between two peers, whatever carries it: a WebSocket, a
/// SockJS session, HTTP polling, a pair in one process.
///
/// Messages arrive whole, in their order and once. Everything may be called from anywhere, but one task at a time receives.
public protocol SignalingChannel: AnyObject, Sendable {
    /// Sends a message; suspends while too much waits to be sent.
    ///
    /// - Throws: ``SignalingChannelError`` when the channel is over.
    func send(_ text: String) async throws(SignalingChannelError)

    /// The next message; nil after the channel was closed in an orderly way by either side.
    ///
    /// - Throws: ``SignalingChannelError`` when the channel broke.
    func receive() async throws(SignalingChannelError) -> String?

    /// Closes the channel after what was sent; does nothing when it is over.
    func close() async
}

/// Why a signalling channel cannot be had or used.
public enum SignalingChannelError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The channel is closed: with a code and a reason (RFC 6455, section 7.4) if the other side gave them.
    case closed(code: Int?, reason: String)
    /// Nobody could be reached, or the connection broke.
    case connectionFailed(reason: String)
    /// The server refused, with an HTTP status.
    case refused(status: Int, reason: String)
    /// The message is larger than the channel carries.
    case messageTooLarge(limit: Int)
    /// The other side broke the protocol.
    case protocolViolation(reason: String)
    /// What the caller wants cannot be: a URL, a header or a use that is not allowed.
    case invalidArgument(reason: String)
    /// The task was cancelled while it waited. A channel that is open stays so.
    case cancelled

    public var description: String {
        switch self {
        case .closed(let code?, let reason): "the channel was closed with \(code) \(reason)"
        case .closed(nil, let reason): "the channel is closed \(reason)"
        case .connectionFailed(let reason): "the connection failed: \(reason)"
        case .refused(let status, let reason): "the server refused with \(status) \(reason)"
        case .messageTooLarge(let limit): "the message is larger than \(limit) bytes"
        case .protocolViolation(let reason): "the other side broke the protocol: \(reason)"
        case .invalidArgument(let reason): "what was asked for cannot be: \(reason)"
        case .cancelled: "the task was cancelled"
        }
    }
}

extension SignalingChannelError {
    /// Whether trying again, unchanged, cannot help.
    package var isPermanent: Bool {
        switch self {
        case .refused(let status, _): (400..<500).contains(status) && status != 408 && status != 429
        case .invalidArgument: true
        case .messageTooLarge, .closed, .connectionFailed, .protocolViolation, .cancelled: false
        }
    }
}
