/// An `a=extmap` attribute (RFC 8285 section 5): the number of an RTP header extension.
public struct SDPExtmap: Sendable, Hashable {
    /// The number: 1 to 14 for one-byte headers, to 255 for two-byte ones, 4096 to 4351 while it is negotiated.
    public var id: UInt16
    /// The direction in which the extension is used, `nil` for that of the section.
    public var direction: SDPDirection?
    /// What the extension is.
    public var uri: String
    /// What follows the URI, `nil` mostly.
    public var parameters: String?

    /// A header extension from its parts.
    public init(id: UInt16, direction: SDPDirection? = nil, uri: String, parameters: String? = nil) {
        self.id = id
        self.direction = direction
        self.uri = uri
        self.parameters = parameters
    }

    /// Parses what follows `a=extmap:`.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text, maxSplits: 2)
        guard fields.count >= 2 else {
            throw SDPError("an extmap is a number and a URI, not \(Grammar.quoted(text))")
        }
        let head = Grammar.parts(fields[0], separator: UInt8(ascii: "/"))
        guard head.count <= 2, let id = Grammar.decimal(head[0], as: UInt16.self),
            (1...255).contains(id) || (4096...4351).contains(id)
        else {
            throw SDPError("\(Grammar.quoted(fields[0])) is no number of a header extension")
        }
        self.init(id: id, uri: String(fields[1]), parameters: fields.count > 2 ? String(fields[2]) : nil)
        if head.count == 2 {
            guard let direction = SDPDirection(rawValue: String(head[1])) else {
                throw SDPError("\(Grammar.quoted(head[1])) is no direction")
            }
            self.direction = direction
        }
    }
}

extension SDPExtmap: AttributeValue {
    /// `4 urn:ietf:params:rtp-hdrext:sdes:mid`.
    public var description: String {
        var text = String(self.id)
        if let direction = self.direction { text += "/\(direction.rawValue)" }
        text += " \(self.uri)"
        if let parameters = self.parameters { text += " \(parameters)" }
        return text
    }
}
