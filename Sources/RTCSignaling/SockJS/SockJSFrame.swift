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

    /// Reads what a server sent; nil for what is no frame.
    public init?(_ text: String) {
        let rest = text.utf8.dropFirst()
        switch text.utf8.first {
        case UInt8(ascii: "o") where rest.isEmpty: self = .open
        case UInt8(ascii: "h") where rest.isEmpty: self = .heartbeat
        case UInt8(ascii: "a"):
            guard let messages = JSONStrings.decode(rest) else { return nil }
            self = .messages(messages)
        // One message, as servers of earlier versions send it.
        case UInt8(ascii: "m"):
            guard let messages = JSONStrings.decode(rest), messages.count == 1 else { return nil }
            self = .messages(messages)
        case UInt8(ascii: "c"):
            // A number before the string.
            guard rest.first == UInt8(ascii: "["), let comma = rest.firstIndex(of: UInt8(ascii: ",")),
                let number = String(rest[..<comma].dropFirst()), let code = Int(number.trimmingSpaces()),
                let reasons = JSONStrings.decode([UInt8(ascii: "[")] + rest[comma...].dropFirst()), reasons.count == 1
            else { return nil }
            self = .close(code: code, reason: reasons[0])
        default: return nil
        }
    }

    /// What a client sends for messages.
    public static func clientText(_ messages: [String]) -> String { JSONStrings.encode(messages) }
}
