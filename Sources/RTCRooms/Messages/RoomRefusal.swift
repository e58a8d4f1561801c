/// Why a server refuses a client, or ends its membership.
public struct RoomRefusal: Sendable, Hashable, CustomStringConvertible {
    /// The kind.
    public enum Code: String, Sendable, Hashable {
        /// The client may not enter.
        case unauthorized
        /// The room has as many members as it takes.
        case roomFull = "room-full"
        /// The server has as many rooms, members or connections as it takes; later there may be room.
        case serverFull = "server-full"
        /// The room's name is none.
        case badName = "bad-name"
        /// What the client said breaks the protocol.
        case badMessage = "bad-message"
        /// A message is larger than allowed.
        case tooLarge = "too-large"
        /// The client sends too much too fast.
        case rate
        /// Another channel took the membership over.
        case replaced
        /// The server's owner removed the member.
        case removed
        /// The client did not join in time.
        case timeout
        /// The server stops; the client may try again.
        case shutdown
        /// A code that is not known here.
        case other
    }

    /// The kind.
    public var code: Code
    /// Words for people.
    public var reason: String

    /// A refusal.
    public init(_ code: Code, _ reason: String = "") {
        self.code = code
        self.reason = reason
    }

    public var description: String {
        self.reason.isEmpty ? self.code.rawValue : "\(self.code.rawValue): \(self.reason)"
    }

    /// Whether trying again later, unchanged, may help.
    public var isTemporary: Bool {
        switch self.code {
        case .serverFull, .shutdown, .timeout, .rate: true
        case .unauthorized, .roomFull, .badName, .badMessage, .tooLarge, .replaced, .removed, .other: false
        }
    }
}

/// Why a membership could not be resumed.
public enum RoomLoss: String, Sendable, Hashable {
    /// The server does not know it: it lasted too long, or the server is another.
    case unknown
    /// More was missed than the server kept.
    case gap
}
