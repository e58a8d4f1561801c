/// An `a=rid` attribute (RFC 8851 section 4): the restrictions of one encoding.
public struct SDPRID: Sendable, Hashable {
    /// Which side sends the encoding.
    public enum Direction: String, Sendable, Hashable {
        /// The author of the description sends it.
        case send
        /// The author of the description receives it.
        case recv
    }

    /// The encoding's identifier: letters, digits, `-` and `_`.
    public var id: String
    /// Whether the sender of the description sends or receives it.
    public var direction: Direction
    /// The restrictions as text: `pt=96;max-width=1280`; `nil` if there are none.
    public var restrictions: String?

    /// An encoding from its parts.
    public init(id: String, direction: Direction, restrictions: String? = nil) {
        self.id = id
        self.direction = direction
        self.restrictions = restrictions
    }

    /// Parses what follows `a=rid:`.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text, maxSplits: 2)
        guard fields.count >= 2, let direction = Direction(rawValue: String(fields[1])) else {
            throw SDPError("a rid is an identifier and 'send' or 'recv', not \(Grammar.quoted(text))")
        }
        guard SDPRID.isIdentifier(fields[0]) else {
            throw SDPError("\(Grammar.quoted(fields[0])) is no identifier of an encoding")
        }
        self.init(
            id: String(fields[0]),
            direction: direction,
            restrictions: fields.count > 2 ? String(fields[2]) : nil
        )
    }

    /// The payload types to which the encoding is restricted (`pt=96,97`); empty if it is not.
    public var payloadTypes: [UInt8] {
        guard let text = self.restriction("pt") else { return [] }
        return Grammar.fields(text, separator: UInt8(ascii: ",")).compactMap { Grammar.payloadType($0) }
    }

    /// The value of a restriction, `max-width` for example; `nil` if there is none of this name.
    public func restriction(_ name: String) -> String? {
        for item in Grammar.fields(self.restrictions ?? "", separator: UInt8(ascii: ";")) {
            if let (key, value) = Grammar.cut(item, at: UInt8(ascii: "=")), key == name { return String(value) }
        }
        return nil
    }

    static func isIdentifier(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                Grammar.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }
}

extension SDPRID: AttributeValue {
    /// `hi send pt=96`.
    public var description: String {
        let head = "\(self.id) \(self.direction.rawValue)"
        return self.restrictions.map { "\(head) \($0)" } ?? head
    }
}
