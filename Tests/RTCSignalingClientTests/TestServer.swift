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
        try change(&routes, &configuration)
        let server = try await SignalingServer.bind(routes, configuration: configuration)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await server.run() }
            defer { server.shutdown() }
            try await body(TestServer(server: server))
        }
    }

    @Sendable static func echo(_ session: SignalingSession) async {
        for await message in session.messages { session.send(message) }
    }

    var port: Int { self.server.address.port ?? 0 }

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
