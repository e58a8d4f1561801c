import NIOCore
import NIOPosix
import RTCSignaling
import RTCSignalingServer
import Testing

/// A TCP client that speaks in bytes.
final class RawClient: Sendable {
    fileprivate let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    convenience init(_ server: SignalingServer) async throws { try await self.init(server.address) }

    init(_ address: SocketAddress) async throws {
        self.channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
            }
    }

    /// Sends pieces, each once what the server said contains the text before it; gives all that it said until it closed, or
    /// until it said `last`; then does `before` before it closes.
    func talk(
        _ exchange: [(after: String, send: [UInt8])],
        until last: String? = nil,
        before: () async throws -> Void = {}
    ) async throws -> String {
        try await self.channel.executeThenClose { inbound, outbound in
            var heard: [UInt8] = []
            var pending = exchange[...]
            func has(_ text: String) -> Bool {
                text.isEmpty || String(decoding: heard, as: UTF8.self).contains(text)
            }
            while let next = pending.first, has(next.after) {
                try await outbound.write(ByteBuffer(bytes: next.send))
                pending.removeFirst()
            }
            for try await bytes in inbound {
                heard += Array(bytes.readableBytesView)
                if let last, pending.isEmpty, has(last) { break }
                while let next = pending.first, has(next.after) {
                    try await outbound.write(ByteBuffer(bytes: next.send))
                    pending.removeFirst()
                }
            }
            try await before()
            return String(decoding: heard, as: UTF8.self)
        }
    }
}

