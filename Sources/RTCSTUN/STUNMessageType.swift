/// What a STUN message is within its transaction (RFC 8489 section 5).
public enum STUNClass: UInt16, Sendable, Hashable {
    /// Asks for an answer.
    case request = 0x000
    /// Tells something; not answered.
    case indication = 0x010
    /// Answers a request that was granted.
    case successResponse = 0x100
    /// Answers a request that was refused.
    case errorResponse = 0x110
}

/// What a STUN message is for: 12 bits (RFC 8489 section 18.2).
public struct STUNMethod: Sendable, Hashable, RawRepresentable {
    /// The number, 0 to 0xFFF; higher bits are dropped.
    public let rawValue: UInt16

    /// A method by its number.
    public init(rawValue: UInt16) { self.rawValue = rawValue & 0xFFF }

    /// Asks for the reflexive address, and checks connectivity (RFC 8489, RFC 8445).
    public static let binding = STUNMethod(rawValue: 0x001)
    /// TURN's methods (RFC 8656 section 17).
    public static let allocate = STUNMethod(rawValue: 0x003)
    /// Prolongs an allocation.
    public static let refresh = STUNMethod(rawValue: 0x004)
    /// Sends data through a relay.
    public static let send = STUNMethod(rawValue: 0x006)
    /// Brings data from a relay.
    public static let data = STUNMethod(rawValue: 0x007)
    /// Lets an address send through a relay.
    public static let createPermission = STUNMethod(rawValue: 0x008)
    /// Gives an address a short number.
    public static let channelBind = STUNMethod(rawValue: 0x009)
}

/// The first 16 bits of a STUN message: method and class interleaved (RFC 8489 section 5, figure 3).
package enum STUNMessageType {
    package static func encode(_ messageClass: STUNClass, _ method: STUNMethod) -> UInt16 {
        let bits = method.rawValue
        return bits & 0x000F | (bits & 0x0070) << 1 | (bits & 0x0F80) << 2 | messageClass.rawValue
    }

    static func decode(_ type: UInt16) -> (STUNClass, STUNMethod)? {
        guard type & 0xC000 == 0, let messageClass = STUNClass(rawValue: type & 0x0110) else { return nil }
        let bits = type & 0x000F | (type & 0x00E0) >> 1 | (type & 0x3E00) >> 2
        return (messageClass, STUNMethod(rawValue: bits))
    }
}
