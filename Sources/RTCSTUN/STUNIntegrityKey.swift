internal import RTCCrypto

/// A key for MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (RFC 8489 sections 14.5 and 14.6), prepared once.
///
/// Confined to one thread.
public final class STUNIntegrityKey {
    private let sha1: HMACKey?
    private let bytes: [UInt8]
    // Nearly nobody sends it, so the context is made when one comes.
    private lazy var sha256 = Self.makeKey(.sha256, self.bytes)

    /// A key from its bytes.
    public init(bytes: [UInt8]) {
        self.bytes = bytes
        self.sha1 = Self.makeKey(.sha1, bytes)
    }

    /// The key of a short-term credential: the password (RFC 8489 section 9.1.1; ICE passwords are ASCII, which
    /// OpaqueString leaves as they are).
    public convenience init(shortTermPassword password: String) {
        self.init(bytes: Array(password.utf8))
    }

    /// The key of a long-term credential: MD5 of `username:realm:password` (RFC 8489 section 9.2.2). The strings must
    /// have gone through OpaqueString already.
    public convenience init(username: String, realm: String, password: String) {
        let text = Array("\(username):\(realm):\(password)".utf8)
        self.init(bytes: HashAlgorithm.md5.digest(of: text.span.bytes))
    }

    private static func makeKey(_ algorithm: HashAlgorithm, _ bytes: [UInt8]) -> HMACKey? {
        HMACKey(algorithm, key: bytes.span.bytes)
    }

    func isValidSHA1(_ code: RawSpan, header: RawSpan, body: RawSpan) -> Bool {
        code.byteCount == 20 && self.sha1?.isValid(code, of: header, then: body) == true
    }

    func isValidSHA256(_ code: RawSpan, header: RawSpan, body: RawSpan) -> Bool {
        code.byteCount >= 16 && code.byteCount <= 32 && code.byteCount % 4 == 0
            && self.sha256?.isValid(code, of: header, then: body) == true
    }

    func codeSHA1(of bytes: RawSpan) -> [UInt8] {
        self.sha1?.code(of: bytes) ?? [UInt8](repeating: 0, count: 20)
    }

    func codeSHA256(of bytes: RawSpan) -> [UInt8] {
        self.sha256?.code(of: bytes) ?? [UInt8](repeating: 0, count: 32)
    }
}
