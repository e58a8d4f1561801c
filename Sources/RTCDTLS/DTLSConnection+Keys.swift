internal import CRTCOpenSSL

extension DTLSConnection {
    /// Derives keys for another protocol from the association's (RFC 5705, without a context value).
    ///
    /// - Parameters:
    ///   - label: The protocol's label, 1 to 255 bytes.
    ///   - length: How many bytes to derive, 1 to 65535.
    /// - Throws: ``DTLSError/Code/notConnected`` before and after the connection is established;
    ///   ``DTLSError/Code/exportUnavailable`` for arguments out of range.
    public func exportKeyingMaterial(label: String, length: Int) throws(DTLSError) -> [UInt8] {
        guard self.state == .connected else {
            throw DTLSError(.notConnected, "the connection is \(self.state.rawValue)")
        }
        guard (1...65_535).contains(length), (1...255).contains(label.utf8.count) else {
            throw DTLSError(.exportUnavailable, "the label has 1 to 255 bytes, the material 1 to 65535")
        }
        if let records = self.records {
            guard let exported = records.secrets.export(label: label, count: length) else {
                throw OpenSSLErrorQueue.takeError(.exportUnavailable, "exporting keying material")
            }
            return exported
        }
        var bytes = [UInt8](repeating: 0, count: length)
        let label = label.utf8.map { CChar(bitPattern: $0) }
        guard SSL_export_keying_material(self.ssl, &bytes, length, label, label.count, nil, 0, 0) == 1 else {
            throw OpenSSLErrorQueue.takeError(.exportUnavailable, "exporting keying material")
        }
        return bytes
    }

    /// Derives the keys of SRTP (RFC 5764 section 4.2).
    ///
    /// - Throws: ``DTLSError/Code/notConnected`` before and after the connection is established;
    ///   ``DTLSError/Code/exportUnavailable`` when no profile was negotiated.
    public func exportSRTPKeys() throws(DTLSError) -> DTLSSRTPKeyingMaterial {
        guard self.state == .connected, let info = self.sessionInfo else {
            throw DTLSError(.notConnected, "the connection is \(self.state.rawValue)")
        }
        guard let profile = info.srtpProfile else {
            throw DTLSError(.exportUnavailable, "the peers agreed on no SRTP profile")
        }
        let exported = try self.exportKeyingMaterial(
            label: "EXTRACTOR-dtls_srtp",
            length: 2 * (profile.keyLength + profile.saltLength)
        )
        return DTLSSRTPKeyingMaterial(profile: profile, exported: exported)
    }

    /// Whether the peer's certificate is one of these, by the same rule as in the handshake; false before the handshake
    /// has ended.
    public func peerCertificateMatches(_ fingerprints: [DTLSFingerprint]) -> Bool {
        guard let der = self.sessionInfo?.peerCertificates.first,
            let certificate = CertificateAndKey.certificate(der: der)
        else { return false }
        defer { X509_free(certificate) }
        return PeerVerification.matches(certificate, fingerprints)
    }

    func makeSessionInfo(_ ssl: OpaquePointer) -> DTLSSessionInfo {
        let cipher = SSL_get_current_cipher(ssl).flatMap { SSL_CIPHER_standard_name($0) }
        let profile = SSL_get_selected_srtp_profile(ssl).map { UInt16(truncatingIfNeeded: $0.pointee.id) }
        return DTLSSessionInfo(
            version: DTLSVersion(rawValue: UInt16(truncatingIfNeeded: SSL_version(ssl))) ?? .dtls12,
            cipherSuite: cipher.map { String(cString: $0) } ?? "unknown",
            group: Self.groupName(ssl),
            srtpProfile: profile.flatMap { SRTPProtectionProfile(rawValue: $0) },
            extendedMasterSecret: crtc_ssl_has_extended_master_secret(ssl),
            peerCertificates: Self.peerCertificates(ssl)
        )
    }

    private static func groupName(_ ssl: OpaquePointer) -> String? {
        var name = crtc_ssl_group_name(ssl).map { String(cString: $0) }
        if name == nil {
            var bytes = [CChar](repeating: 0, count: 64)
            if crtc_ssl_copy_peer_group_name(ssl, &bytes, bytes.count) == 1 {
                name = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
        }
        switch name?.lowercased() {
        case "prime256v1", "secp256r1": return "P-256"
        case "secp384r1": return "P-384"
        case "secp521r1": return "P-521"
        case "x25519": return "X25519"
        default: return name
        }
    }

    private static func peerCertificates(_ ssl: OpaquePointer) -> [[UInt8]] {
        guard let own = SSL_get1_peer_certificate(ssl) else { return [] }
        defer { X509_free(own) }
        var certificates = [CertificateAndKey.der(of: own) ?? []]
        // A client's chain begins with the server's own certificate, a server's does not contain the client's.
        let chain = SSL_get_peer_cert_chain(ssl)
        for index in 0..<crtc_certificates_count(chain) {
            guard let certificate = crtc_certificates_at(chain, index), X509_cmp(certificate, own) != 0,
                let bytes = CertificateAndKey.der(of: certificate)
            else { continue }
            certificates.append(bytes)
        }
        return certificates
    }
}
