internal import CRTCOpenSSL

extension DTLSCertificate {
    /// Reads a certificate and its private key, in either order, from PEM text (RFC 7468).
    ///
    /// The key may be PKCS#8, PKCS#1 or SEC 1, without a password. The first certificate is taken; further ones are ignored,
    /// because WebRTC peers look at fingerprints and not at issuers.
    ///
    /// - Throws: ``DTLSError/Code/invalidCertificate`` when either is missing or broken, when they do not belong together,
    ///   or when the key is neither ECDSA P-256 nor RSA of 2048 to 8192 bits.
    public convenience init(pem: String) throws(DTLSError) {
        OpenSSLErrorQueue.clear()
        guard pem.utf8.count <= 1 << 20 else {
            throw DTLSError(.invalidCertificate, "the PEM text is longer than 1 MiB")
        }
        let certificate = Self.read(pem) { PEM_read_bio_X509($0, nil, noPassword, nil) }
        guard let certificate else {
            throw OpenSSLErrorQueue.takeError(.invalidCertificate, "the PEM text holds no usable certificate")
        }
        let key = Self.read(pem) { PEM_read_bio_PrivateKey($0, nil, noPassword, nil) }
        guard let key else {
            X509_free(certificate)
            throw OpenSSLErrorQueue.takeError(.invalidCertificate, "the PEM text holds no usable private key")
        }
        let pair = CertificateAndKey(certificate: certificate, key: key)
        guard X509_check_private_key(certificate, key) == 1 else {
            throw OpenSSLErrorQueue.takeError(.invalidCertificate, "the private key is not the certificate's")
        }
        try self.init(pair: pair)
        OpenSSLErrorQueue.clear()
    }

    /// The certificate and its private key (PKCS#8, not encrypted) as PEM text. Keep it secret.
    public var pem: String { self.certificatePEM + self.privateKeyPEM }

    /// The certificate as PEM text.
    public var certificatePEM: String {
        Self.write { PEM_write_bio_X509($0, self.pair.certificate) }
    }

    /// The private key as PEM text (PKCS#8, not encrypted). Keep it secret.
    public var privateKeyPEM: String {
        Self.write { PEM_write_bio_PKCS8PrivateKey($0, self.pair.key, nil, nil, 0, nil, nil) }
    }

    private static func read<Value>(_ text: String, _ body: (OpaquePointer) -> Value?) -> Value? {
        var text = text
        return text.withUTF8 { bytes in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            return body(bio)
        }
    }

    private static func write(_ body: (OpaquePointer) -> Int32) -> String {
        guard let bio = BIO_new(BIO_s_secmem()) else { return "" }
        defer { BIO_free(bio) }
        guard body(bio) == 1 else {
            OpenSSLErrorQueue.clear()
            return ""
        }
        var bytes: UnsafePointer<CChar>?
        let length = crtc_bio_memory(bio, &bytes)
        guard let bytes, length > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
    }
}

/// OpenSSL asks on the terminal when it has no function to ask.
private func noPassword(
    _ buffer: UnsafeMutablePointer<CChar>?,
    _ size: Int32,
    _ isForWriting: Int32,
    _ userData: UnsafeMutableRawPointer?
) -> Int32 { -1 }
