public import RTCCrypto
public import RTCSTUN

/// How a long-term key is made of a password (RFC 8489 section 18.5).
public enum STUNPasswordAlgorithm: UInt16, Sendable, Hashable, CaseIterable {
    /// MD5, the one of RFC 5389.
    case md5 = 0x0001
    /// SHA-256.
    case sha256 = 0x0002

    /// The hash function.
    public var hash: HashAlgorithm { self == .md5 ? .md5 : .sha256 }

    /// The value of PASSWORD-ALGORITHMS, the preferred one first; none has parameters.
    public static func bytes(of algorithms: [STUNPasswordAlgorithm]) -> [UInt8] {
        algorithms.flatMap { [UInt8($0.rawValue >> 8), UInt8($0.rawValue & 0xFF), 0, 0] }
    }

    /// Reads the value of PASSWORD-ALGORITHMS; algorithms without a name here are left out.
    ///
    /// - Returns: `nil` if an entry does not fit.
    public static func list(from value: RawSpan) -> [STUNPasswordAlgorithm]? {
        var algorithms: [STUNPasswordAlgorithm] = []
        var offset = 0
        while offset < value.byteCount {
            guard let number: UInt16 = value.bigEndian(at: offset),
                let parameterSize: UInt16 = value.bigEndian(at: offset + 2)
            else { return nil }
            offset += 4 + (Int(parameterSize) + 3) & ~3
            guard offset <= value.byteCount else { return nil }
            if let algorithm = STUNPasswordAlgorithm(rawValue: number), !algorithms.contains(algorithm) {
                algorithms.append(algorithm)
            }
        }
        return algorithms
    }
}

/// A long-term credential (RFC 8489 section 9.2), prepared with OpaqueString.
public struct STUNLongTermCredential: Sendable, Hashable {
    /// The user name, prepared.
    public let username: String
    /// The realm, prepared.
    public let realm: String
    /// The password, prepared.
    public let password: String

    /// A credential.
    ///
    /// - Returns: `nil` if OpaqueString refuses one of the texts, see ``OpaqueString``.
    public init?(username: String, realm: String, password: String) {
        guard let username = OpaqueString.prepare(username), let realm = OpaqueString.prepare(realm),
            let password = OpaqueString.prepare(password)
        else { return nil }
        self.username = username
        self.realm = realm
        self.password = password
    }

    /// The bytes of the key: the digest of `username:realm:password` (RFC 8489 sections 9.2.2 and 18.5.1).
    public func keyBytes(_ algorithm: STUNPasswordAlgorithm) -> [UInt8] {
        Self.digest("\(self.username):\(self.realm):\(self.password)", algorithm.hash)
    }

    /// The key for MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256.
    public func integrityKey(_ algorithm: STUNPasswordAlgorithm) -> STUNIntegrityKey {
        STUNIntegrityKey(bytes: self.keyBytes(algorithm))
    }

    /// The value of USERHASH, 32 bytes: SHA-256 of `username:realm` (RFC 8489 section 14.4).
    public var userhash: [UInt8] { Self.userhash(username: self.username, realm: self.realm) }

    /// The value of USERHASH of a prepared user name and realm.
    public static func userhash(username: String, realm: String) -> [UInt8] {
        self.digest("\(username):\(realm)", .sha256)
    }

    private static func digest(_ text: String, _ hash: HashAlgorithm) -> [UInt8] {
        let bytes = Array(text.utf8)
        return hash.digest(of: bytes.span.bytes)
    }
}

extension STUNLongTermCredential: CustomStringConvertible, CustomReflectable {
    /// The user name; never the password.
    public var description: String { "STUNLongTermCredential(username: \(self.username))" }
    /// The user name; never the password.
    public var customMirror: Mirror { Mirror(self, children: ["username": self.username]) }
}
