/// The security features that a nonce announces (RFC 8489 section 18.1; bit 0 is the rightmost one, erratum 6290).
public struct STUNSecurityFeatures: OptionSet, Sendable, Hashable {
    /// 24 bits.
    public let rawValue: UInt32

    /// Features from their bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue & 0xFF_FFFF }

    /// PASSWORD-ALGORITHMS belongs to the response: if it is missing, somebody took it out.
    public static let passwordAlgorithms = STUNSecurityFeatures(rawValue: 1)
    /// USERHASH is to be sent in place of USERNAME.
    public static let usernameAnonymity = STUNSecurityFeatures(rawValue: 2)
}

/// The part of a nonce that protects against bidding down: the nonce cookie and the security features (RFC 8489
/// section 9.2).
public enum STUNNonceCookie {
    /// What such a nonce begins with.
    public static let prefix = "obMatJos2"

    /// The beginning of a nonce: 13 characters.
    public static func encode(_ features: STUNSecurityFeatures) -> String {
        let bits = features.rawValue
        return Self.prefix + Base64.encode([UInt8(bits >> 16), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)])
    }

    /// The features that a nonce announces; `nil` if it does not begin with the cookie and four characters of Base64.
    public static func features(of nonce: String) -> STUNSecurityFeatures? {
        let bytes = Array(nonce.utf8.prefix(13))
        guard bytes.count == 13, bytes.starts(with: Self.prefix.utf8),
            let decoded = Base64.decode(bytes[9...]), decoded.count == 3
        else { return nil }
        return STUNSecurityFeatures(rawValue: decoded.reduce(0) { $0 << 8 | UInt32($1) })
    }

    /// The algorithm that a client uses with a response: the first that both sides have (RFC 8489 section 9.2.5).
    ///
    /// - Parameters:
    ///   - nonce: The response's nonce.
    ///   - offered: The response's PASSWORD-ALGORITHMS, `nil` if missing.
    /// - Returns: `nil` if the response must be thrown away: the nonce announces algorithms that are not there, or none of
    ///   those offered is known.
    public static func algorithm(
        nonce: String,
        offered: [STUNPasswordAlgorithm]?
    ) -> STUNPasswordAlgorithm? {
        guard Self.features(of: nonce)?.contains(.passwordAlgorithms) == true else { return .md5 }
        return offered?.first
    }
}
