import NIOCore
import NIOPosix
import RTCSignaling
import RTCSignalingClient
import RTCSignalingServer
import Testing

@Suite(.timeLimit(.minutes(2))) struct FallbackTests {
    @Test("The first way that works is taken, by whatever scheme one asks")
    func webSocketFirst() async throws {
        try await TestServer.run { server in
            for scheme in ["http", "ws"] {
                let connection = try await SignalingClient.connect(to: "\(scheme)://127.0.0.1:\(server.port)/signal")
                #expect(connection.transport == .webSocket && connection.failures.isEmpty)
                try await connection.channel.send("hello")
                #expect(try await connection.channel.receive() == "hello")
                await connection.channel.close()
            }
        }
    }

    @Test(
        "Where WebSockets do not come through, requests do",
        arguments: [
            ("upgrade", SignalingClient.Transport.eventStream), ("text/event-stream", .longPolling),
        ]
    )
    func fallsBack(refused: String, expected: SignalingClient.Transport) async throws {
        try await TestServer.run { routes, _ in
            routes.admit = { request in
                let isUpgrade = !request.headers.list("upgrade").isEmpty
                let isStream = request.headers.first("accept") == "text/event-stream"
                return isUpgrade || (isStream && refused == "text/event-stream") ? SignalingResponse(403) : nil
            }
        } body: { server in
            let connection = try await SignalingClient.connect(to: server.url("/signal"))
            #expect(connection.transport == expected)
            #expect(connection.failures.first?.error == .refused(status: 403, reason: "Forbidden"))
            try await connection.channel.send("hello")
            #expect(try await connection.channel.receive() == "hello")
            await connection.channel.close()
        }
    }

    @Test("A WebSocket that is held up gives way to requests after its time")
    func heldUp() async throws {
        try await TestServer.runHoldingUpWebSockets { server in
            let connection = try await SignalingClient.connect(
                to: server.url("/signal"),
                transports: [.webSocket, .eventStream],
                // Long enough for the one that is taken, on a busy machine too.
                attemptTimeout: .seconds(6)
            )
            #expect(connection.transport == .eventStream)
            #expect(connection.failures.map(\.transport) == [.webSocket])
            try await TestServer.exchange(10, over: connection.channel)
            await connection.channel.close()
        }
    }

    @Test("A server that says nothing is given up within the time for each way")
    func boundedTime() async throws {
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(silent.localAddress?.port)
        let start = ContinuousClock.now
        await #expect(throws: SignalingChannelError.self) {
            try await SignalingClient.connect(to: "http://127.0.0.1:\(port)/", attemptTimeout: .milliseconds(100))
        }
        #expect(ContinuousClock.now - start < .seconds(30))
        try await silent.close()
    }
}
