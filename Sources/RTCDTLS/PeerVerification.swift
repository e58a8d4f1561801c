internal import CRTCOpenSSL

/// The comparison of a peer's certificate with the fingerprints that signalling promised (RFC 8122 section 5.1).
enum PeerVerification {
    /// What OpenSSL calls instead of its own chain building: issuers and dates say nothing about a WebRTC peer.
    static func verify(_ store: OpaquePointer?) -> Bool {
        guard let store, let ssl = crtc_store_context_ssl(store), let box = DatagramBIO.of(ssl),
            let certificate = X509_STORE_CTX_get0_cert(store)
        else { return false }
        guard let fingerprints = box.remoteFingerprints else {
            guard SSL_is_server(ssl) == 0 else {
                // A server holds the certificate's datagram back until the fingerprints are known.
                X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
                return false
            }
            box.waitsForFingerprints = true
            crtc_ssl_set_retry_verify(ssl)
            return true
        }
        guard self.matches(certificate, fingerprints) else {
            box.mismatched = true
            // Becomes the alert bad_certificate.
            X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
            return false
        }
        box.verified = true
        X509_STORE_CTX_set_error(store, X509_V_OK)
        return true
    }

    /// Whether one of the fingerprints made with the strongest hash function among them is the certificate's.
    ///
    /// Weaker ones are ignored when a stronger one is there, else an attacker could choose.
    static func matches(_ certificate: OpaquePointer, _ fingerprints: [DTLSFingerprint]) -> Bool {
        guard let algorithm = fingerprints.map(\.algorithm).max(),
            let actual = DTLSFingerprint(of: certificate, algorithm: algorithm)
        else { return false }
        return self.matches(actual, fingerprints)
    }

    private static func matches(_ actual: DTLSFingerprint, _ fingerprints: [DTLSFingerprint]) -> Bool {
        var found = false
        for expected in fingerprints where expected.algorithm == actual.algorithm {
            guard expected.bytes.count == actual.bytes.count else { continue }
            found = CRYPTO_memcmp(expected.bytes, actual.bytes, actual.bytes.count) == 0 || found
        }
        return found
    }
}
