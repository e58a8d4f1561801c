internal import CRTCOpenSSL

/// What all connections with one certificate share; making one takes half a millisecond.
///
/// Immutable, and usable from any thread.
public final class DTLSContext: Sendable {
    /// The certificate shown to peers.
    public let certificate: DTLSCertificate
    /// What handshakes are like.
    public let configuration: DTLSConfiguration

    let handle: Handle

    /// A context.
    ///
    /// - Throws: ``DTLSError/Code/invalidConfiguration`` for values out of range, ``DTLSError/Code/invalidCertificate`` for a
    ///   certificate that OpenSSL does not take.
    public convenience init(
        certificate: DTLSCertificate,
        configuration: DTLSConfiguration = DTLSConfiguration()
    ) throws(DTLSError) {
        try self.init(certificate: certificate, configuration: configuration, ciphers: Self.ciphers)
    }

    /// A context with other cipher suites than the usual ones, in OpenSSL's names.
    init(
        certificate: DTLSCertificate,
        configuration: DTLSConfiguration,
        ciphers: [String]
    ) throws(DTLSError) {
        try configuration.validate()
        OpenSSLErrorQueue.clear()
        guard let context = SSL_CTX_new(DTLS_method()) else {
            throw OpenSSLErrorQueue.takeError(.library, "making a context")
        }
        self.handle = Handle(context)
        self.certificate = certificate
        self.configuration = configuration
        try self.configureProtocol(context, ciphers: ciphers)
        try self.configureCertificate(context)
        OpenSSLErrorQueue.clear()
    }

    private func configureProtocol(_ context: OpaquePointer, ciphers: [String]) throws(DTLSError) {
        let options =
            crtc_op_no_renegotiation | crtc_op_no_ticket | crtc_op_no_compression | crtc_op_no_query_mtu
            | crtc_op_server_preference | crtc_op_prioritize_chacha
        SSL_CTX_set_options(context, options)
        crtc_ctx_set_session_cache_off(context)
        // Handshake messages above this are refused; certificates with post-quantum keys stay well below.
        crtc_ctx_set_max_certificate_list(context, HandshakeRecordFilter.maximumMessageSize)
        SSL_CTX_set_security_level(context, 2)
        let oldest = Int32(self.configuration.minimumVersion.rawValue)
        let newest = Int32(DTLSLibrary.maximumVersion.rawValue)
        let groups = DTLSLibrary.supportsHybridKeyExchange ? "X25519MLKEM768:\(Self.groups)" : Self.groups
        guard crtc_ctx_set_min_version(context, oldest) == 1, crtc_ctx_set_max_version(context, newest) == 1,
            SSL_CTX_set_cipher_list(context, ciphers.joined(separator: ":")) == 1,
            crtc_ctx_set_groups(context, groups) == 1,
            crtc_ctx_set_signature_algorithms(context, Self.signatureAlgorithms.joined(separator: ":")) == 1,
            crtc_ctx_set_max_send_fragment(context, self.configuration.maximumRecordSize) == 1,
            SSL_CTX_set_num_tickets(context, 0) == 1
        else { throw OpenSSLErrorQueue.takeError(.library, "configuring a context") }
        let profiles = self.configuration.srtpProfiles.map(\.libraryName).joined(separator: ":")
        // Unlike its siblings this function returns 0 for success.
        guard profiles.isEmpty || SSL_CTX_set_tlsext_use_srtp(context, profiles) == 0 else {
            throw OpenSSLErrorQueue.takeError(.library, "configuring use_srtp")
        }
    }

    private func configureCertificate(_ context: OpaquePointer) throws(DTLSError) {
        guard SSL_CTX_use_certificate(context, self.certificate.pair.certificate) == 1,
            SSL_CTX_use_PrivateKey(context, self.certificate.pair.key) == 1
        else { throw OpenSSLErrorQueue.takeError(.invalidCertificate, "using the certificate") }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_cert_verify_callback(
            context,
            { store, _ in PeerVerification.verify(store) ? 1 : 0 },
            nil
        )
    }

    // A server without AES instructions prefers ChaCha20 where the client does. There are no CBC suites: every WebRTC peer has
    // the first of these (RFC 8827 section 6.5), and a forged record of the wrong length ends OpenSSL's CBC connections.
    private static let ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    ]
    private static let groups = "X25519:P-256:P-384:P-521"
    private static let signatureAlgorithms = [
        "ECDSA+SHA256", "ECDSA+SHA384", "ECDSA+SHA512", "ed25519",
        "RSA-PSS+SHA256", "RSA-PSS+SHA384", "RSA-PSS+SHA512",
        "RSA+SHA256", "RSA+SHA384", "RSA+SHA512",
    ]

    /// The `SSL_CTX`. Unchecked: OpenSSL locks it where connections share it, and it is configured before anybody sees it.
    final class Handle: @unchecked Sendable {
        let pointer: OpaquePointer

        init(_ pointer: OpaquePointer) { self.pointer = pointer }

        deinit { SSL_CTX_free(self.pointer) }
    }
}
