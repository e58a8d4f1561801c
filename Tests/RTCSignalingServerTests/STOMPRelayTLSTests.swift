import NIOCore
import NIOSSL
import TestCertificates
import Testing

@testable import RTCSignalingServer

/// Handshakes of the relay with a broker at 127.0.0.1.
@Suite(.timeLimit(.minutes(1))) struct STOMPRelayTLSTests {
    private static func handshake(_ certificate: String, host: String, serverName: String? = nil) async throws {
        var tls = try STOMPRelayTLS(TestTLS.client(trusting: certificate))
        tls.serverName = serverName
        let made = tls
        try await TLSHandshake.run(certificate: certificate) { try made.add(to: $0, host: host) }
    }

    @Test("A broker whose certificate is for its address alone is none for a name that led there")
    func addressOfName() async throws {
        let certificate = TestCertificates.addressOnly
        try await Self.handshake(certificate, host: "127.0.0.1")
        await #expect(throws: NIOSSLExtraError.failedToValidateHostname) {
            try await Self.handshake(certificate, host: "broker.example")
        }
        await #expect(throws: NIOSSLExtraError.failedToValidateHostname) {
            try await Self.handshake(certificate, host: "127.0.0.1", serverName: "broker.example")
        }
    }
}
