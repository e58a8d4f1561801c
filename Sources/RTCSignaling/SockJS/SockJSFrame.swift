/// What a SockJS server sends, as text (SockJS 0.3.3, Framing accepted by the client).
public enum SockJSFrame: Sendable, Hashable {
    /// The session begins.
    case open
    /// The connection lives.
    case heartbeat
    /// Messages.
    case messages([String])
    /// The session is over.
    case close(code: Int, reason: String)

    /// The text on the wire.
    public var text: String {
        switch self {
        case .open: return "o"
        case .heartbeat: return "h"
        case .messages(let messages): return "a" + JSONStrings.encode(messages)
        case .close(let code, let reason): return "c[\(code),\(JSONStrings.encode(reason))]"
        }
    }

    /// The messages in what a client sent over a WebSocket: an array of strings, or one.
    ///
    /// - Returns: nil for anything else, which ends the connection; nothing for an empty text, which is to be ignored.
    public static func messages(from text: String) -> [String]? {
        text.isEmpty ? [] : JSONStrings.decode(text.utf8)
    }
}
