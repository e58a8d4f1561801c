import RTCCrypto
import RTCSignaling

/// A bearer token, as it comes in an `Authorization` field (RFC 6750 section 2.1).
public struct BearerToken: Sendable, Hashable {
    /// The token itself: a secret, so it stays out of descriptions and logs.
    public let rawValue: String

    /// A token.
    public init(_ rawValue: String) { self.rawValue = rawValue }

    /// The token of an `Authorization` field; nil for other schemes and for what is no token.
    init?(authorization field: String) {
        let parts = field.trimmingSpaces().split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let token = parts[1].trimmingSpaces()
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        self.rawValue = token
    }

    /// Whether this is a secret that is known here. How long that takes tells nothing of either.
    public func matches(_ secret: String) -> Bool {
        // Digests have one length, whatever they are of.
        let one = HashAlgorithm.sha256.digest(of: Array(self.rawValue.utf8).span.bytes)
        let other = HashAlgorithm.sha256.digest(of: Array(secret.utf8).span.bytes)
        return ConstantTime.equals(one.span.bytes, other.span.bytes)
    }
}

extension BearerToken: CustomStringConvertible, CustomDebugStringConvertible {
    /// Says that there is a token, and not which.
    public var description: String { "BearerToken(…)" }
    /// Says that there is a token, and not which.
    public var debugDescription: String { self.description }
}
