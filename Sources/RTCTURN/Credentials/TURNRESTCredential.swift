internal import RTCCrypto

/// A credential that ends by itself, made of a secret that the server and a web service share (the TURN REST API).
///
/// The user name is `timestamp:user`, where the timestamp is the second of the Unix epoch at which the credential ends; the
/// password is Base64 of HMAC-SHA1 of the user name under the shared secret.
public struct TURNRESTCredential: Sendable, Hashable {
    /// The user name, `timestamp:user`.
    public let username: String
    /// The password.
    public let password: String
    /// When the credential ends, in seconds of the Unix epoch.
    public let expiresAt: Int64
    /// The part of the user name that says who it is; empty if there is none.
    public let user: String

    /// Mints a credential.
    ///
    /// - Parameters:
    ///   - user: Who it is for; quotas count by this. May be empty.
    ///   - secret: The shared secret.
    ///   - expiresAt: When it ends, in seconds of the Unix epoch.
    public init(user: String, secret: String, expiresAt: Int64) {
        let username = user.isEmpty ? "\(expiresAt)" : "\(expiresAt):\(user)"
        self.username = username
        self.password = Self.password(for: username, secret: secret)
        self.expiresAt = expiresAt
        self.user = user
    }

    /// Recognises a user name as one of a time-limited credential, and makes the password that it must come with.
    ///
    /// - Returns: `nil` if it does not begin with a timestamp.
    public init?(username: String, secret: String) {
        guard let (expiresAt, user) = Self.parts(of: username) else { return nil }
        self.username = username
        self.password = Self.password(for: username, secret: secret)
        self.expiresAt = expiresAt
        self.user = user
    }

    /// Whether the credential has ended.
    ///
    /// - Parameter unixTime: Seconds of the Unix epoch.
    public func isExpired(at unixTime: Int64) -> Bool { self.expiresAt <= unixTime }

    private static func parts(of username: String) -> (Int64, String)? {
        let parts = username.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, first.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let time = Int64(first)
        else { return nil }
        return (time, parts.count > 1 ? String(parts[1]) : "")
    }

    private static func password(for username: String, secret: String) -> String {
        let key = Array(secret.utf8)
        let text = Array(username.utf8)
        guard let hmac = HMACKey(.sha1, key: key.span.bytes) else { return "" }
        return Base64.encode(hmac.code(of: text.span.bytes))
    }
}

extension TURNRESTCredential: CustomStringConvertible, CustomReflectable {
    /// The user name; never the password.
    public var description: String { "TURNRESTCredential(username: \(self.username))" }
    /// The user name; never the password.
    public var customMirror: Mirror { Mirror(self, children: ["username": self.username]) }
}
