import NIOCore
import NIOPosix
import RTCSignaling
import RTCSignalingClient
import RTCSignalingServer
import Testing

@Suite(.timeLimit(.minutes(2))) struct PollingClientTests {
    typealias Mode = PollingClientConfiguration.Mode
    static let modes: [Mode] = [.eventStream, .longPolling, .polling]

    static func configuration(_ mode: Mode) -> PollingClientConfiguration {
        var configuration = PollingClientConfiguration()
        configuration.mode = mode
        configuration.pollInterval = .milliseconds(20)
        return configuration
    }

    @Test("A thousand messages each way come in order and once, however they come", arguments: Self.modes)
    func messages(mode: Mode) async throws {
        try await TestServer.run { server in
            let client = try await PollingClient.connect(
                to: server.url("/poll"),
                configuration: Self.configuration(mode)
            )
            try await TestServer.exchange(1000, over: client)
            await client.close()
            #expect(try await client.receive() == nil)
            await #expect(throws: SignalingChannelError.self) { try await client.send("late") }
        }
    }

    @Test(
        "A network that cuts connections off loses nothing and doubles nothing",
        arguments: Self.modes,
        [UInt64.random(in: 0...UInt64.max)]
    )
    func cuts(mode: Mode, seed: UInt64) async throws {
        try await TestServer.run { routes, _ in
            var limits = PollingConfiguration()
            // A response that no connection lives long enough for would never come.
            limits.responseLimit = 1000
            routes.polling("/flaky", configuration: limits, handler: TestServer.echo)
        } body: { server in
            try await CuttingProxy.run(to: server.port, limit: 6000, seed: seed) { proxy in
                var configuration = Self.configuration(mode)
                // Small requests, so that there are many to be cut.
                configuration.http.batchSize = 200
                configuration.http.sendBuffer = 400
                configuration.http.requestTimeout = .seconds(3)
                var client: PollingClient?
                // A session whose opening is cut off was none for the client.
                while client == nil {
                    client = try? await PollingClient.connect(
                        to: "http://127.0.0.1:\(proxy.port)/flaky",
                        configuration: configuration
                    )
                }
                let channel = try #require(client)
                try await TestServer.exchange(1000, over: channel)
                #expect(proxy.cuts > 3, "seed \(seed)")
                proxy.relent()
                await channel.close()
            }
        }
    }

    @Test("What the server closes with arrives behind its last words", arguments: Self.modes)
    func closedByServer(mode: Mode) async throws {
        try await TestServer.run { routes, _ in
            routes.polling("/rude") { session in
                session.send("last words")
                session.close(code: 4001, reason: "not you")
            }
            routes.polling("/polite") { _ in }
        } body: { server in
            let refused = try await PollingClient.connect(
                to: server.url("/rude"),
                configuration: Self.configuration(mode)
            )
            #expect(try await refused.receive() == "last words")
            await #expect(throws: SignalingChannelError.closed(code: 4001, reason: "not you")) {
                try await refused.receive()
            }
            let polite = try await PollingClient.connect(
                to: server.url("/polite"),
                configuration: Self.configuration(mode)
            )
            #expect(try await polite.receive() == nil)
        }
    }

    @Test("Who is not admitted is told so, and who is has cookies")
    func admission() async throws {
        try await TestServer.run { routes, _ in
            routes.admit = { $0.cookie("token") == "right" ? nil : SignalingResponse(401) }
        } body: { server in
            var configuration = Self.configuration(.longPolling)
            await #expect(throws: SignalingChannelError.refused(status: 401, reason: "Unauthorized")) {
                try await PollingClient.connect(to: server.url("/poll"), configuration: configuration)
            }
            configuration.http.headers = ["cookie": "token=right"]
            let client = try await PollingClient.connect(to: server.url("/poll"), configuration: configuration)
            try await TestServer.exchange(1, over: client)
            await client.close()
        }
    }

    @Test("A server whose application reads nothing makes the client wait, and nothing is lost")
    func slowServer() async throws {
        let gate = Gate()
        try await TestServer.run { routes, _ in
            routes.polling("/deaf") { session in
                await gate.wait()
                await TestServer.echo(session)
            }
        } body: { server in
            var configuration = Self.configuration(.longPolling)
            configuration.http.sendBuffer = 1000
            configuration.http.batchSize = 100
            let client = try await PollingClient.connect(to: server.url("/deaf"), configuration: configuration)
            // More than the server keeps for somebody who does not read.
            let sender = Task {
                for number in 0..<200 { try await client.send("message \(number)") }
            }
            try await client.send("first")
            await gate.open()
            try await sender.value
            var texts: [String] = []
            while texts.count < 201, let text = try await client.receive() { texts.append(text) }
            #expect(texts.filter { $0 != "first" } == (0..<200).map { "message \($0)" })
            await client.close()
        }
    }

    @Test("A session ends for the server when its client is let go of")
    func abandoned() async throws {
        try await TestServer.expectEnd { routes, path, handler in
            routes.polling(path, handler: handler)
        } afterConnecting: { server, path in
            _ = try await PollingClient.connect(to: server.url(path))
        }
    }

    @Test("A server that went away is given up in time")
    func serverGone() async throws {
        var client: PollingClient?
        try await TestServer.run { server in
            var configuration = Self.configuration(.longPolling)
            configuration.retryTimeout = .milliseconds(500)
            client = try await PollingClient.connect(to: server.url("/poll"), configuration: configuration)
            try await TestServer.exchange(1, over: #require(client))
        }
        // The server says 1001 to a request that is held; to one that comes later nobody answers.
        do {
            #expect(try await client?.receive() == nil)
        } catch {
            switch error {
            case .connectionFailed, .refused(503, _): break
            default: Issue.record("\(error)")
            }
        }
    }
}
