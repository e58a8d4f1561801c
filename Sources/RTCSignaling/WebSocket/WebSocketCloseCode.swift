/// Why a WebSocket connection is closed (RFC 6455 section 7.4).
public struct WebSocketCloseCode: RawRepresentable, Sendable, Hashable {
    /// The number on the wire.
    public let rawValue: UInt16

    /// A code with any number; ``isSendable`` tells which may be sent.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The purpose was fulfilled.
    public static let normal = WebSocketCloseCode(rawValue: 1000)
    /// The endpoint goes away: a server that stops, a page that is left.
    public static let goingAway = WebSocketCloseCode(rawValue: 1001)
    /// What came is against the protocol.
    public static let protocolError = WebSocketCloseCode(rawValue: 1002)
    /// What came is of a kind that the endpoint does not take.
    public static let unsupportedData = WebSocketCloseCode(rawValue: 1003)
    /// Stands for a close frame without a code; never sent.
    public static let noStatus = WebSocketCloseCode(rawValue: 1005)
    /// Stands for a connection that ended without a close frame; never sent.
    public static let abnormal = WebSocketCloseCode(rawValue: 1006)
    /// A message does not fit its type: text that is not UTF-8.
    public static let invalidPayload = WebSocketCloseCode(rawValue: 1007)
    /// What came is against the endpoint's policy.
    public static let policyViolation = WebSocketCloseCode(rawValue: 1008)
    /// A message is too large.
    public static let messageTooBig = WebSocketCloseCode(rawValue: 1009)
    /// Something unexpected keeps the server from going on.
    public static let internalError = WebSocketCloseCode(rawValue: 1011)
    /// The server has too much to do (IANA's registry).
    public static let tryAgainLater = WebSocketCloseCode(rawValue: 1013)

    /// Whether the number may stand in a close frame (RFC 6455 section 7.4.2): those of the protocol but 1004, 1005, 1006 and
    /// 1015, those that are registered (3000 to 3999) and private ones (4000 to 4999).
    public var isSendable: Bool {
        switch self.rawValue {
        case 1000...1003, 1007...1014, 3000...4999: return true
        default: return false
        }
    }
}
