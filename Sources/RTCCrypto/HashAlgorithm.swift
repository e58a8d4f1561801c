internal import CRTCOpenSSL

/// A hash function (FIPS 180-4; RFC 1321 for MD5).
public enum HashAlgorithm: String, Sendable, Hashable, CaseIterable {
    /// Broken as a hash; here because STUN's long-term credentials are keyed with it (RFC 8489 section 9.2.2).
    case md5 = "MD5"
    /// Broken as a hash, sound inside an HMAC.
    case sha1 = "SHA1"
    /// SHA-256: 32 bytes.
    case sha256 = "SHA256"
    /// SHA-384: 48 bytes.
    case sha384 = "SHA384"
    /// SHA-512: 64 bytes.
    case sha512 = "SHA512"

    /// The size of a digest, in bytes.
    public var digestSize: Int {
        switch self {
        case .md5: return 16
        case .sha1: return 20
        case .sha256: return 32
        case .sha384: return 48
        case .sha512: return 64
        }
    }

    /// The digest of `bytes`, ``digestSize`` bytes; empty if the linked OpenSSL refuses the algorithm, as FIPS builds
    /// do with MD5.
    public func digest(of bytes: RawSpan) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { output, count in
            count = bytes.withUnsafeBytes { input in
                var written: UInt32 = 0
                let done = EVP_Digest(
                    input.baseAddress,
                    input.count,
                    output.baseAddress,
                    &written,
                    self.messageDigest,
                    nil
                )
                return done == 1 ? Int(written) : 0
            }
        }
    }

    private var messageDigest: OpaquePointer? {
        switch self {
        case .md5: return EVP_md5()
        case .sha1: return EVP_sha1()
        case .sha256: return EVP_sha256()
        case .sha384: return EVP_sha384()
        case .sha512: return EVP_sha512()
        }
    }
}
