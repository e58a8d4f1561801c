public import NIOCore

/// What a service of sessions over HTTP has to say.
public enum HTTPSessionOutput<SessionID: Sendable & Hashable>: Sendable, Hashable {
    /// A whole response.
    case respond(ExchangeID, SignalingResponse)
    /// The beginning of a response whose body comes in pieces.
    case begin(ExchangeID, SignalingResponse)
    /// The next piece of a body.
    case body(ExchangeID, ByteBuffer)
    /// The end of a body.
    case end(ExchangeID)
    /// A session began, with the request that began it.
    case opened(SessionID, SignalingRequest)
    /// A message came.
    case message(SessionID, String)
    /// A session is over.
    case closed(SessionID, HTTPSessionEnd)
}

/// Why a session over HTTP is over.
public enum HTTPSessionEnd: Sendable, Hashable {
    /// The owner closed it.
    case local
    /// The client took its leave or went away.
    case disconnected
    /// More waited for the client than allowed.
    case tooSlow
}

/// A service of sessions that go from request to request, doing no input or output: what whoever owns the connections has to know.
public protocol HTTPSessionService: Sendable {
    /// Names a session.
    associatedtype SessionID: Sendable, Hashable

    /// Takes a request whose path begins with the service's.
    mutating func receive(_ request: SignalingRequest, exchange: ExchangeID, now: NIODeadline)
    /// Does what is due.
    mutating func handleTimeout(now: NIODeadline)
    /// What is to be done next; nil when there is nothing.
    mutating func poll() -> HTTPSessionOutput<SessionID>?
    /// When ``handleTimeout(now:)`` is due at the latest; nil when nothing is pending.
    var nextTimeout: NIODeadline? { get }
    /// Bytes of messages that wait for clients.
    var unsentBytes: Int { get }

    /// Sends a message; does nothing if the session is over.
    mutating func send(_ message: String, to session: SessionID, now: NIODeadline)
    /// Ends a session after what was sent; does nothing if it is over.
    mutating func close(_ session: SessionID, code: Int, reason: String, now: NIODeadline)
    /// Tells that the connection of an exchange was closed before its response was whole.
    mutating func exchangeEnded(_ exchange: ExchangeID, now: NIODeadline)
    /// Tells whether the connection of an exchange takes more now.
    mutating func setWritable(_ exchange: ExchangeID, _ isWritable: Bool, now: NIODeadline)

    /// Whether clients can be made to wait by ``setReading(_:of:)``.
    static var canPause: Bool { get }
    /// Tells whether a session's messages are wanted now.
    mutating func setReading(_ isReading: Bool, of session: SessionID)
}
