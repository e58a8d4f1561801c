import NIOCore
import RTCSignaling
import RTCSignalingClient
import RTCSignalingServer
import Testing

@Suite(.timeLimit(.minutes(2))) struct SocketIOClientTests {
    typealias Transport = SocketIOClientConfiguration.Transport

    /// A service that says everything back, acknowledges it, and asks when it is asked to.
    static func makeService(_ configuration: SocketIOConfiguration = SocketIOConfiguration()) -> SocketIOService {
        let serve: SocketIOService.Handler = { socket in
            for await event in socket.events {
                switch event.name {
                case "silence": break
                case "ask":
                    Task {
                        let answer = try? await socket.emitWithAck("question", .array(event.arguments))
                        socket.emit("answered", answer ?? [])
                    }
                case "leave me": socket.disconnect()
                default:
                    socket.emit(event.name, event.arguments)
                    event.acknowledge("got", .array(event.arguments))
                }
            }
        }
        let service = SocketIOService(configuration: configuration, handler: serve)
        service.namespace("/members") {
            $0.query == "token=1" ? nil : ["reason": "unknown"]
        } handler: { socket in
            await serve(socket)
        }
        return service
    }

    static func run(
        _ service: SocketIOService = Self.makeService(),
        body: (TestServer) async throws -> Void
    ) async throws {
        try await TestServer.run({ routes, _ in routes.socketIO(service) }, body: body)
    }

    static func configuration(_ transport: Transport) -> SocketIOClientConfiguration {
        var configuration = SocketIOClientConfiguration()
        configuration.transport = transport
        configuration.firstDelay = .milliseconds(20)
        configuration.longestDelay = .milliseconds(200)
        return configuration
    }

    /// Reads up to the next event that came.
    static func receive(
        _ iterator: inout SocketIOClient.Events.AsyncIterator
    ) async throws -> SocketIOClient.ReceivedEvent {
        while let event = try await iterator.next() {
            if case .received(let received) = event { return received }
            if case .disconnected(let error, _) = event { throw error ?? .closed }
        }
        throw SocketIOClientError.closed
    }

    @Test(
        "A thousand events with bytes come back in order, and are acknowledged, by every transport",
        arguments: Transport.allCases,
        [false, true]
    )
    func exchange(transport: Transport, forcesBase64: Bool) async throws {
        try await Self.run { server in
            var configuration = Self.configuration(transport)
            configuration.forcesBase64 = forcesBase64
            let client = try await SocketIOClient.connect(to: server.url("/socket.io"), configuration: configuration)
            let socket = client.socket
            let bytes = ByteBuffer(bytes: [0, 1, 255])
            async let sent: Void = {
                for number in 0..<1000 {
                    try await socket.emit("count", .number(Double(number)), "\u{1F600}\"", .binary(bytes))
                }
            }()
            var events = socket.events.makeAsyncIterator()
            for number in 0..<1000 {
                let event = try await Self.receive(&events)
                guard event.arguments == [.number(Double(number)), "\u{1F600}\"", .binary(bytes)] else {
                    Issue.record("expected \(number), got \(event.arguments)")
                    return
                }
            }
            try await sent
            #expect(try await socket.emitWithAck("thing", 1, ["a": nil]) == ["got", [1, ["a": nil]]])
            #expect(client.carrier == (transport == .polling ? .polling : .webSocket))
            #expect(await client.close() == 0)
            await #expect(throws: SocketIOClientError.closed) { try await socket.emit("late") }
        }
    }

    @Test("The server asks and is answered, and a question that is not answered ends in time")
    func questions() async throws {
        try await Self.run { server in
            let client = try await SocketIOClient.connect(to: server.webSocketURL("/socket.io/"))
            let socket = client.socket
            try await socket.emit("ask", "why")
            var events = socket.events.makeAsyncIterator()
            let question = try await Self.receive(&events)
            #expect(question.name == "question" && question.wantsAcknowledgement)
            try await question.acknowledge("because", 1)
            let answered = try await Self.receive(&events)
            #expect(answered.arguments == ["because", 1])
            await #expect(throws: SocketIOClientError.timedOut) {
                try await socket.emitWithAck("silence", timeout: .milliseconds(50))
            }
            let cancelled = Task { try await socket.emitWithAck("silence") }
            cancelled.cancel()
            await #expect(throws: SocketIOClientError.cancelled) { try await cancelled.value }
            await client.close()
        }
    }

    @Test("Namespaces share a session, and whoever is refused is told why")
    func namespaces() async throws {
        try await Self.run { server in
            let client = try await SocketIOClient.connect(to: server.url(""), namespace: "/members", query: "token=1")
            #expect(client.socket.namespace == "/members")
            let root = try await client.open("/")
            #expect(try await root.emitWithAck("a") == ["got", []])
            #expect(try await client.socket.emitWithAck("b") == ["got", []])
            await #expect(throws: SocketIOClientError.namespaceRefused("Invalid namespace")) {
                try await client.open("/none")
            }
            root.disconnect()
            #expect(try await client.socket.emitWithAck("c") == ["got", []])
            await client.close()
            await #expect(throws: SocketIOClientError.namespaceRefused(["reason": "unknown"])) {
                try await SocketIOClient.connect(to: server.url(""), namespace: "/members", query: "token=2")
            }
        }
    }

    @Test("A namespace that the server takes away ends with what came before", arguments: Transport.allCases)
    func disconnected(transport: Transport) async throws {
        try await Self.run { server in
            let client = try await SocketIOClient.connect(
                to: server.url(""),
                configuration: Self.configuration(transport)
            )
            try await client.socket.emit("last words")
            try await client.socket.emit("leave me")
            var names: [String] = []
            for try await event in client.socket.events {
                switch event {
                case .connected: names.append("connected")
                case .received(let received): names.append(received.name)
                case .disconnected(let error, let unsent): names.append("\(String(describing: error)) \(unsent)")
                case .error, .interrupted: Issue.record("\(event)")
                }
            }
            #expect(
                names == [
                    "connected", "last words", "\(String(describing: SocketIOClientError?.some(.disconnected))) 0",
                ]
            )
        }
    }

    @Test(
        "Headers and the query reach the server, and what it does not admit is refused with its status",
        arguments: Transport.allCases
    )
    func admission(transport: Transport) async throws {
        try await TestServer.run { routes, _ in
            routes.socketIO(Self.makeService())
            routes.admit = { request in
                let isRight = request.queryValue("token") == "right" && request.headers.first("x-test") == "yes"
                return isRight ? nil : SignalingResponse(401)
            }
        } body: { server in
            var http = HTTPClientSettings()
            http.headers = ["X-Test": "yes"]
            let configuration = Self.configuration(transport)
            let client = try await SocketIOClient.connect(
                to: server.url("/socket.io/?token=right"),
                configuration: configuration,
                http: http
            )
            #expect(try await client.socket.emitWithAck("a") == ["got", []])
            await client.close()
            await #expect(throws: SocketIOClientError.channel(.refused(status: 401, reason: "Unauthorized"))) {
                try await SocketIOClient.connect(
                    to: server.url("/socket.io/?token=wrong"),
                    configuration: configuration,
                    http: http
                )
            }
            await #expect(throws: SocketIOClientError.self) {
                try await SocketIOClient.connect(to: server.url("/?EIO=4"), http: http)
            }
        }
    }

    @Test("A reader that is slow slows the server down, and nothing is lost", arguments: Transport.allCases)
    func slowReader(transport: Transport) async throws {
        var limits = SocketIOConfiguration()
        limits.engine.maximumUnsentBytes = 64 << 20
        try await Self.run(Self.makeService(limits)) { server in
            let client = try await SocketIOClient.connect(
                to: server.url(""),
                configuration: Self.configuration(transport)
            )
            let socket = client.socket
            // All of it is there, or on its way, before anything is read.
            for number in 0..<300 {
                try await socket.emit("n", .number(Double(number)), .string(String(repeating: "x", count: 2000)))
            }
            var events = socket.events.makeAsyncIterator()
            for number in 0..<300 {
                let event = try await Self.receive(&events)
                #expect(event.arguments.first?.integer == number)
            }
            await client.close()
        }
    }

    @Test(
        "Who sends while a server is away is told when too much waits, and what waits arrives once",
        arguments: Transport.allCases
    )
    func restart(transport: Transport) async throws {
        var client: SocketIOClient?
        var port = 0
        var configuration = Self.configuration(transport)
        configuration.maximumQueuedEvents = 3
        try await Self.run { server in
            port = server.port
            client = try await SocketIOClient.connect(to: server.url(""), configuration: configuration)
            #expect(try await client?.socket.emitWithAck("first") == ["got", []])
        }
        let socket = try #require(client?.socket)
        var events = socket.events.makeAsyncIterator()
        loop: while let event = try await events.next() {
            if case .interrupted(_, let unconfirmed) = event {
                #expect(unconfirmed == 0)
                break loop
            }
        }
        for number in 0..<3 { try await socket.emit("kept", .number(Double(number))) }
        await #expect(throws: SocketIOClientError.queueFull) { try await socket.emit("too much") }
        let restarted = port
        try await TestServer.run { routes, configuration in
            routes.socketIO(Self.makeService())
            configuration.port = restarted
        } body: { _ in
            let back = try await events.next()
            guard case .connected? = back else {
                Issue.record("\(String(describing: back))")
                return
            }
            for number in 0..<3 {
                let event = try await Self.receive(&events)
                #expect(event.name == "kept" && event.arguments == [.number(Double(number))])
            }
            #expect(await client?.close() == 0)
        }
        var states: [SocketIOClient.State] = []
        for await state in try #require(client).states { states.append(state) }
        #expect(states.last == .over(nil, unconfirmed: 0))
        #expect(states.contains { if case .waiting(_, attempt: 1, _) = $0 { true } else { false } })
    }

    @Test("A question that finds no room is over in time, too, and all that close are told the same")
    func noRoom() async throws {
        let server = try await SilentServer.bind()
        var configuration = Self.configuration(.polling)
        configuration.maximumQueuedEvents = 1
        configuration.closeTimeout = .milliseconds(50)
        let port = try #require(server.localAddress?.port)
        let client = try await SocketIOClient.connect(to: "http://127.0.0.1:\(port)", configuration: configuration)
        // One is under way, one waits.
        for _ in 0..<2 { try await client.socket.emit("a") }
        await #expect(throws: SocketIOClientError.timedOut) {
            try await client.socket.emitWithAck("b", timeout: .milliseconds(50))
        }
        let told = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { await client.close() } }
            var told: [Int] = []
            for await count in group { told.append(count) }
            return told
        }
        #expect(told == Array(repeating: 2, count: 20))
        try await server.close()
    }

    @Test("A session ends for the server when the client and its sockets are let go of")
    func abandoned() async throws {
        let (ends, continuation) = AsyncStream.makeStream(of: Void.self)
        let service = SocketIOService { socket in
            for await _ in socket.events {}
            continuation.yield()
        }
        try await Self.run(service) { server in
            var socket: SocketIOClient.Socket? = try await SocketIOClient.connect(to: server.url("")).socket
            try await socket?.emit("a socket is enough")
            socket = nil
            for await _ in ends { break }
        }
    }

    @Test("What cannot be asked for, and nobody there, are errors at once")
    func failures() async throws {
        for url in ["ftp://x/", "http://", "http://x/?sid=1", "http://x/?a=1&transport=x"] {
            let error = await #expect(throws: SocketIOClientError.self) { try await SocketIOClient.connect(to: url) }
            guard case .invalidArgument? = error else {
                Issue.record("\(url): \(String(describing: error))")
                continue
            }
        }
        var port = 0
        try await TestServer.run { port = $0.port }
        for transport in Transport.allCases {
            let error = await #expect(throws: SocketIOClientError.self) {
                try await SocketIOClient.connect(
                    to: "http://127.0.0.1:\(port)",
                    configuration: Self.configuration(transport)
                )
            }
            guard case .channel(.connectionFailed)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        let never = Task { try await SocketIOClient.connect(to: "http://127.0.0.1:\(port)") }
        never.cancel()
        await #expect(throws: SocketIOClientError.self) { try await never.value }
    }
}
