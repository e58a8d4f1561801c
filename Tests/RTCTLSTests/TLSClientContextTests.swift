import NIOCore
import NIOSSL
import RTCTLS
import TestCertificates
import Testing

/// Handshakes with a server at 127.0.0.1, which names may lead to.
@Suite(.timeLimit(.minutes(1))) struct TLSClientContextTests {
    private static func handshake(
        _ certificate: String,
        trusting authority: String,
        host: String,
        verification: CertificateVerification = .fullVerification
    ) async throws {
        var configuration = try TestTLS.client(trusting: authority)
        configuration.certificateVerification = verification
        let context = try TLSClientContext(configuration)
        try await TLSHandshake.run(certificate: certificate) { channel in
            try channel.pipeline.syncOperations.addHandler(context.makeHandler(host: host))
        }
    }

    @Test("A server is taken by its name and by its address", arguments: ["localhost", "LOCALHOST", "127.0.0.1"])
    func right(host: String) async throws {
        try await Self.handshake(TestCertificates.server, trusting: TestCertificates.authority, host: host)
    }

    @Test("An address that nothing names is taken by its address")
    func address() async throws {
        let certificate = TestCertificates.addressOnly
        try await Self.handshake(certificate, trusting: certificate, host: "127.0.0.1")
    }

    @Test(
        "A certificate for the address that a name led to is none for the name",
        arguments: [TestCertificates.addressOnly, TestCertificates.subjectOnly],
        ["broker.example", "localhost"]
    )
    func addressOfName(certificate: String, host: String) async throws {
        await #expect(throws: NIOSSLExtraError.failedToValidateHostname) {
            try await Self.handshake(certificate, trusting: certificate, host: host)
        }
    }

    @Test(
        "Another address than the one connected to is refused, and so is another name",
        arguments: ["127.0.0.2", "::1", "other.example"]
    )
    func other(host: String) async throws {
        await #expect(throws: NIOSSLExtraError.failedToValidateHostname) {
            try await Self.handshake(TestCertificates.server, trusting: TestCertificates.authority, host: host)
        }
    }

    @Test("An authority that is not trusted is refused before names are compared")
    func untrusted() async throws {
        let error = await #expect(throws: NIOSSLError.self) {
            try await Self.handshake(
                TestCertificates.server,
                trusting: TestCertificates.otherAuthority,
                host: "localhost"
            )
        }
        guard case .handshakeFailed? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("Who asks for less gets less", arguments: [CertificateVerification.noHostnameVerification, .none])
    func unverified(verification: CertificateVerification) async throws {
        let certificate = TestCertificates.addressOnly
        try await Self.handshake(certificate, trusting: certificate, host: "other.example", verification: verification)
    }
}
