import NIOCore
import RTCSignaling
import RTCSignalingServer
import RTCTestKit
import Synchronization
import TestCertificates
import Testing

@Suite(.timeLimit(.minutes(1))) struct SignalingServerLimitsTests {
    typealias Server = SignalingServerTests

    @Test("A path and a header that are too long are refused, whether they come at once or drop by drop")
    func head() async throws {
        try await Server.serve {
            $1.maximumTargetSize = 100
            $1.maximumHeadSize = 1000
        } _: { server in
            let path = try await RawClient(server).talk([("", Server.get("/" + String(repeating: "a", count: 100)))])
            #expect(path.hasPrefix("HTTP/1.1 414 "))
            let header = "X: " + String(repeating: "a", count: 1000) + "\r\n"
            let large = try await RawClient(server).talk([("", Server.get("/none", header))])
            #expect(large.hasPrefix("HTTP/1.1 431 "))
            let endless = Array("GET / HTTP/1.1\r\nHost: x\r\n".utf8) + Array(repeating: UInt8(ascii: "a"), count: 1001)
            let drops = try await RawClient(server).talk([("", endless)])
            #expect(drops.hasPrefix("HTTP/1.1 431 "))
            let counters = await server.counters
            #expect(counters.refusals == ["target": 1, "head": 2])
        }
    }

    @Test("A head and a body that do not come in time end the connection, the first and a later one")
    func slow() async throws {
        try await Server.serve {
            // Longer than a busy machine takes for what comes in time.
            $1.headTimeout = .seconds(3)
            $1.bodyTimeout = .milliseconds(100)
        } _: { server in
            let begin = Array("GET / HTTP/1.1\r\nHost:".utf8)
            async let silent = RawClient(server).talk([("", [])])
            async let first = RawClient(server).talk([("", begin)])
            async let later = RawClient(server).talk([("", Server.get("/none")), ("path.", begin)])
            #expect(try await silent.isEmpty)
            #expect(try await first.isEmpty)
            #expect(try await later.hasPrefix("HTTP/1.1 404 "))
            let body = Array("POST /sockjs/0/s/xhr HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc".utf8)
            let unfinished = try await RawClient(server).talk([("", body)])
            #expect(unfinished.isEmpty)
            let counters = await server.counters
            #expect(counters.refusals == ["head_timeout": 3, "body_timeout": 1, "not_found": 1])
        }
    }

    @Test("A body over HTTP/2 has its time from when there is room for it")
    func waitingBody() async throws {
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        try await Server.serve { routes, configuration in
            configuration.tls = try? SignalingTLS(TestTLS.server())
            configuration.bodyTimeout = .milliseconds(300)
            configuration.http2.maximumRequestBytes = 5
            routes.http("/held") { _ in
                for await _ in gate {}
                return SignalingResponse(200)
            }
            routes.http("/open") { _ in SignalingResponse(200) }
        } _: { server in
            let client = try await RawHTTP2Client(server)
            let first = try await client.post("/held", "12345", length: 5)
            let second = try await client.post("/open", "12345", length: 5)
            let third = try await client.post("/open", "123", length: 5)
            let last = try await client.get("/open")
            try await last.read()
            #expect(try await last.response.status == "200")
            // The time of one that began later, elsewhere, is over.
            let other = try await RawHTTP2Client(server)
            let slow = try await other.post("/open", "123", length: 5)
            try await slow.read()
            #expect(try await slow.response.status == "408")
            #expect(await server.counters.refusals == ["body_timeout": 1])
            opener.finish()
            for (stream, status) in [(first, "200"), (second, "200"), (third, "408")] {
                try await stream.read()
                #expect(try await stream.response.status == status)
            }
            try await client.close()
            try await other.close()
        }
    }

    @Test("A connection without requests ends after its time")
    func idle() async throws {
        try await Server.serve {
            // Longer than a busy machine takes for the first request.
            $1.idleTimeout = .seconds(2)
        } _: { server in
            let heard = try await RawClient(server).talk([("", Server.get("/none"))])
            #expect(heard.hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test("More connections than allowed are closed, in all and from one address", arguments: [true, false])
    func connections(perAddress: Bool) async throws {
        try await Server.serve {
            if perAddress { $1.maximumConnectionsPerAddress = 2 } else { $1.maximumConnections = 2 }
        } _: { server in
            let upgrade = Server.get("/ws", Server.upgrade)
            // Two that stay as long as the third is refused.
            let (waits, waiting) = AsyncStream.makeStream(of: Void.self)
            let clients = [try await RawClient(server), try await RawClient(server)]
            try await withThrowingDiscardingTaskGroup { group in
                for client in clients {
                    group.addTask {
                        _ = try await client.talk([("", upgrade)], until: "\r\n\r\n") {
                            waiting.yield()
                            try await Self.refusal(server)
                        }
                    }
                }
                var open = 0
                for await _ in waits {
                    open += 1
                    if open == 2 { break }
                }
                let third = try await RawClient(server).talk([])
                #expect(third.isEmpty)
            }
            let counters = await server.counters
            #expect(counters.refusals == [perAddress ? "address" : "connections": 1])
            // There is room again once they are gone.
            try await eventually { await server.counters.connections <= 1 }
            let heard = try await RawClient(server).talk([("", upgrade)], until: "\r\n\r\n")
            #expect(heard.contains(" 101 "))
        }
    }

    /// Waits until the server has refused something.
    static func refusal(_ server: SignalingServer) async throws {
        try await eventually { await !server.counters.refusals.isEmpty }
    }

    @Test("Requests that are sent ahead are answered in their order, however many")
    func pipelining() async throws {
        try await Server.serve { server in
            let requests = (0..<2000).flatMap { _ in Server.get("/none") } + Server.get("/sockjs")
            let heard = try await RawClient(server).talk([("", requests)], until: "Welcome to SockJS!")
            #expect(heard.components(separatedBy: "HTTP/1.1 404").count == 2001)
        }
    }

    @Test("Requests that were sent ahead of a late answer are answered after it, however many")
    func pipeliningBehindLateAnswer() async throws {
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        try await Server.serve { routes, _ in
            routes.http("/late") { _ in
                continuation.yield()
                for await _ in gate {}
                return SignalingResponse(200, text: "late")
            }
        } _: { server in
            let requests =
                Server.get("/late") + (0..<4000).flatMap { _ in Array("GET /n HTTP/1.1\r\n\r\n".utf8) }
                + Server.get("/n", "Connection: close\r\n")
            async let heard = RawClient(server).talk([("", requests)])
            for await _ in begun { break }
            opener.finish()
            let all = try await heard
            #expect(all.hasPrefix("HTTP/1.1 200"))
            #expect(all.components(separatedBy: "HTTP/1.1 404").count == 4002)
        }
    }

    @Test("A client that sends requests ahead and reads no answers is not answered for ever")
    func pipeliningUnread() async throws {
        let count = Atomic(0)
        try await Server.serve { routes, _ in
            let body = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 20)
            routes.http("/large") { _ in
                count.add(1, ordering: .relaxed)
                return SignalingResponse(200, body: body)
            }
        } _: { server in
            let requests = (0..<300).flatMap { _ in Server.get("/large") }
            _ = try await RawClient(server).talk([("", requests)], until: "200 OK") {
                // Time enough for all of them.
                for _ in 0..<5000 { _ = await server.counters }
                #expect(count.load(ordering: .relaxed) < 100)
            }
            // One that reads gets them all.
            let few = (0..<5).flatMap { _ in Server.get("/large") } + Server.get("/n", "Connection: close\r\n")
            let heard = try await RawClient(server).talk([("", few)])
            #expect(heard.utf8.count(where: { $0 == UInt8(ascii: "x") }) >= 5 << 20)
            #expect(heard.contains("HTTP/1.1 404"))
        }
    }

    @Test("What goes through sessions is counted, and who is open")
    func counters() async throws {
        try await Server.serve { server in
            let heard = try await RawClient(server).talk(
                [("", Server.get("/ws", Server.upgrade)), ("\r\n\r\n", Server.frame(0x81, "hello"))],
                until: "hello"
            )
            #expect(heard.contains("hello"))
            try await eventually { await server.counters.openSessions[.webSocket] == 0 }
            let counters = await server.counters
            #expect(counters.sessions == [.webSocket: 1])
            #expect((counters.messagesIn, counters.bytesIn) == (1, 5))
            #expect((counters.messagesOut, counters.bytesOut) == (1, 5))
            #expect(counters.slowClients == 0 && counters.unsentBytes == 0)
        }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        self.split(separator: separator, omittingEmptySubsequences: false)
    }
}
