import NIOCore
import NIOSSL
import RTCSignaling
import RTCSignalingServer
import TestCertificates
import Testing
import WebRTC

@testable import RTCWHIP

/// Clients against a server of this package over TLS, with HTTP/2.
@Suite("Clients over TLS", .timeLimit(.minutes(1)))
struct ClientTLSTests {
    /// Publishes to a server with a certificate, and gives what became of it; nil for a session that came and went.
    private static func publish(
        certificate: String = TestCertificates.server,
        exchange: (_ authority: String) throws -> AsyncHTTPExchange,
        authority: String = TestCertificates.authority,
        host: String = "localhost"
    ) async throws -> WHIPClientError? {
        let service = WHIPServiceTests.service()
        var routes = SignalingRoutes()
        routes.http(prefix: "/whip") { await service.respond(to: $0) }
        var configuration = SignalingServerConfiguration()
        configuration.tls = try SignalingTLS(TestTLS.server(certificate))
        let server = try await SignalingServer.bind(routes, configuration: configuration)
        async let running: Void = server.run()
        var settings = WHIPClientConfiguration()
        settings.exchange = try exchange(authority)
        settings.addressPolicy = Peers.loopback
        let url = "https://\(host):\(server.address.port ?? 0)/whip/stage"
        let client = WHIPClient(url: url, configuration: settings)
        var failure: WHIPClientError?
        do throws(WHIPClientError) {
            try await client.publish([MediaStreamTrack(source: MediaStreamTrackSource(kind: .audio))])
            #expect(service.sessionCount == 1)
        } catch {
            failure = error
        }
        await client.stop()
        #expect(service.sessionCount == 0)
        await service.close()
        server.shutdown()
        await running
        return failure
    }

    @Test("A session comes about and ends over TLS with an authority of one's own")
    func ownAuthority() async throws {
        let failure = try await Self.publish { AsyncHTTPExchange(tls: try TestTLS.client(trusting: $0)) }
        #expect(failure == nil)
    }

    @Test("A certificate of another authority, or for another name, is an error in words")
    func wrongCertificate() async throws {
        let untrusted = "the certificate is not trusted: no trusted authority issued it, or it is not valid now"
        let other = try await Self.publish(
            exchange: { AsyncHTTPExchange(tls: try TestTLS.client(trusting: $0)) },
            authority: TestCertificates.otherAuthority
        )
        #expect(other == .unreachable(reason: untrusted))
        let system = try await Self.publish { _ in .shared }
        #expect(system == .unreachable(reason: untrusted))
        let elsewhere = try await Self.publish(certificate: TestCertificates.serverElsewhere) {
            AsyncHTTPExchange(tls: try TestTLS.client(trusting: $0))
        }
        #expect(elsewhere == .unreachable(reason: "the certificate is for another name"))
    }

    @Test("A certificate for the address that a name led to is none for the name, but one for the address")
    func addressOfName() async throws {
        for certificate in [TestCertificates.addressOnly, TestCertificates.subjectOnly] {
            let named = try await Self.publish(
                certificate: certificate,
                exchange: { AsyncHTTPExchange(tls: try TestTLS.client(trusting: $0)) },
                authority: certificate
            )
            #expect(named == .unreachable(reason: "the certificate is for another name"))
        }
        let addressed = try await Self.publish(
            certificate: TestCertificates.addressOnly,
            exchange: { AsyncHTTPExchange(tls: try TestTLS.client(trusting: $0)) },
            authority: TestCertificates.addressOnly,
            host: "127.0.0.1"
        )
        #expect(addressed == nil)
    }
}
