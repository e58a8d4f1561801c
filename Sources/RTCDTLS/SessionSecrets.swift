internal import CRTCOpenSSL

/// What all keys of a DTLS 1.2 association are derived from (RFC 5246 sections 5 and 6.3). Wiped at its end.
final class SessionSecrets {
    private static let randomSize = 32

    private var master = [UInt8](repeating: 0, count: 48)
    private var clientRandom = [UInt8](repeating: 0, count: SessionSecrets.randomSize)
    private var serverRandom = [UInt8](repeating: 0, count: SessionSecrets.randomSize)
    private let digest: String

    /// The secrets of a handshake that is complete; `nil` when OpenSSL does not tell them.
    init?(_ ssl: OpaquePointer) {
        guard let digest = crtc_ssl_prf_digest(ssl) else { return nil }
        self.digest = String(cString: digest)
        guard crtc_ssl_copy_master_secret(ssl, &self.master, self.master.count) == self.master.count,
            SSL_get_client_random(ssl, &self.clientRandom, Self.randomSize) == Self.randomSize,
            SSL_get_server_random(ssl, &self.serverRandom, Self.randomSize) == Self.randomSize
        else { return nil }
    }

    deinit {
        OPENSSL_cleanse(&self.master, self.master.count)
    }

    /// The key block of the record protection (RFC 5246 section 6.3); `nil` on failure.
    func keyBlock(count: Int) -> [UInt8]? {
        self.derive(Array("key expansion".utf8) + self.serverRandom + self.clientRandom, count: count)
    }

    /// Keying material for another protocol, without a context value (RFC 5705 section 4); `nil` on failure.
    func export(label: String, count: Int) -> [UInt8]? {
        self.derive(Array(label.utf8) + self.clientRandom + self.serverRandom, count: count)
    }

    private func derive(_ seed: [UInt8], count: Int) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: count)
        let derived = crtc_tls12_prf(
            self.digest,
            self.master,
            self.master.count,
            seed,
            seed.count,
            &output,
            output.count
        )
        return derived == 1 ? output : nil
    }
}
