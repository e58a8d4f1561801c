import NIOSSL
import RTCSignaling
import RTCSignalingClient
import RTCSignalingServer
import TestCertificates
import Testing

/// Every client against a server over TLS.
@Suite(.timeLimit(.minutes(2))) struct ClientTLSTests {
    enum Way: CaseIterable {
        case webSocket, eventStream, longPolling, polling, sockJS, automatic

        func connect(
            _ port: Int,
            _ tls: TLSConfiguration,
            host: String = "localhost"
        ) async throws -> any SignalingChannel {
            var settings = HTTPClientSettings()
            settings.tls = tls
            let base = "https://\(host):\(port)"
            switch self {
            case .webSocket:
                var configuration = WebSocketClientConfiguration()
                configuration.tls = tls
                return try await WebSocketClient.connect(
                    to: "wss://\(host):\(port)/ws",
                    configuration: configuration
                )
            case .eventStream, .longPolling, .polling:
                var configuration = PollingClientConfiguration()
                configuration.http = settings
                configuration.mode = self == .eventStream ? .eventStream : self == .polling ? .polling : .longPolling
                return try await PollingClient.connect(to: base + "/poll", configuration: configuration)
            case .sockJS:
                var configuration = SockJSClientConfiguration()
                configuration.http = settings
                return try await SockJSClient.connect(to: base + "/sockjs", configuration: configuration)
            case .automatic:
                return try await SignalingClient.connect(to: base + "/signal", settings: settings).channel
            }
        }
    }

    static func run(certificate: String, body: (TestServer) async throws -> Void) async throws {
        try await TestServer.run(
            { $1.tls = try SignalingTLS(TestTLS.server(certificate)) },
            body: body
        )
    }

    @Test("Messages go over TLS with an authority of one's own", arguments: Way.allCases)
    func ownAuthority(way: Way) async throws {
        try await Self.run(certificate: TestCertificates.server) { server in
            let channel = try await way.connect(server.port, try TestTLS.client())
            try await TestServer.exchange(20, over: channel)
            await channel.close()
        }
    }

    @Test("A certificate of another authority, or for another name, is an error in words", arguments: Way.allCases)
    func wrongCertificate(way: Way) async throws {
        let untrusted = "the certificate is not trusted: no trusted authority issued it, or it is not valid now"
        for (certificate, tls, reason) in [
            (TestCertificates.server, try TestTLS.client(trusting: TestCertificates.otherAuthority), untrusted),
            (TestCertificates.server, .makeClientConfiguration(), untrusted),
            (TestCertificates.serverElsewhere, try TestTLS.client(), "the certificate is for another name"),
        ] {
            try await Self.run(certificate: certificate) { server in
                await #expect(throws: SignalingChannelError.connectionFailed(reason: reason)) {
                    try await way.connect(server.port, tls)
                }
            }
        }
    }
    @Test("A certificate for the address that a name led to is none for the name", arguments: Way.allCases)
    func addressOfName(way: Way) async throws {
        for certificate in [TestCertificates.addressOnly, TestCertificates.subjectOnly] {
            try await Self.run(certificate: certificate) { server in
                let reason = "the certificate is for another name"
                await #expect(throws: SignalingChannelError.connectionFailed(reason: reason)) {
                    let channel = try await way.connect(server.port, try TestTLS.client(trusting: certificate))
                    await channel.close()
                }
            }
        }
    }

    @Test("A certificate for an address is one for that address", arguments: Way.allCases)
    func address(way: Way) async throws {
        let certificate = TestCertificates.addressOnly
        try await Self.run(certificate: certificate) { server in
            let tls = try TestTLS.client(trusting: certificate)
            let channel = try await way.connect(server.port, tls, host: "127.0.0.1")
            try await TestServer.exchange(20, over: channel)
            await channel.close()
        }
    }
}
