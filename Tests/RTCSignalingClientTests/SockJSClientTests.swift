import NIOCore
import RTCSignaling
import RTCSignalingServer
import TestCertificates
import Testing

@testable import RTCSignalingClient

@Suite(.timeLimit(.minutes(1))) struct SockJSClientTests {
    typealias Transport = SockJSClientConfiguration.Transport

    @Test("A thousand messages each way come in order and once, by each transport", arguments: Transport.allCases)
    func messages(transport: Transport) async throws {
        try await TestServer.run { server in
            var configuration = SockJSClientConfiguration()
            configuration.transports = [transport]
            let client = try await SockJSClient.connect(to: server.url("/sockjs"), configuration: configuration)
            #expect(client.transport == transport)
            // Within what a server keeps of a client over HTTP that it has not read.
            for _ in 0..<10 { try await TestServer.exchange(100, over: client) }
            await client.close()
            #expect(try await client.receive() == nil)
        }
    }

    @Test("Without WebSockets it streams; where streams do not come through it polls")
    func fallsBack() async throws {
        try await TestServer.run { routes, _ in
            var configuration = SockJSConfiguration()
            configuration.hasWebSocket = false
            routes.sockJS("/plain", configuration: configuration, handler: TestServer.echo)
            routes.admit = { $0.path.hasPrefix("/sockjs") && $0.path.hasSuffix("t") ? SignalingResponse(403) : nil }
        } body: { server in
            let streaming = try await SockJSClient.connect(to: server.url("/plain"))
            #expect(streaming.transport == .xhrStreaming)
            try await TestServer.exchange(10, over: streaming)
            await streaming.close()
            // `websocket` ends with a t.
            let fallen = try await SockJSClient.connect(to: server.url("/sockjs/"))
            #expect(fallen.transport == .xhrStreaming)
            await fallen.close()
        }
    }

    @Test("A WebSocket that is held up gives way to requests within the time that the service's answer allows")
    func heldUp() async throws {
        try await TestServer.runHoldingUpWebSockets { server in
            var configuration = SockJSClientConfiguration()
            configuration.http.connectTimeout = .seconds(50)
            let client = try await SockJSClient.connect(to: server.url("/sockjs"), configuration: configuration)
            #expect(client.transport == .xhrStreaming)
            try await TestServer.exchange(10, over: client)
            await client.close()
        }
    }

    @Test("A connection for later requests has the caller's time, not the short one of a transport that may fail")
    func laterConnections() async throws {
        try await ClientTLSTests.run(certificate: TestCertificates.server) { server in
            try await CuttingProxy.run(to: server.port) { proxy in
                var configuration = SockJSClientConfiguration()
                configuration.transports = [.xhrStreaming, .xhr]
                configuration.minimumTransportTimeout = .zero
                configuration.http.tls = try TestTLS.client()
                configuration.http.requestTimeout = .seconds(40)
                configuration.http.connectTimeout = .seconds(30)
                let url = "https://localhost:\(proxy.port)/sockjs"
                let start = NIODeadline.now()
                let client = try await SockJSClient.connect(to: url, configuration: configuration)
                #expect(client.transport == .xhrStreaming)
                // Longer than the transport had, which went by an answer that was part of this. TLS's handshake is part of connecting.
                let longest = configuration.transportTimeout(roundTrip: .now() - start)
                proxy.holdUp(longest + .milliseconds(100))
                try await TestServer.exchange(1, over: client)
                await client.close()
            }
        }
    }

    @Test(
        "Over TLS a client that closes is gone at once, for itself and for the server, whatever response is due",
        arguments: Transport.allCases
    )
    func closesOverTLS(transport: Transport) async throws {
        let (ends, continuation) = AsyncStream.makeStream(of: Void.self)
        try await TestServer.run { routes, configuration in
            configuration.tls = try SignalingTLS(TestTLS.server(TestCertificates.server))
            var service = SockJSConfiguration()
            // How long a session is kept for the next request.
            service.disconnectDelay = .milliseconds(100)
            routes.sockJS("/ending", configuration: service) { session in
                await TestServer.echo(session)
                continuation.yield()
            }
        } body: { server in
            var configuration = SockJSClientConfiguration()
            configuration.transports = [transport]
            configuration.http.tls = try TestTLS.client()
            let url = "https://localhost:\(server.port)/ending"
            let client = try await SockJSClient.connect(to: url, configuration: configuration)
            try await TestServer.exchange(1, over: client)
            let start = ContinuousClock.now
            await client.close()
            // TLS waits five seconds for a server that does not take its leave.
            #expect(ContinuousClock.now - start < .seconds(4))
            for await _ in ends { break }
        }
    }

    @Test("A transport gets twice as long as an answer may take, by the answer that there was")
    func transportTimeout() {
        var configuration = SockJSClientConfiguration()
        for (roundTrip, timeout) in [(0, 1000), (100, 1000), (101, 1000), (200, 1600), (1250, 10_000), (3000, 10_000)] {
            let expected = TimeAmount.milliseconds(Int64(timeout))
            #expect(configuration.transportTimeout(roundTrip: .milliseconds(Int64(roundTrip))) == expected)
        }
        configuration.minimumTransportTimeout = .zero
        #expect(configuration.transportTimeout(roundTrip: .milliseconds(50)) == .milliseconds(700))
        configuration.minimumTransportTimeout = .seconds(20)
        #expect(configuration.transportTimeout(roundTrip: .zero) == .seconds(10))
    }

    @Test("What the server closes with arrives behind its last words", arguments: Transport.allCases)
    func closedByServer(transport: Transport) async throws {
        try await TestServer.run { routes, _ in
            routes.sockJS("/rude") { session in
                session.send("last words")
                session.close(code: 3000, reason: "Go away!")
            }
        } body: { server in
            var configuration = SockJSClientConfiguration()
            configuration.transports = [transport]
            let client = try await SockJSClient.connect(to: server.url("/rude"), configuration: configuration)
            #expect(try await client.receive() == "last words")
            await #expect(throws: SignalingChannelError.closed(code: 3000, reason: "Go away!")) {
                try await client.receive()
            }
        }
    }

    @Test("What is no service of SockJS is refused")
    func refused() async throws {
        try await TestServer.run { server in
            await #expect(throws: SignalingChannelError.refused(status: 404, reason: "Not Found")) {
                try await SockJSClient.connect(to: server.url("/none"))
            }
        }
    }
}
