/// The type of a STUN attribute (RFC 8489 section 18.3, RFC 8445 section 20.1, RFC 8656 section 18).
public struct STUNAttributeType: Sendable, Hashable, RawRepresentable {
    /// The registered number.
    public let rawValue: UInt16

    /// Any type by its number.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The reflexive address in the clear (section 14.1); understood from old servers.
    public static let mappedAddress = STUNAttributeType(rawValue: 0x0001)
    /// USERNAME (section 14.3).
    public static let username = STUNAttributeType(rawValue: 0x0006)
    /// MESSAGE-INTEGRITY, HMAC with SHA-1 (section 14.5).
    public static let messageIntegrity = STUNAttributeType(rawValue: 0x0008)
    /// ERROR-CODE (section 14.8).
    public static let errorCode = STUNAttributeType(rawValue: 0x0009)
    /// UNKNOWN-ATTRIBUTES (section 14.13).
    public static let unknownAttributes = STUNAttributeType(rawValue: 0x000A)
    /// REALM (section 14.9).
    public static let realm = STUNAttributeType(rawValue: 0x0014)
    /// NONCE (section 14.10).
    public static let nonce = STUNAttributeType(rawValue: 0x0015)
    /// MESSAGE-INTEGRITY-SHA256 (section 14.6).
    public static let messageIntegritySHA256 = STUNAttributeType(rawValue: 0x001C)
    /// PASSWORD-ALGORITHM (section 14.12).
    public static let passwordAlgorithm = STUNAttributeType(rawValue: 0x001D)
    /// USERHASH (section 14.4).
    public static let userhash = STUNAttributeType(rawValue: 0x001E)
    /// XOR-MAPPED-ADDRESS, the reflexive address (section 14.2).
    public static let xorMappedAddress = STUNAttributeType(rawValue: 0x0020)
    /// PRIORITY of the candidate that a check may reveal (RFC 8445 section 16.1).
    public static let priority = STUNAttributeType(rawValue: 0x0024)
    /// USE-CANDIDATE, which nominates (RFC 8445 section 16.1).
    public static let useCandidate = STUNAttributeType(rawValue: 0x0025)
    /// PASSWORD-ALGORITHMS (section 14.11).
    public static let passwordAlgorithms = STUNAttributeType(rawValue: 0x8002)
    /// ALTERNATE-DOMAIN (section 14.16).
    public static let alternateDomain = STUNAttributeType(rawValue: 0x8003)
    /// SOFTWARE (section 14.14).
    public static let software = STUNAttributeType(rawValue: 0x8022)
    /// ALTERNATE-SERVER (section 14.15).
    public static let alternateServer = STUNAttributeType(rawValue: 0x8023)
    /// FINGERPRINT (section 14.7).
    public static let fingerprint = STUNAttributeType(rawValue: 0x8028)
    /// NOMINATION with its number (draft-thatcher-ice-renomination section 2), as shipping implementations number it.
    public static let nomination = STUNAttributeType(rawValue: 0xC001)
    /// ICE-CONTROLLED with its tie-breaker (RFC 8445 section 16.1).
    public static let iceControlled = STUNAttributeType(rawValue: 0x8029)
    /// ICE-CONTROLLING with its tie-breaker (RFC 8445 section 16.1).
    public static let iceControlling = STUNAttributeType(rawValue: 0x802A)

    /// Whether a receiver that does not know the attribute must refuse the message (RFC 8489 section 14).
    public var isComprehensionRequired: Bool { self.rawValue < 0x8000 }

    /// Whether this is an attribute of RFC 8489 or RFC 8445: one that a STUN or ICE agent understands.
    public var isKnown: Bool {
        switch self.rawValue {
        case 0x0001, 0x0006, 0x0008, 0x0009, 0x000A, 0x0014, 0x0015, 0x001C, 0x001D, 0x001E, 0x0020, 0x0024, 0x0025,
            0x8002, 0x8003, 0x8022, 0x8023, 0x8028, 0x8029, 0x802A:
            return true
        default:
            return false
        }
    }
}
