/// An `a=fmtp` attribute (RFC 8866 section 6.15): the parameters of a format.
public struct SDPFormatParameters: Sendable, Hashable {
    /// One of the parameters.
    public struct Parameter: Sendable, Hashable {
        /// The name; names compare without regard to case.
        public var name: String
        /// The value, `nil` for parameters such as `111/111` that have no equals sign.
        public var value: String?

        /// A parameter from its name and value.
        public init(name: String, value: String? = nil) {
            self.name = name
            self.value = value
        }
    }

    /// The format, mostly a payload type.
    public var format: String
    /// The parameters as text, in the form that the codec's specification gives them.
    public var text: String

    /// Parameters from their text.
    public init(format: String, text: String) {
        self.format = format
        self.text = text
    }

    /// Parameters of the usual form `name=value;name=value`.
    public init(format: String, parameters: [Parameter]) {
        let items = parameters.map { item in item.value.map { "\(item.name)=\($0)" } ?? item.name }
        self.init(format: format, text: items.joined(separator: ";"))
    }

    /// Parses what follows `a=fmtp:`.
    public init(parsing text: String) throws(SDPError) {
        guard let (format, parameters) = Grammar.cut(text[...], at: Grammar.space), Grammar.isToken(format) else {
            throw SDPError("an fmtp is a format and its parameters, not \(Grammar.quoted(text))")
        }
        self.init(format: String(format), text: String(parameters))
    }

    /// The parameters between semicolons.
    public var parameters: [Parameter] {
        Grammar.fields(self.text, separator: UInt8(ascii: ";")).compactMap { item in
            let trimmed = item.drop { $0 == " " }
            guard !trimmed.isEmpty else { return nil }
            guard let (name, value) = Grammar.cut(trimmed, at: UInt8(ascii: "=")) else {
                return Parameter(name: String(trimmed))
            }
            return Parameter(name: String(name), value: String(value))
        }
    }

    /// The value of a parameter, whose name is compared without regard to case.
    public subscript(name: String) -> String? {
        let wanted = name.lowercased()
        return self.parameters.first { $0.name.lowercased() == wanted }?.value
    }
}

extension SDPFormatParameters: AttributeValue {
    /// `111 minptime=10;useinbandfec=1`.
    public var description: String { "\(self.format) \(self.text)" }
}
