/// The `c=` line (RFC 8866 section 5.7): the address of a session or of one media section.
public struct SDPConnection: Sendable, Hashable {
    /// The network type, `IN`.
    public var netType: String
    /// The address type, `IP4` or `IP6`.
    public var addressType: String
    /// The address, with the time to live and count of a multicast one.
    public var address: String

    /// A connection from its parts.
    public init(netType: String = "IN", addressType: String = "IP4", address: String) {
        self.netType = netType
        self.addressType = addressType
        self.address = address
    }

    /// `IN IP4 0.0.0.0`, what JSEP writes before there are candidates (RFC 9429 section 5.2.1).
    public static let unspecified = SDPConnection(address: "0.0.0.0")

    /// Parses what follows `c=`.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text)
        guard fields.count == 3 else {
            throw SDPError("a connection has three fields, this one \(fields.count)")
        }
        self.init(netType: String(fields[0]), addressType: String(fields[1]), address: String(fields[2]))
    }
}

extension SDPConnection: AttributeValue {
    /// The three fields, without `c=`.
    public var description: String { "\(self.netType) \(self.addressType) \(self.address)" }
}
