internal import CRTCOpenSSL

/// An X.509 certificate and its private key, owned.
///
/// Unchecked: OpenSSL counts their references atomically, and nothing changes them once they are made.
final class CertificateAndKey: @unchecked Sendable {
    let certificate: OpaquePointer
    let key: OpaquePointer

    /// Takes ownership of both.
    init(certificate: OpaquePointer, key: OpaquePointer) {
        self.certificate = certificate
        self.key = key
    }

    deinit {
        X509_free(self.certificate)
        EVP_PKEY_free(self.key)
    }

    static func generate(
        _ kind: DTLSCertificate.KeyKind,
        commonName: String,
        notBefore: Int64,
        notAfter: Int64
    ) throws(DTLSError) -> CertificateAndKey {
        OpenSSLErrorQueue.clear()
        let key: OpaquePointer?
        switch kind {
        case .ecdsaP256: key = crtc_generate_p256()
        case .rsa(let bits): key = crtc_generate_rsa(bits)
        }
        guard let key else { throw OpenSSLErrorQueue.takeError(.library, "making a key") }
        guard let certificate = X509_new() else {
            EVP_PKEY_free(key)
            throw OpenSSLErrorQueue.takeError(.library, "making a certificate")
        }
        let pair = CertificateAndKey(certificate: certificate, key: key)
        guard pair.fill(commonName: commonName, notBefore: notBefore, notAfter: notAfter) else {
            throw OpenSSLErrorQueue.takeError(.library, "making a certificate")
        }
        return pair
    }

    private func fill(commonName: String, notBefore: Int64, notAfter: Int64) -> Bool {
        let certificate = self.certificate
        // Version 3 counts as 2; 0x1000 is MBSTRING_UTF8.
        guard X509_set_version(certificate, 2) == 1,
            self.setRandomSerialNumber(),
            ASN1_TIME_set(X509_getm_notBefore(certificate), Int(notBefore)) != nil,
            ASN1_TIME_set(X509_getm_notAfter(certificate), Int(notAfter)) != nil,
            X509_set_pubkey(certificate, self.key) == 1,
            let name = X509_get_subject_name(certificate)
        else { return false }
        let text = Array(commonName.utf8)
        guard X509_NAME_add_entry_by_txt(name, "CN", 0x1000, text, Int32(text.count), -1, 0) == 1,
            X509_set_issuer_name(certificate, name) == 1
        else { return false }
        return X509_sign(certificate, self.key, EVP_sha256()) > 0
    }

    /// 127 random bits: positive and at most 20 bytes, as RFC 5280 section 4.1.2.2 wants it.
    private func setRandomSerialNumber() -> Bool {
        guard let number = BN_new() else { return false }
        defer { BN_free(number) }
        guard BN_rand(number, 127, 0, 0) == 1, let serial = X509_get_serialNumber(self.certificate) else {
            return false
        }
        return BN_to_ASN1_INTEGER(number, serial) != nil
    }

    func keyKind() throws(DTLSError) -> DTLSCertificate.KeyKind {
        let bits = Int(EVP_PKEY_get_bits(self.key))
        switch EVP_PKEY_get_base_id(self.key) {
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: 64)
            var length = 0
            guard EVP_PKEY_get_group_name(self.key, &name, name.count, &length) == 1,
                name.prefix(length).elementsEqual("prime256v1".utf8.map { CChar($0) })
            else { throw DTLSError(.invalidCertificate, "the ECDSA key is not on the curve P-256") }
            return .ecdsaP256
        case EVP_PKEY_RSA:
            guard (2048...8192).contains(bits) else {
                throw DTLSError(.invalidCertificate, "an RSA key has 2048 to 8192 bits here, not \(bits)")
            }
            return .rsa(bits: bits)
        default:
            throw DTLSError(.invalidCertificate, "the key is neither ECDSA nor RSA")
        }
    }

    func der() throws(DTLSError) -> [UInt8] {
        guard let bytes = CertificateAndKey.der(of: self.certificate) else {
            throw OpenSSLErrorQueue.takeError(.library, "encoding the certificate")
        }
        return bytes
    }

    /// The certificate of these bytes, to be freed by the caller; `nil` if they are none.
    static func certificate(der: [UInt8]) -> OpaquePointer? {
        der.withUnsafeBufferPointer { bytes in
            var next = bytes.baseAddress
            return d2i_X509(nil, &next, bytes.count)
        }
    }

    static func der(of certificate: OpaquePointer) -> [UInt8]? {
        let length = i2d_X509(certificate, nil)
        guard length > 0 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, count in
            var position = buffer.baseAddress
            count = Int(max(0, i2d_X509(certificate, &position)))
        }
    }

    func expires() throws(DTLSError) -> Int64 {
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard let epoch = ASN1_TIME_set(nil, 0) else {
            throw OpenSSLErrorQueue.takeError(.library, "reading the certificate's expiry")
        }
        defer { ASN1_TIME_free(epoch) }
        guard ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(self.certificate)) == 1 else {
            throw OpenSSLErrorQueue.takeError(.invalidCertificate, "reading the certificate's expiry")
        }
        return Int64(days) * 86_400 + Int64(seconds)
    }

    func signatureAlgorithm() -> String {
        OBJ_nid2ln(X509_get_signature_nid(self.certificate)).map { String(cString: $0) } ?? "unknown"
    }
}
