/// Why a client of Socket.IO cannot go on, or cannot do what was asked for.
public enum SocketIOClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The connection below could not be had, or broke.
    case channel(SignalingChannelError)
    /// The server speaks another revision of the protocol: Engine.IO 4, which Socket.IO 3 and later have, in most cases.
    case unsupportedProtocol(reason: String)
    /// The server has no session for the client, with the code of Engine.IO and its text.
    case refused(code: EngineIORefusal, message: String)
    /// The server refuses the namespace; with what it says.
    case namespaceRefused(SocketIOValue?)
    /// The server took the namespace away.
    case disconnected
    /// The namespace is over: this side left it, or the client is closed, or the namespace's last event said why.
    case closed
    /// The session was lost after an event was sent and before it was acknowledged, or before it could be: nobody knows whether the
    /// other side has it.
    case interrupted
    /// There was no answer in time.
    case timedOut
    /// There is no session, and as many events wait for the next as the client keeps.
    case queueFull
    /// The event is larger than the client sends, in bytes.
    case messageTooLarge(limit: Int)
    /// As many acknowledgements are waited for as may be.
    case tooManyAcknowledgements
    /// What was asked for cannot be.
    case invalidArgument(reason: String)
    /// The task was cancelled while it waited.
    case cancelled

    public var description: String {
        switch self {
        case .channel(let error): error.description
        case .unsupportedProtocol(let reason): "the server does not speak Engine.IO 3: \(reason)"
        case .refused(let code, let message): "the server refused with code \(code.rawValue): \(message)"
        case .namespaceRefused(let value): "the server refused the namespace: \(value?.string ?? "\(value ?? .null)")"
        case .disconnected: "the server took the namespace away"
        case .closed: "the namespace is over"
        case .interrupted: "the session was lost, and what became of the event is not known"
        case .timedOut: "no answer in time"
        case .queueFull: "too many events wait for a session"
        case .messageTooLarge(let limit): "the event is larger than \(limit) bytes"
        case .tooManyAcknowledgements: "too many acknowledgements are waited for"
        case .invalidArgument(let reason): "what was asked for cannot be: \(reason)"
        case .cancelled: "the task was cancelled"
        }
    }

    package init(_ error: SignalingChannelError) {
        switch error {
        case .cancelled: self = .cancelled
        case .invalidArgument(let reason): self = .invalidArgument(reason: reason)
        default: self = .channel(error)
        }
    }

    /// Whether trying again, unchanged, cannot help a handshake.
    var isPermanent: Bool {
        switch self {
        case .channel(let error): error.isPermanent
        case .unsupportedProtocol, .invalidArgument: true
        case .refused(let code, _): code != .unknownSession && code != .forbidden
        default: false
        }
    }

    /// Whether it is about the protocol's revision.
    var isAboutRevision: Bool { if case .unsupportedProtocol = self { true } else { false } }
}
