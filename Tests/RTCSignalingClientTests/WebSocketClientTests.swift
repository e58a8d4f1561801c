import NIOCore
import NIOPosix
import RTCSignaling
import RTCSignalingClient
import RTCSignalingServer
import Testing

@Suite(.timeLimit(.minutes(1))) struct WebSocketClientTests {
    @Test("A thousand messages each way come whole, in order and once, of both kinds")
    func messages() async throws {
        try await TestServer.run { server in
            let client = try await WebSocketClient.connect(to: server.webSocketURL("/ws"))
            async let sent: Void = {
                for number in 0..<1000 {
                    if number % 2 == 0 {
                        try await client.send("message \(number)")
                    } else {
                        try await client.send(.binary(ByteBuffer(repeating: UInt8(number % 256), count: number)))
                    }
                }
            }()
            for number in 0..<1000 {
                let message = try await client.receiveMessage()
                if number % 2 == 0 {
                    #expect(message == .text("message \(number)"))
                } else {
                    #expect(message == .binary(ByteBuffer(repeating: UInt8(number % 256), count: number)))
                }
            }
            try await sent
            let closure = await client.close(code: .normal)
            #expect(closure.origin == .local)
            #expect(try await client.receive() == nil)
            await #expect(throws: SignalingChannelError.self) { try await client.send("late") }
        }
    }

    @Test("Subprotocols, headers and cookies are agreed upon")
    func handshake() async throws {
        try await TestServer.run { routes, _ in
            routes.admit = { $0.headers.first("authorization") == "Bearer right" ? nil : SignalingResponse(401) }
        } body: { server in
            var configuration = WebSocketClientConfiguration()
            configuration.subprotocols = ["other", "two", "one"]
            await #expect(throws: SignalingChannelError.refused(status: 401, reason: "Unauthorized")) {
                try await WebSocketClient.connect(to: server.webSocketURL("/ws"), configuration: configuration)
            }
            configuration.headers = ["Authorization": "Bearer right"]
            let client = try await WebSocketClient.connect(
                to: server.webSocketURL("/ws"),
                configuration: configuration
            )
            #expect(client.subprotocol == "two")
            await client.close()
        }
    }

    @Test("Messages are compressed where both sides can, and not where one cannot")
    func compression() async throws {
        try await TestServer.run { routes, _ in
            var compressing = WebSocketConfiguration()
            compressing.deflate = WebSocketDeflateConfiguration()
            routes.webSocket("/deflate", configuration: compressing, handler: TestServer.echo)
        } body: { server in
            var configuration = WebSocketClientConfiguration()
            configuration.connection.deflate = WebSocketDeflateConfiguration()
            for (path, isCompressed) in [("/deflate", true), ("/ws", false)] {
                let client = try await WebSocketClient.connect(
                    to: server.webSocketURL(path),
                    configuration: configuration
                )
                #expect((client.responseHeaders.first("sec-websocket-extensions") != nil) == isCompressed)
                for number in 0..<20 {
                    let text = String(repeating: "again and again ", count: 50 * number)
                    try await client.send(text)
                    #expect(try await client.receive() == text)
                }
                await client.close()
            }
        }
    }

    @Test("A message that is too large once it is decompressed is an error")
    func bomb() async throws {
        try await TestServer.run { routes, _ in
            var compressing = WebSocketConfiguration()
            compressing.deflate = WebSocketDeflateConfiguration()
            routes.webSocket("/bomb", configuration: compressing) { session in
                session.send(String(repeating: "0", count: 100_000))
                session.send(String(repeating: "0", count: 100_001))
            }
        } body: { server in
            var configuration = WebSocketClientConfiguration()
            configuration.connection.deflate = WebSocketDeflateConfiguration()
            configuration.connection.maximumMessageSize = 100_000
            let client = try await WebSocketClient.connect(
                to: server.webSocketURL("/bomb"),
                configuration: configuration
            )
            #expect(try await client.receive()?.utf8.count == 100_000)
            await #expect(throws: SignalingChannelError.protocolViolation(reason: "a message is too large")) {
                try await client.receive()
            }
        }
    }

    @Test("What the server closes with is an error, but for orderly ends")
    func closedByServer() async throws {
        try await TestServer.run { routes, _ in
            routes.webSocket("/private") { $0.close(code: 4001, reason: "not you") }
            routes.webSocket("/orderly") { _ in }
        } body: { server in
            let refused = try await WebSocketClient.connect(to: server.webSocketURL("/private"))
            await #expect(throws: SignalingChannelError.closed(code: 4001, reason: "not you")) {
                try await refused.receive()
            }
            let orderly = try await WebSocketClient.connect(to: server.webSocketURL("/orderly"))
            #expect(try await orderly.receive() == nil)
        }
    }

    @Test("A client whose messages nobody reads slows the server down, and nothing is lost")
    func slowReader() async throws {
        let count = 200
        let size = 64 << 10
        try await TestServer.run { routes, configuration in
            configuration.maximumUnsentBytes = count * (size + 100)
            var webSocket = WebSocketConfiguration()
            webSocket.maximumUnsentBytes = count * (size + 100)
            routes.webSocket("/flood", configuration: webSocket) { session in
                for number in 0..<count { session.send(String(repeating: "x", count: size) + "\(number)") }
                for await _ in session.messages {}
            }
        } body: { server in
            let client = try await WebSocketClient.connect(to: server.webSocketURL("/flood"))
            for number in 0..<count {
                #expect(try await client.receive()?.dropFirst(size) == "\(number)")
            }
            await client.close()
        }
    }

    @Test("Who sends more than the server reads has to wait, and can be cancelled")
    func slowServer() async throws {
        let gate = Gate()
        try await TestServer.run { routes, _ in
            routes.webSocket("/deaf") { session in
                await gate.wait()
                var count = 0
                for await _ in session.messages {
                    count += 1
                    session.send("\(count)")
                }
            }
        } body: { server in
            let client = try await WebSocketClient.connect(to: server.webSocketURL("/deaf"))
            let message = String(repeating: "x", count: 100_000)
            let (progress, continuation) = AsyncStream.makeStream(of: Int.self)
            let sender = Task {
                var count = 0
                while true {
                    do {
                        try await client.send(message)
                    } catch {
                        #expect(error as? SignalingChannelError == .cancelled)
                        return count
                    }
                    count += 1
                    continuation.yield(count)
                }
            }
            // More than the kernel's buffers hold in each direction cannot be sent.
            for await count in progress where count >= 20 { break }
            sender.cancel()
            let sent = await sender.value
            await gate.open()
            for number in 1...sent { #expect(try await client.receive() == "\(number)") }
            await client.close()
        }
    }

    @Test("A sender that waits is let go when the server goes, though what came is not read yet")
    func serverGone() async throws {
        let gate = Gate()
        try await TestServer.run { routes, configuration in
            configuration.drainTimeout = .milliseconds(100)
            routes.webSocket("/deaf") { session in
                for number in 0..<1000 { session.send("\(number)") }
                await gate.wait()
            }
        } body: { server in
            let client = try await WebSocketClient.connect(to: server.webSocketURL("/deaf"))
            let message = String(repeating: "x", count: 100_000)
            let (progress, continuation) = AsyncStream.makeStream(of: Int.self)
            let sender = Task {
                var count = 0
                while true {
                    try await client.send(message)
                    count += 1
                    continuation.yield(count)
                }
            }
            for await count in progress where count >= 20 { break }
            server.server.shutdown()
            await #expect(throws: SignalingChannelError.self) { try await sender.value }
            #expect(try await client.receive() == "0")
            await gate.open()
        }
    }

    @Test("A reader can be cancelled, and the next one gets the message")
    func cancelledReader() async throws {
        try await TestServer.run { server in
            let client = try await WebSocketClient.connect(to: server.webSocketURL("/ws"))
            let reader = Task { try await client.receive() }
            reader.cancel()
            await #expect(throws: SignalingChannelError.cancelled) { try await reader.value }
            try await client.send("still there")
            #expect(try await client.receive() == "still there")
            await client.close()
        }
    }

    @Test("A server that accepts and says nothing, or answers with something else, is given up")
    func silentServer() async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let silent = try await ServerBootstrap(group: eventLoop).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(silent.localAddress?.port)
        var configuration = WebSocketClientConfiguration()
        configuration.connectTimeout = .milliseconds(200)
        await #expect(
            throws: SignalingChannelError.connectionFailed(reason: "no answer from 127.0.0.1:\(port) in time")
        ) {
            try await WebSocketClient.connect(to: "ws://127.0.0.1:\(port)/", configuration: configuration)
        }
        try await silent.close()
        // Nobody is there any more.
        do {
            _ = try await WebSocketClient.connect(to: "ws://127.0.0.1:\(port)/", configuration: configuration)
            Issue.record("connected")
        } catch {
            guard case .connectionFailed = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test("An attempt can be cancelled")
    func cancelledConnect() async throws {
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(silent.localAddress?.port)
        let attempt = Task { try await WebSocketClient.connect(to: "ws://127.0.0.1:\(port)/") }
        attempt.cancel()
        await #expect(throws: SignalingChannelError.cancelled) { try await attempt.value }
        try await silent.close()
    }

    @Test("A client that is let go of closes")
    func abandoned() async throws {
        try await TestServer.expectEnd { routes, path, handler in
            routes.webSocket(path, handler: handler)
        } afterConnecting: { server, path in
            _ = try await WebSocketClient.connect(to: server.webSocketURL(path))
        }
    }

    @Test("Bytes that are text are received as text, others end the channel")
    func binaryAsText() async throws {
        try await TestServer.run { server in
            let client = try await WebSocketClient.connect(to: server.webSocketURL("/ws"))
            try await client.send(.binary(ByteBuffer(string: "{}")))
            #expect(try await client.receive() == "{}")
            try await client.send(.binary(ByteBuffer(bytes: [0xFF])))
            await #expect(throws: SignalingChannelError.protocolViolation(reason: "bytes that are no text")) {
                try await client.receive()
            }
            #expect(await client.close(code: .normal).code == .unsupportedData)
        }
    }
}
