/// A line of a description that is no attribute: a type letter and its value (RFC 8866 section 5).
public struct SDPLine: Sendable, Hashable {
    /// The type letter, `c` for example.
    public var type: Character
    /// What follows the equals sign, without the line's end.
    public var value: String

    /// A line from its type letter and value.
    public init(type: Character, value: String) {
        self.type = type
        self.value = value
    }
}

extension SDPLine: CustomStringConvertible {
    /// `c=IN IP4 0.0.0.0`, without the line's end.
    public var description: String { "\(self.type)=\(self.value)" }
}

/// What ends each line of a description. RFC 8866 section 5 asks for CRLF and has parsers take LF too.
public enum SDPLineEnding: String, Sendable, Hashable {
    /// Carriage return and line feed.
    case crlf = "\r\n"
    /// Line feed alone.
    case lf = "\n"
}
