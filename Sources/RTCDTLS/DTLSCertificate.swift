internal import CRTCOpenSSL

/// A key and the self-signed X.509 certificate that shows its public half to the peer.
///
/// Immutable, and usable from any thread; many connections share one.
public final class DTLSCertificate: Sendable {
    /// The kind of a certificate's key.
    public enum KeyKind: Sendable, Hashable {
        /// ECDSA on the curve P-256, which every WebRTC endpoint has (RFC 8827 section 6.5).
        case ecdsaP256
        /// RSA with a modulus of 2048 to 8192 bits.
        case rsa(bits: Int)
    }

    /// The kind of the key.
    public let keyKind: KeyKind
    /// The certificate's DER encoding.
    public let derBytes: [UInt8]
    /// When the certificate expires, in seconds since 1970-01-01T00:00:00Z.
    public let expires: Int64
    /// The name of the algorithm that signed the certificate, for example `ecdsa-with-SHA256`.
    public let signatureAlgorithm: String
    /// The certificate's hash with every algorithm, SHA-256 first.
    public let fingerprints: [DTLSFingerprint]

    let pair: CertificateAndKey

    init(pair: CertificateAndKey) throws(DTLSError) {
        self.pair = pair
        self.keyKind = try pair.keyKind()
        self.derBytes = try pair.der()
        self.expires = try pair.expires()
        self.signatureAlgorithm = pair.signatureAlgorithm()
        var fingerprints: [DTLSFingerprint] = []
        for algorithm in DTLSFingerprint.Algorithm.allCases {
            guard let fingerprint = DTLSFingerprint(of: pair.certificate, algorithm: algorithm) else {
                throw OpenSSLErrorQueue.takeError(.library, "\(algorithm.rawValue) of the certificate")
            }
            fingerprints.append(fingerprint)
        }
        self.fingerprints = fingerprints
    }

    /// Makes a new key and certificate. That takes 1 ms with ECDSA, and half a second or more with RSA.
    ///
    /// The certificate is valid from one day before `now`, for peers whose clocks are behind.
    ///
    /// - Parameters:
    ///   - kind: The kind of the key.
    ///   - commonName: The subject's and issuer's name, 1 to 64 bytes of UTF-8; all peers see it.
    ///   - validity: How long after `now` the certificate expires, 0 s to 365 days.
    ///   - now: The time in seconds since 1970; the system's when `nil`.
    /// - Throws: ``DTLSError/Code/invalidCertificate`` when an argument is out of range.
    public static func generate(
        _ kind: KeyKind = .ecdsaP256,
        commonName: String = "WebRTC",
        validity: Duration = .seconds(30 * 86_400),
        now: Int64? = nil
    ) throws(DTLSError) -> DTLSCertificate {
        if case .rsa(let bits) = kind, !(2048...8192).contains(bits) {
            throw DTLSError(.invalidCertificate, "an RSA key has 2048 to 8192 bits here, not \(bits)")
        }
        guard (1...64).contains(commonName.utf8.count) else {
            throw DTLSError(.invalidCertificate, "a common name has 1 to 64 bytes, not \(commonName.utf8.count)")
        }
        guard (.zero ... .seconds(365 * 86_400)).contains(validity) else {
            throw DTLSError(.invalidCertificate, "a certificate is valid for 0 s to 365 days, not \(validity)")
        }
        let now = now ?? crtc_seconds_since_epoch()
        // From 1970 to 9998: what X.509 times can hold with room to spare on either side.
        guard (86_400...253_000_000_000).contains(now) else {
            throw DTLSError(.invalidCertificate, "the time \(now) is out of range")
        }
        return try DTLSCertificate(
            pair: CertificateAndKey.generate(
                kind,
                commonName: commonName,
                notBefore: now - 86_400,
                notAfter: now + validity.components.seconds
            )
        )
    }

    /// The certificate's hash as SDP carries it.
    public func fingerprint(_ algorithm: DTLSFingerprint.Algorithm = .sha256) -> DTLSFingerprint {
        for fingerprint in self.fingerprints where fingerprint.algorithm == algorithm { return fingerprint }
        preconditionFailure("a certificate holds all its fingerprints")
    }

    /// Whether the certificate has expired at `time`, in seconds since 1970.
    public func isExpired(at time: Int64) -> Bool { time >= self.expires }

    /// Whether the certificate has expired by the system's clock.
    public var isExpired: Bool { self.isExpired(at: crtc_seconds_since_epoch()) }

    /// The DER encoding in base64, as W3C's certificate statistics have it.
    public var base64: String { Base64.encode(self.derBytes) }
}

extension DTLSFingerprint {
    /// The hash of a certificate.
    init?(of certificate: OpaquePointer, algorithm: Algorithm) {
        let digest: OpaquePointer?
        switch algorithm {
        case .sha256: digest = EVP_sha256()
        case .sha384: digest = EVP_sha384()
        case .sha512: digest = EVP_sha512()
        }
        var length: UInt32 = 0
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        guard X509_digest(certificate, digest, &bytes, &length) == 1 else { return nil }
        self.init(algorithm: algorithm, bytes: Array(bytes.prefix(Int(length))))
    }
}

/// Base64 (RFC 4648 section 4).
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> String {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let length = EVP_EncodeBlock(&text, bytes, Int32(clamping: bytes.count))
        return String(decoding: text.prefix(Int(length)), as: UTF8.self)
    }
}
