public import RTCSTUN

extension STUNAttributeType {
    /// CHANGE-REQUEST (RFC 5780 section 7.2).
    public static let changeRequest = STUNAttributeType(rawValue: 0x0003)
    /// CHANNEL-NUMBER (RFC 8656 section 18.1).
    public static let channelNumber = STUNAttributeType(rawValue: 0x000C)
    /// LIFETIME, in seconds (RFC 8656 section 18.2).
    public static let lifetime = STUNAttributeType(rawValue: 0x000D)
    /// XOR-PEER-ADDRESS (RFC 8656 section 18.3).
    public static let xorPeerAddress = STUNAttributeType(rawValue: 0x0012)
    /// DATA (RFC 8656 section 18.4).
    public static let data = STUNAttributeType(rawValue: 0x0013)
    /// XOR-RELAYED-ADDRESS (RFC 8656 section 18.5).
    public static let xorRelayedAddress = STUNAttributeType(rawValue: 0x0016)
    /// REQUESTED-ADDRESS-FAMILY (RFC 8656 section 18.6).
    public static let requestedAddressFamily = STUNAttributeType(rawValue: 0x0017)
    /// EVEN-PORT (RFC 8656 section 18.7).
    public static let evenPort = STUNAttributeType(rawValue: 0x0018)
    /// REQUESTED-TRANSPORT (RFC 8656 section 18.8).
    public static let requestedTransport = STUNAttributeType(rawValue: 0x0019)
    /// DONT-FRAGMENT (RFC 8656 section 18.9).
    public static let dontFragment = STUNAttributeType(rawValue: 0x001A)
    /// RESERVATION-TOKEN (RFC 8656 section 18.10).
    public static let reservationToken = STUNAttributeType(rawValue: 0x0022)
    /// PADDING (RFC 5780 section 7.6).
    public static let padding = STUNAttributeType(rawValue: 0x0026)
    /// RESPONSE-PORT (RFC 5780 section 7.5).
    public static let responsePort = STUNAttributeType(rawValue: 0x0027)
    /// CONNECTION-ID (RFC 6062 section 6.2.1).
    public static let connectionID = STUNAttributeType(rawValue: 0x002A)
    /// ADDITIONAL-ADDRESS-FAMILY (RFC 8656 section 18.11).
    public static let additionalAddressFamily = STUNAttributeType(rawValue: 0x8000)
    /// ADDITIONAL-ADDRESS-FAMILY by the number of the drafts of RFC 8656, the one that coturn knows.
    public static let draftAdditionalAddressFamily = STUNAttributeType(rawValue: 0x8032)
    /// ADDRESS-ERROR-CODE (RFC 8656 section 18.12).
    public static let addressErrorCode = STUNAttributeType(rawValue: 0x8001)
    /// ICMP (RFC 8656 section 18.13).
    public static let icmp = STUNAttributeType(rawValue: 0x8004)
    /// RESPONSE-ORIGIN (RFC 5780 section 7.3).
    public static let responseOrigin = STUNAttributeType(rawValue: 0x802B)
    /// OTHER-ADDRESS (RFC 5780 section 7.4).
    public static let otherAddress = STUNAttributeType(rawValue: 0x802C)

    /// Whether this is an attribute of STUN, ICE, TURN or NAT behaviour discovery: what a TURN agent understands.
    public var isKnownToTURN: Bool {
        if self.isKnown { return true }
        switch self.rawValue {
        case 0x0003, 0x000C, 0x000D, 0x0012, 0x0013, 0x0016, 0x0017, 0x0018, 0x0019, 0x001A, 0x0022, 0x0026, 0x0027,
            0x002A, 0x8000, 0x8001, 0x8004, 0x802B, 0x802C:
            return true
        default:
            return false
        }
    }
}

extension STUNMethod {
    /// Opens a TCP connection to a peer (RFC 6062 section 4.3).
    public static let connect = STUNMethod(rawValue: 0x00A)
    /// Makes a TCP connection to the server the data connection of a peer's (RFC 6062 section 4.3).
    public static let connectionBind = STUNMethod(rawValue: 0x00B)
    /// Tells of a peer that connected (RFC 6062 section 4.4).
    public static let connectionAttempt = STUNMethod(rawValue: 0x00C)
}
