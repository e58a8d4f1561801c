package import NIOSSL

/// TLS for tests, of ``TestCertificates``.
package enum TestTLS {
    /// A server's, with one of the certificates for ``TestCertificates/serverKey``.
    package static func server(_ certificate: String = TestCertificates.server) throws -> TLSConfiguration {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.serverKey.utf8), format: .pem)
        return .makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
    }

    /// A client's that trusts one authority.
    package static func client(trusting authority: String = TestCertificates.authority) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)))
        return configuration
    }
}
