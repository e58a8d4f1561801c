/// A `b=` line (RFC 8866 section 5.8): the bandwidth of a session or media section.
public struct SDPBandwidth: Sendable, Hashable {
    /// How the value is to be read: `AS` (kbit/s, RFC 8866), `TIAS` (bit/s, RFC 3890), `RR`, `RS` (bit/s, RFC 3556).
    public var type: String
    /// The value, in the type's unit.
    public var value: UInt64

    /// A bandwidth from its type and value.
    public init(type: String, value: UInt64) {
        self.type = type
        self.value = value
    }

    /// Parses what follows `b=`.
    public init(parsing text: String) throws(SDPError) {
        guard let (type, value) = Grammar.cut(text[...], at: UInt8(ascii: ":")), Grammar.isToken(type),
            let number = Grammar.decimal(value, as: UInt64.self)
        else {
            throw SDPError("a bandwidth is <type>:<number>, not \(Grammar.quoted(text))")
        }
        self.init(type: String(type), value: number)
    }
}

extension SDPBandwidth: AttributeValue {
    /// `AS:128`, without `b=`.
    public var description: String { "\(self.type):\(self.value)" }
}
