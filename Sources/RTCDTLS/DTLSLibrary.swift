internal import CRTCOpenSSL

/// What the linked OpenSSL can do, found out by trying.
public enum DTLSLibrary {
    /// The library's own description of itself, for example `OpenSSL 3.0.17 1 Jul 2025`.
    public static let version = OpenSSL_version(OPENSSL_VERSION).map { String(cString: $0) } ?? "OpenSSL"

    /// The newest DTLS version that is spoken.
    public static let maximumVersion: DTLSVersion = {
        Self.onTrialContext { crtc_ctx_set_max_version($0, crtc_dtls13_version) == 1 } ? .dtls13 : .dtls12
    }()

    /// Whether the key exchange X25519MLKEM768, which withstands quantum computers, is offered and accepted.
    ///
    /// It is defined for version 1.3 only (draft-ietf-tls-ecdhe-mlkem).
    public static let supportsHybridKeyExchange: Bool = {
        Self.maximumVersion >= .dtls13 && Self.onTrialContext { crtc_ctx_set_groups($0, "X25519MLKEM768") == 1 }
    }()

    private static func onTrialContext(_ trial: (OpaquePointer) -> Bool) -> Bool {
        guard let context = SSL_CTX_new(DTLS_method()) else { return false }
        defer {
            SSL_CTX_free(context)
            OpenSSLErrorQueue.clear()
        }
        return trial(context)
    }
}
