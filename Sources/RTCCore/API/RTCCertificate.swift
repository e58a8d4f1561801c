public import RTCBase
package import RTCDTLS

/// A certificate and its private key, by which a connection identifies itself (W3C webrtc-pc section 4.9).
public struct RTCCertificate: Sendable {
    /// The algorithms that keys are made for.
    public enum Algorithm: Sendable, Hashable {
        /// ECDSA on the curve P-256: what RFC 8827 section 6.5 asks for, small and fast.
        case ecdsaP256
        /// RSASSA-PKCS1-v1_5 with SHA-256; the modulus length in bits, 2048 to 8192.
        case rsa(modulusLength: Int)
    }

    /// A digest of a certificate (W3C `RTCDtlsFingerprint`).
    public struct Fingerprint: Sendable, Hashable {
        /// The hash function, for example `sha-256`.
        public let algorithm: String
        /// The digest in lower-case hexadecimal, pairs separated by colons.
        public let value: String
    }

    /// The certificate as the DTLS layer holds it.
    package let dtls: DTLSCertificate

    package init(dtls: DTLSCertificate) { self.dtls = dtls }

    /// Makes a key and a self-signed certificate for it.
    ///
    /// - Parameters:
    ///   - algorithm: The kind of key.
    ///   - validity: How long the certificate holds from now. Default 30 days; more than a year is cut to a year.
    /// - Throws: `RTCError.Code.notSupported` for a key that cannot be made.
    public static func generate(
        _ algorithm: Algorithm = .ecdsaP256,
        validity: Duration = .seconds(30 * 86_400)
    ) throws(RTCError) -> RTCCertificate {
        do {
            let longest = Duration.seconds(365 * 86_400)
            let kind: DTLSCertificate.KeyKind
            switch algorithm {
            case .ecdsaP256: kind = .ecdsaP256
            case .rsa(let bits): kind = .rsa(bits: bits)
            }
            return RTCCertificate(dtls: try DTLSCertificate.generate(kind, validity: min(validity, longest)))
        } catch {
            throw RTCError(.notSupported, "no certificate can be made: \(error)")
        }
    }

    /// Loads a certificate and its key.
    ///
    /// - Parameter pem: A `CERTIFICATE` and a `PRIVATE KEY` block (RFC 7468), in any order.
    /// - Throws: `RTCError.Code.syntax` for a text that holds no such pair.
    public init(pem: String) throws(RTCError) {
        do {
            self.dtls = try DTLSCertificate(pem: pem)
        } catch {
            throw RTCError(.syntax, "no certificate with its key in this PEM text: \(error)")
        }
    }

    /// The certificate and the private key as PEM blocks. Keep it secret.
    public var pem: String { self.dtls.pem }

    /// When the certificate ends, in seconds since 1970.
    public var expires: Double { Double(self.dtls.expires) }

    /// The digests of the certificate that descriptions carry: one, SHA-256, the hash function of its signature.
    public var fingerprints: [Fingerprint] {
        self.dtls.fingerprints.prefix(1).map { fingerprint in
            Fingerprint(algorithm: fingerprint.algorithm.rawValue, value: fingerprint.value.lowercased())
        }
    }
}
