/// The `o=` line (RFC 8866 section 5.2): who made the session, and which version of it this is.
public struct SDPOrigin: Sendable, Hashable {
    /// The user's name, `-` where there is none.
    public var username: String
    /// The session's identifier: decimal digits, at most 63 bits in JSEP (RFC 9429 section 5.2.1).
    public var sessionID: String
    /// The version, which rises by one with each changed description of this session.
    public var sessionVersion: UInt64
    /// The network type, `IN`.
    public var netType: String
    /// The address type, `IP4` or `IP6`.
    public var addressType: String
    /// The address of the machine; JSEP always writes `127.0.0.1` or `0.0.0.0`.
    public var address: String

    /// An origin; the defaults are those of RFC 9429 section 5.2.1.
    public init(
        username: String = "-",
        sessionID: String,
        sessionVersion: UInt64,
        netType: String = "IN",
        addressType: String = "IP4",
        address: String = "127.0.0.1"
    ) {
        self.username = username
        self.sessionID = sessionID
        self.sessionVersion = sessionVersion
        self.netType = netType
        self.addressType = addressType
        self.address = address
    }

    /// An origin with a numeric session identifier.
    public init(sessionID: UInt64, sessionVersion: UInt64) {
        self.init(sessionID: String(sessionID), sessionVersion: sessionVersion)
    }

    /// Parses what follows `o=`.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text)
        guard fields.count == 6 else {
            throw SDPError("an o= line has six fields, this one \(fields.count)")
        }
        guard let version = Grammar.decimal(fields[2], as: UInt64.self) else {
            throw SDPError("the session version \(Grammar.quoted(fields[2])) is no number of 64 bits")
        }
        self.init(
            username: String(fields[0]),
            sessionID: String(fields[1]),
            sessionVersion: version,
            netType: String(fields[3]),
            addressType: String(fields[4]),
            address: String(fields[5])
        )
    }
}

extension SDPOrigin: AttributeValue {
    /// The six fields, without `o=`.
    public var description: String {
        "\(self.username) \(self.sessionID) \(self.sessionVersion) \(self.netType) \(self.addressType) \(self.address)"
    }
}
