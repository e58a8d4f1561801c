/// An `a=group` attribute (RFC 5888 section 5): media sections that belong together.
public struct SDPGroup: Sendable, Hashable {
    /// The semantics of sections that share one transport (RFC 9143).
    public static let bundle = "BUNDLE"

    /// What belonging together means: `BUNDLE`, `LS`, ….
    public var semantics: String
    /// The sections' identifications; in a bundle the first is the tagged one.
    public var mids: [String]

    /// A group from its semantics and identifications.
    public init(semantics: String, mids: [String]) {
        self.semantics = semantics
        self.mids = mids
    }

    /// Parses what follows `a=group:`.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text)
        guard let semantics = fields.first, fields.allSatisfy({ Grammar.isToken($0) }) else {
            throw SDPError("a group is its semantics and identifications, not \(Grammar.quoted(text))")
        }
        self.init(semantics: String(semantics), mids: fields.dropFirst().map { String($0) })
    }
}

extension SDPGroup: AttributeValue {
    /// `BUNDLE 0 1`.
    public var description: String { ([self.semantics] + self.mids).joined(separator: " ") }
}