extension RawClient {
    /// Sends, does `before` while nothing is read, and then counts the bytes that come until the server closes.
    func count(_ request: [UInt8], before: () async throws -> Void = {}) async throws -> Int {
        try await self.channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: request))
            try await before()
            var count = 0
            do {
                for try await bytes in inbound { count += bytes.readableBytes }
            } catch is IOError {
                // A server that does not keep its word may reset the connection.
            }
            return count
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct SignalingServerTests {
    static let upgrade = """
        Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n
        """

    static func get(_ path: String, _ headers: String = "") -> [UInt8] {
        Array("GET \(path) HTTP/1.1\r\nHost: x\r\n\(headers)\r\n".utf8)
    }

    /// A frame whose mask is all zero.
    static func frame(_ first: UInt8, _ payload: String) -> [UInt8] {
        [first, 0x80 | UInt8(payload.utf8.count), 0, 0, 0, 0] + Array(payload.utf8)
    }

    /// Runs a server for the length of `body`.
    static func serve(
        _ change: (inout SignalingRoutes, inout SignalingServerConfiguration) -> Void = { _, _ in },
        _ body: (SignalingServer) async throws -> Void
    ) async throws {
        var routes = SignalingRoutes()
        var configuration = SignalingServerConfiguration()
        routes.webSocket("/ws") { session in
            for await message in session.messages { session.send(message) }
        }
        routes.sockJS("/sockjs") { session in
            for await message in session.messages { session.send(message) }
        }
        change(&routes, &configuration)
        let server = try await SignalingServer.bind(routes, configuration: configuration)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await server.run() }
            defer { server.shutdown() }
            try await body(server)
        }
    }

    @Test("A WebSocket answers what it is told, and closes as it is asked")
    func webSocket() async throws {
        try await Self.serve { server in
            let heard = try await RawClient(server).talk([
                ("", Self.get("/ws", Self.upgrade)),
                ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", Self.frame(0x81, "hello")),
                ("hello", Self.frame(0x88, "")),
            ])
            #expect(heard.hasPrefix("HTTP/1.1 101 "))
            #expect(heard.contains("hello"))
        }
    }

    @Test("Frames that come with the handshake are not lost")
    func early() async throws {
        try await Self.serve { server in
            let heard = try await RawClient(server).talk(
                [("", Self.get("/ws", Self.upgrade) + Self.frame(0x81, "early"))],
                until: "early"
            )
            #expect(heard.contains("early"))
        }
    }

    @Test(
        "What is no handshake gets a response",
        arguments: [
            ("/ws", "", "400 "), ("/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\n", "400 "),
            ("/ws", Self.upgrade.replacing("13", with: "8"), "426 "), ("/none", Self.upgrade, "404 "),
            ("/sockjs/0/0/websocket", "", "400 "),
        ]
    )
    func refusals(path: String, headers: String, status: String) async throws {
        try await Self.serve { server in
            let heard = try await RawClient(server).talk([("", Self.get(path, headers))], until: "\r\n\r\n")
            #expect(heard.hasPrefix("HTTP/1.1 " + status))
        }
    }

    @Test("Requests follow each other on a connection")
    func keepAlive() async throws {
        try await Self.serve { server in
            let heard = try await RawClient(server).talk(
                [("", Self.get("/none")), ("404", Self.get("/sockjs"))],
                until: "Welcome to SockJS!"
            )
            #expect(heard.contains(" 200 "))
        }
    }

    @Test("Who is not admitted gets what the application says, by WebSocket and by SockJS")
    func admission() async throws {
        try await Self.serve { routes, _ in
            routes.admit = { $0.cookie("token") == "right" ? nil : SignalingResponse(401, text: "who?") }
        } _: { server in
            for path in ["/ws", "/sockjs/0/0/websocket", "/sockjs/info"] {
                let heard = try await RawClient(server).talk([("", Self.get(path, Self.upgrade))], until: "who?")
                #expect(heard.contains(" 401 "), "\(path)")
            }
            let admitted = Self.get("/ws", Self.upgrade + "Cookie: a=b; token=right\r\n")
            let heard = try await RawClient(server).talk([("", admitted)], until: "\r\n\r\n")
            #expect(heard.contains(" 101 "))
        }
    }

    @Test("SockJS over HTTP goes through the server, with what was sent waiting for the next poll")
    func polling() async throws {
        try await Self.serve { server in
            func post(_ path: String, _ body: String = "") -> [UInt8] {
                Array(
                    "POST /sockjs/0/s/\(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                        .utf8
                )
            }
            let heard = try await RawClient(server).talk(
                [("", post("xhr")), ("o\n", post("xhr_send", "[\"one\"]")), ("204", post("xhr"))],
                until: "a[\"one\"]\n"
            )
            #expect(heard.contains("a[\"one\"]\n"))
        }
    }

    @Test("A body that is too large, announced or not, ends the connection with 413")
    func largeBody() async throws {
        try await Self.serve {
            $1.maximumBodySize = 10
        } _: { server in
            let announced = "POST /sockjs/0/s/xhr HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n"
            let first = try await RawClient(server).talk([("", Array(announced.utf8))])
            #expect(first.hasPrefix("HTTP/1.1 413 "))
            let chunked =
                "POST /sockjs/0/s/xhr HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n"
            let second = try await RawClient(server).talk([("", Array(chunked.utf8))])
            #expect(second.hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test("A handler gets the requests of all methods to its path and those below, unless a longer path has one")
    func prefixes() async throws {
        try await Self.serve { routes, _ in
            routes.http(prefix: "/a") { SignalingResponse(200, text: "a: \($0.method) \($0.path)") }
            routes.http(prefix: "/a/b/") { SignalingResponse(200, text: "b: \($0.method) \($0.path)") }
            routes.http("/a/exact") { _ in SignalingResponse(200, text: "exact") }
        } _: { server in
            for (method, path, answer) in [
                ("GET", "/a", "a: GET /a"), ("PATCH", "/a/x", "a: PATCH /a/x"), ("DELETE", "/a/b", "b: DELETE /a/b"),
                ("OPTIONS", "/a/b/c", "b: OPTIONS /a/b/c"), ("GET", "/a/exact", "exact"), ("GET", "/ab", " 404 "),
                ("GET", "/sockjs", "Welcome to SockJS!"),
            ] {
                let request = Array("\(method) \(path) HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
                let heard = try await RawClient(server).talk([("", request)], until: answer)
                #expect(heard.contains(answer), "\(method) \(path)")
            }
        }
    }

    @Test("A session ends when its handler returns, and its handler when it ends")
    func lifetime() async throws {
        let (ends, continuation) = AsyncStream.makeStream(of: Void.self)
        try await Self.serve { routes, _ in
            routes.webSocket("/once") { session in
                for await message in session.messages {
                    session.send(message)
                    break
                }
            }
            routes.webSocket("/until-gone") { session in
                for await _ in session.messages {}
                continuation.yield()
            }
        } _: { server in
            let upgrade = Self.get("/once", Self.upgrade)
            let heard = try await RawClient(server).talk([
                ("", upgrade), ("\r\n\r\n", Self.frame(0x81, "once")), ("once", Self.frame(0x88, "")),
            ])
            #expect(heard.contains("once"))
            _ = try await RawClient(server).talk([("", Self.get("/until-gone", Self.upgrade))], until: "\r\n\r\n")
            for await _ in ends { break }
        }
    }

    @Test("Shutting down closes sessions with 1001 and lets the handlers return")
    func shutdown() async throws {
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        try await Self.serve { routes, configuration in
            // The client does not answer.
            configuration.drainTimeout = .milliseconds(200)
            routes.webSocket("/down") { session in
                continuation.yield()
                for await _ in session.messages {}
                continuation.finish()
            }
        } _: { server in
            let client = try await RawClient(server)
            async let heard = client.talk([("", Self.get("/down", Self.upgrade))])
            var isFirst = true
            for await _ in begun where isFirst {
                isFirst = false
                server.shutdown()
            }
            let last = try await heard
            #expect(last.contains("Going away"))
        }
    }

    @Test("Clients of STOMP meet in one broker, by TCP and by WebSocket, and the application sends to them")
    func stomp() async throws {
        let service = STOMPService { question in
            if case .connect(let login, _, _) = question.kind, login != "bob" { return .deny(reason: "who?") }
            return .allow(user: "bob")
        }
        try await Self.serve { routes, _ in
            routes.stomp(service, webSocket: "/stomp")
            routes.stompTCP(service, port: 0)
        } _: { server in
            let tcp = try await RawClient(#require(server.tcpAddresses.first))
            async let heard = tcp.talk([
                ("", Array("CONNECT\naccept-version:1.2\nlogin:bob\n\n\0".utf8)),
                ("CONNECTED", Array("SUBSCRIBE\nid:0\ndestination:/user/queue/a\n\n\0".utf8)),
                ("CONNECTED", Array("SEND\ndestination:/app/ready\n\n\0".utf8)),
                ("from the application", Array("DISCONNECT\n\n\0".utf8)),
            ])
            for await sent in service.messages {
                service.send(
                    to: sent.connection,
                    destination: "/queue/a",
                    body: ByteBuffer(string: "from the application")
                )
                break
            }
            let all = try await heard
            #expect(all.contains("user-name:bob") && all.contains("from the application"))
            let upgrade = Self.upgrade + "Sec-WebSocket-Protocol: v11.stomp, v12.stomp\r\n"
            let stranger = try await RawClient(server).talk(
                [
                    ("", Self.get("/stomp", upgrade)),
                    ("v11.stomp\r\n\r\n", Self.frame(0x81, "CONNECT\nlogin:eve\n\n\0")),
                ],
                until: "who?"
            )
            #expect(stranger.contains("ERROR"))
        }
    }
}
