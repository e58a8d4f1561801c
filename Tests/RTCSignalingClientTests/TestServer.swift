import NIOCore
import RTCSignaling
import RTCSignalingServer
import Testing

/// A server of ours with echoes, for the length of a test.
struct TestServer: Sendable {
    let server: SignalingServer

    /// Runs a server for the length of `body`.
    static func run(
        _ change: (inout SignalingRoutes, inout SignalingServerConfiguration) throws -> Void = { _, _ in },
        body: (TestServer) async throws -> Void
    ) async throws {
        var routes = SignalingRoutes()
        var configuration = SignalingServerConfiguration()
        routes.webSocket("/ws", subprotocols: ["one", "two"], handler: Self.echo)
        routes.webSocketAndPolling("/signal", handler: Self.echo)
        routes.polling("/poll", handler: Self.echo)
        routes.sockJS("/sockjs", handler: Self.echo)
        try change(&routes, &configuration)
        let server = try await SignalingServer.bind(routes, configuration: configuration)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await server.run() }
            defer { server.shutdown() }
            try await body(TestServer(server: server))
        }
    }

    /// Runs a server that keeps WebSockets waiting for the length of `body`.
    static func runHoldingUpWebSockets(body: (TestServer) async throws -> Void) async throws {
        let gate = Gate()
        try await Self.run { routes, _ in
            routes.admit = { request in
                if !request.headers.list("upgrade").isEmpty { await gate.wait() }
                return nil
            }
        } body: { server in
            try await body(server)
            await gate.open()
        }
    }

    /// Expects that a session ends for the server when its client is let go of.
    static func expectEnd(
        of add: (inout SignalingRoutes, _ path: String, @escaping @Sendable (SignalingSession) async -> Void) -> Void,
        afterConnecting connect: (TestServer, _ path: String) async throws -> Void
    ) async throws {
        let (ends, continuation) = AsyncStream.makeStream(of: Void.self)
        try await Self.run { routes, _ in
            add(&routes, "/until-gone") { session in
                for await _ in session.messages {}
                continuation.yield()
            }
        } body: { server in
            try await connect(server, "/until-gone")
            for await _ in ends { break }
        }
    }

    @Sendable static func echo(_ session: SignalingSession) async {
        for await message in session.messages { session.send(message) }
    }

    var port: Int { self.server.address.port ?? 0 }

    func url(_ path: String) -> String { "http://127.0.0.1:\(self.port)\(path)" }

    /// Sends numbered messages and expects each of them back, in order and once.
    static func exchange(_ count: Int, over channel: some SignalingChannel) async throws {
        async let sent: Void = {
            for number in 0..<count { try await channel.send("message \(number) \u{1F600}\r\n") }
        }()
        for number in 0..<count {
            let text = try await channel.receive()
            guard text == "message \(number) \u{1F600}\r\n" else {
                Issue.record("expected \(number), got \(text ?? "nil")")
                return
            }
        }
        try await sent
    }

    func webSocketURL(_ path: String) -> String { "ws://127.0.0.1:\(self.port)\(path)" }
}

/// Holds tasks until it is opened.
actor Gate {
    private var isOpen = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    func wait() async {
        guard !self.isOpen else { return }
        await withCheckedContinuation { self.waiters.append($0) }
    }

    func open() {
        self.isOpen = true
        for waiter in self.waiters { waiter.resume() }
        self.waiters = []
    }
}
