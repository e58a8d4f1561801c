/// One `a=` line (RFC 8866 section 5.13): `a=<name>` or `a=<name>:<value>`.
public struct SDPAttribute: Sendable, Hashable {
    /// The attribute's name; case matters.
    public var name: String
    /// What follows the colon; `nil` if there is none, as in `a=rtcp-mux`.
    public var value: String?

    /// An attribute from its name and value.
    ///
    /// Line breaks and NUL, which would end the line, become spaces when the description is serialised.
    public init(_ name: String, _ value: String? = nil) {
        self.name = name
        self.value = value
    }
}

extension SDPAttribute: CustomStringConvertible {
    /// `mid:0` or `rtcp-mux`, without the leading `a=`.
    public var description: String {
        guard let value = self.value else { return self.name }
        return "\(self.name):\(value)"
    }
}
