import NIOCore
import RTCSignaling
import RTCSignalingClient
import RTCSignalingServer
import Testing

@Suite(.timeLimit(.minutes(1))) struct STOMPClientTests {
    /// Runs a broker of ours; gives the URLs of each way to it.
    static func run(
        _ service: STOMPService = STOMPService(),
        body: (_ urls: [String]) async throws -> Void
    ) async throws {
        try await TestServer.run { routes, _ in
            routes.stomp(service, webSocket: "/stomp", sockJS: "/stomp-sockjs")
            routes.stompTCP(service, port: 0)
        } body: { server in
            let port = server.server.tcpAddresses.first?.port ?? 0
            try await body([
                server.webSocketURL("/stomp"), server.url("/stomp-sockjs"), "stomp://127.0.0.1:\(port)",
            ])
        }
    }

    @Test("A thousand messages come in order and once, in each version and over each transport")
    func messages() async throws {
        try await Self.run { urls in
            for (url, version) in zip(urls, STOMPVersion.allCases) {
                var configuration = STOMPClientConfiguration()
                configuration.versions = [version]
                let client = try await STOMPClient.connect(to: url, configuration: configuration)
                #expect(client.version == version)
                let subscription = try await client.subscribe(to: "/topic/numbers", confirmed: true)
                async let sent: Void = {
                    for number in 0..<1000 { try await client.send(to: "/topic/numbers", text: "number \(number)") }
                }()
                for number in 0..<1000 { #expect(try await subscription.next()?.text == "number \(number)") }
                try await sent
                await client.disconnect()
                #expect(try await subscription.next() == nil)
            }
        }
    }

    @Test("What is acknowledged is gone, what is not comes again")
    func acknowledging() async throws {
        try await Self.run { urls in
            for (url, ackMode) in [(urls[2], .clientIndividual), (urls[0], .client)]
                as [(String, STOMPClient.SubscriptionRequest.AckMode)]
            {
                let client = try await STOMPClient.connect(to: url)
                let subscription = try await client.subscribe(to: "/queue/work", ackMode: ackMode)
                for number in 0..<3 { try await client.send(to: "/queue/work", text: "\(number)", confirmed: true) }
                var messages: [STOMPClient.Message] = []
                while messages.count < 3, let message = try await subscription.next() { messages.append(message) }
                // Cumulative, or only itself.
                try await client.ack(messages[1])
                try await client.unsubscribe(subscription)
                let again = try await client.subscribe(to: "/queue/work", ackMode: .auto, confirmed: true)
                let expected = ackMode == .client ? ["2"] : ["0", "2"]
                for text in expected { #expect(try await again.next()?.text == text) }
                await client.disconnect()
            }
        }
    }

    @Test("A transaction happens as a whole or not at all")
    func transactions() async throws {
        try await Self.run { urls in
            let client = try await STOMPClient.connect(to: urls[2])
            let subscription = try await client.subscribe(to: "/topic/a", confirmed: true)
            let forgotten = try await client.begin()
            try await client.send(to: "/topic/a", text: "never", transaction: forgotten)
            try await client.abort(forgotten)
            let kept = try await client.begin()
            try await client.send(to: "/topic/a", text: "second", transaction: kept)
            try await client.send(to: "/topic/a", text: "first")
            try await client.commit(kept)
            for text in ["first", "second"] { #expect(try await subscription.next()?.text == text) }
            await client.disconnect()
        }
    }

    @Test("A broker's ERROR ends everything that waits, with what it says")
    func errors() async throws {
        let service = STOMPService { question in
            switch question.kind {
            case .connect(let login, let passcode, _):
                return login == "bob" && passcode == "secret" ? .allow(user: login) : .deny(reason: "who?")
            case .subscribe("/topic/secret"): return .deny(reason: "not for you")
            default: return .allow()
            }
        }
        try await Self.run(service) { urls in
            for url in urls {
                let refusal = await #expect(throws: STOMPClientError.self) { try await STOMPClient.connect(to: url) }
                #expect(refusal?.serverMessage == "who?")
                var configuration = STOMPClientConfiguration()
                configuration.login = "bob"
                configuration.passcode = "secret"
                let client = try await STOMPClient.connect(to: url, configuration: configuration)
                let fine = try await client.subscribe(to: "/topic/fine")
                let secret = try await client.subscribe(to: "/topic/secret")
                for subscription in [fine, secret] {
                    let end = await #expect(throws: STOMPClientError.self) { try await subscription.next() }
                    #expect(end?.serverMessage == "not for you")
                }
                #expect(client.subscriptions.map(\.destination) == ["/topic/fine", "/topic/secret"])
            }
        }
    }

    @Test("Bodies of bytes and headers of any text come as they were sent, and a user's messages to the user")
    func contents() async throws {
        let service = STOMPService { question in
            if case .connect(let login, _, _) = question.kind { return .allow(user: login) }
            return .allow()
        }
        try await Self.run(service) { urls in
            var configuration = STOMPClientConfiguration()
            configuration.login = "bob"
            let bob = try await STOMPClient.connect(to: urls[2], configuration: configuration)
            configuration.login = "alice"
            let alice = try await STOMPClient.connect(to: urls[0], configuration: configuration)
            let mail = try await bob.subscribe(to: "/user/queue/mail", confirmed: true)
            let bytes = ByteBuffer(bytes: Array(0...255))
            let odd = "a:b\\c\nd\re \u{1F600}"
            try await alice.send(to: "/user/bob/queue/mail", headers: [.init("odd", odd)], body: bytes)
            let message = try #require(try await mail.next())
            #expect(message.body == bytes && message["odd"] == odd)
            await alice.disconnect()
            await bob.disconnect()
        }
    }

    @Test("A reader that is slow slows the broker down without losing the connection")
    func slowReader() async throws {
        var limits = STOMPConfiguration()
        limits.maximumUnsentBytes = 64 << 20
        try await Self.run(STOMPService(configuration: limits)) { urls in
            let reader = try await STOMPClient.connect(to: urls[2])
            let writer = try await STOMPClient.connect(to: urls[2])
            let subscription = try await reader.subscribe(to: "/topic/flood", confirmed: true)
            let body = ByteBuffer(repeating: 1, count: 10_000)
            for _ in 0..<500 { try await writer.send(to: "/topic/flood", body: body) }
            for _ in 0..<500 { #expect(try await subscription.next()?.body.readableBytes == 10_000) }
            await reader.disconnect()
            await writer.disconnect()
        }
    }
}

extension STOMPClientError {
    fileprivate var serverMessage: String? {
        if case .server(let message, _, _) = self { return message }
        return nil
    }
}
