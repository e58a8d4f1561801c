public import NIOCore
public import RTCSignaling

/// Why a client of STOMP cannot go on.
public enum STOMPClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The connection below could not be had, or broke.
    case channel(SignalingChannelError)
    /// The broker sent an `ERROR`, which ends the connection: its `message`, all headers, and what it says for people.
    case server(message: String, headers: [STOMPFrame.Header], body: ByteBuffer)
    /// What was asked for cannot be in the version that is spoken, or in STOMP.
    case invalidArgument(reason: String)
    /// ``STOMPClient/disconnect()`` was called.
    case disconnected
    /// The task was cancelled while it waited.
    case cancelled

    public var description: String {
        switch self {
        case .channel(let error): return error.description
        case .server(let message, _, _): return "the broker refused: \(message)"
        case .invalidArgument(let reason): return "what was asked for cannot be: \(reason)"
        case .disconnected: return "the client is disconnected"
        case .cancelled: return "the task was cancelled"
        }
    }

    init(_ error: SignalingChannelError) {
        switch error {
        case .cancelled: self = .cancelled
        case .invalidArgument(let reason): self = .invalidArgument(reason: reason)
        default: self = .channel(error)
        }
    }

    init(_ end: STOMPClientConnection.End) {
        switch end {
        case .error(let frame):
            self = .server(message: frame["message"] ?? "", headers: frame.headers, body: frame.body)
        case .silence: self = .channel(.connectionFailed(reason: "the broker said nothing for too long"))
        case .protocolViolation(let reason): self = .channel(.protocolViolation(reason: reason))
        case .transportEnded: self = .channel(.closed(code: nil, reason: "the broker ended the connection"))
        }
    }
}
