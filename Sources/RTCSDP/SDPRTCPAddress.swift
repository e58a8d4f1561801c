/// An `a=rtcp` attribute (RFC 3605): where RTCP goes if it has a port of its own.
public struct SDPRTCPAddress: Sendable, Hashable {
    /// The port.
    public var port: UInt16
    /// The address, `nil` where it is that of the section.
    public var connection: SDPConnection?

    /// An address from its parts.
    public init(port: UInt16, connection: SDPConnection? = nil) {
        self.port = port
        self.connection = connection
    }

    /// Parses what follows `a=rtcp:`.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text, maxSplits: 1)
        guard let port = fields.first.flatMap({ Grammar.decimal($0, as: UInt16.self) }) else {
            throw SDPError("the RTCP address \(Grammar.quoted(text)) begins with no port")
        }
        self.port = port
        if fields.count > 1 { self.connection = try SDPConnection(parsing: String(fields[1])) }
    }
}

extension SDPRTCPAddress: AttributeValue {
    /// `9 IN IP4 0.0.0.0`.
    public var description: String {
        self.connection.map { "\(self.port) \($0)" } ?? String(self.port)
    }
}
