/// An `a=ssrc` attribute (RFC 5576 section 4.1): an attribute of one source.
public struct SDPSourceAttribute: Sendable, Hashable {
    /// The source.
    public var ssrc: UInt32
    /// The attribute: `cname`, `msid`, ….
    public var name: String
    /// The attribute's value, `nil` if it has none.
    public var value: String?

    /// An attribute of a source.
    public init(ssrc: UInt32, name: String, value: String? = nil) {
        self.ssrc = ssrc
        self.name = name
        self.value = value
    }

    /// Parses what follows `a=ssrc:`.
    public init(parsing text: String) throws(SDPError) {
        guard let (source, attribute) = Grammar.cut(text[...], at: Grammar.space), !attribute.isEmpty,
            let ssrc = Grammar.decimal(source, as: UInt32.self)
        else {
            throw SDPError("an ssrc is a number of 32 bits and an attribute, not \(Grammar.quoted(text))")
        }
        if let (name, value) = Grammar.cut(attribute, at: UInt8(ascii: ":")) {
            self.init(ssrc: ssrc, name: String(name), value: String(value))
        } else {
            self.init(ssrc: ssrc, name: String(attribute))
        }
    }
}

extension SDPSourceAttribute: AttributeValue {
    /// `3147871348 cname:x`.
    public var description: String {
        let head = "\(self.ssrc) \(self.name)"
        return self.value.map { "\(head):\($0)" } ?? head
    }
}

/// An `a=ssrc-group` attribute (RFC 5576 section 4.2): sources that belong together.
public struct SDPSourceGroup: Sendable, Hashable {
    /// What belonging together means: `FID` (retransmissions), `SIM`, `FEC-FR`, ….
    public var semantics: String
    /// The sources.
    public var ssrcs: [UInt32]

    /// A group from its semantics and sources.
    public init(semantics: String, ssrcs: [UInt32]) {
        self.semantics = semantics
        self.ssrcs = ssrcs
    }

    /// Parses what follows `a=ssrc-group:`.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text)
        guard let semantics = fields.first, Grammar.isToken(semantics) else {
            throw SDPError("an ssrc-group is its semantics and sources, not \(Grammar.quoted(text))")
        }
        var ssrcs: [UInt32] = []
        for field in fields.dropFirst() {
            guard let ssrc = Grammar.decimal(field, as: UInt32.self) else {
                throw SDPError("the source \(Grammar.quoted(field)) is no number of 32 bits")
            }
            ssrcs.append(ssrc)
        }
        self.init(semantics: String(semantics), ssrcs: ssrcs)
    }
}

extension SDPSourceGroup: AttributeValue {
    /// `FID 1 2`.
    public var description: String {
        ([self.semantics] + self.ssrcs.map { String($0) }).joined(separator: " ")
    }
}
