import Foundation
import NIOCore
import NIOHTTP2
import RTCSignaling
import RTCSignalingServer
import RTCTestKit
import TestCertificates
import Testing

/// Clients that do not take what they asked for, or what they are sent.
@Suite(.timeLimit(.minutes(2))) struct SlowClientTests {
    typealias Server = SignalingServerTests

    /// Larger than what sockets hold on the way.
    static let size = 64 << 20

    /// A folder with a large file that takes no room, for as long as it is there.
    final class Folder: Sendable {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("slow-\(UUID())").path

        init() throws {
            try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
            try self.write(size: SlowClientTests.size)
        }

        func write(size: Int) throws {
            _ = FileManager.default.createFile(atPath: self.path + "/large", contents: nil)
            let file = try #require(FileHandle(forWritingAtPath: self.path + "/large"))
            try file.truncate(atOffset: UInt64(size))
            try file.close()
        }

        deinit { try? FileManager.default.removeItem(atPath: self.path) }
    }

    /// Gives the most bytes that wait for clients while nothing is read, once that does not change any more.
    static func settledUnsentBytes(_ server: SignalingServer) async -> Int {
        var most = 0
        var last = -1
        var unchanged = 0
        while unchanged < 2000 {
            let now = await server.counters.unsentBytes
            most = max(most, now)
            unchanged = now == last && now > 0 ? unchanged + 1 : 0
            last = now
        }
        return most
    }

    @Test("Of a file that nobody takes, little is in memory; it comes as a whole once it is taken")
    func file() async throws {
        let folder = try Folder()
        try await Server.serve { routes, _ in
            routes.files("/", folder: folder.path, maximumFileSize: Self.size)
        } _: { server in
            let request = Server.get("/large", "Connection: close\r\n")
            _ = try await RawClient(server).talk([("", request)], until: "200 OK") {
                let unsent = await Self.settledUnsentBytes(server)
                #expect(unsent <= 128 << 10)
            }
            let whole = try await RawClient(server).count(request)
            #expect(whole > Self.size && whole < Self.size + 1000)
            try await eventually { await server.counters.unsentBytes == 0 }
        }
    }

    @Test("A file that changes while it is taken ends the connection, instead of being another in the middle")
    func changed() async throws {
        let folder = try Folder()
        try await Server.serve { routes, _ in
            routes.files("/", folder: folder.path, maximumFileSize: Self.size)
        } _: { server in
            let request = Server.get("/large")
            let came = try await RawClient(server).count(request) {
                _ = await Self.settledUnsentBytes(server)
                try? folder.write(size: Self.size - 1)
            }
            #expect(came < Self.size)
        }
    }

    @Test("Who takes nothing of a response is cut off after its time, and counted")
    func response() async throws {
        try await Server.serve { routes, configuration in
            // Longer than a busy machine takes for the first request.
            configuration.idleTimeout = .seconds(2)
            let body = ByteBuffer(repeating: 0, count: Self.size)
            routes.http("/large") { _ in SignalingResponse(200, body: body) }
        } _: { server in
            _ = try await RawClient(server).talk([("", Server.get("/large"))], until: "200 OK") {
                try await eventually { await server.counters.slowClients > 0 }
            }
            // Whoever just has nothing to ask for is not slow.
            let idle = try await RawClient(server).talk([("", Server.get("/none"))])
            #expect(idle.contains(" 404 "))
            #expect(await server.counters.slowClients == 1)
        }
    }

    @Test("Of many files on the streams of one connection, little is in memory, and each comes as a whole")
    func filesOverHTTP2() async throws {
        let folder = try Folder()
        let size = 4 << 20
        try folder.write(size: size)
        try await Server.serve { routes, configuration in
            configuration.tls = try? SignalingTLS(TestTLS.server())
            routes.files("/", folder: folder.path)
        } _: { server in
            let client = try await RawHTTP2Client(server)
            var streams: [RawHTTP2Client.Stream] = []
            for _ in 0..<20 { streams.append(try await client.get("/large")) }
            let unsent = await Self.settledUnsentBytes(server)
            #expect(unsent <= 20 * (128 << 10))
            for stream in streams { try await stream.read() }
            for stream in streams {
                let response = try await stream.response
                #expect(response.status == "200" && response.bytes == size && response.isWhole)
            }
            try await client.close()
            #expect(await server.counters.slowClients == 0)
        }
    }

    @Test("Responses beyond the limit of a connection of HTTP/2 end it, counted, and others go on")
    func responsesOverHTTP2() async throws {
        try await Server.serve { routes, configuration in
            configuration.tls = try? SignalingTLS(TestTLS.server())
            configuration.http2.maximumUnsentBytes = 512 << 10
            let body = ByteBuffer(repeating: 0, count: 1 << 20)
            routes.http("/large") { _ in SignalingResponse(200, body: body) }
        } _: { server in
            let other = try await RawHTTP2Client(server)
            let few = [try await other.get("/large"), try await other.get("/large")]
            let client = try await RawHTTP2Client(server)
            var streams: [RawHTTP2Client.Stream] = []
            for _ in 0..<20 {
                guard let stream = try? await client.get("/large") else { break }
                streams.append(stream)
            }
            try await client.closed()
            #expect(client.goAwayCode == .enhanceYourCalm)
            #expect(await server.counters.slowClients == 1)
            for stream in few { try await stream.read() }
            for stream in few {
                let response = try await stream.response
                #expect(response.bytes == 1 << 20 && response.isWhole)
            }
            try await other.close()
            try await eventually { await server.counters.unsentBytes == 0 }
        }
    }

    @Test("Whole responses that are larger together than the limit all arrive where they are taken")
    func largeResponsesOverHTTP2() async throws {
        let size = 9 << 20
        try await Server.serve { routes, configuration in
            configuration.tls = try? SignalingTLS(TestTLS.server())
            let body = ByteBuffer(repeating: 0, count: size)
            routes.http("/large") { _ in SignalingResponse(200, body: body) }
        } _: { server in
            let client = try await RawHTTP2Client(server)
            let streams = [try await client.get("/large"), try await client.get("/large")]
            // Both have begun before the first byte is taken.
            try await eventually { await server.counters.unsentBytes > 17 << 20 }
            for stream in streams { try await stream.read() }
            for stream in streams {
                let response = try await stream.response
                #expect(response.status == "200" && response.bytes == size && response.isWhole)
            }
            #expect(client.goAwayCode == nil)
            try await client.close()
            try await eventually { await server.counters.unsentBytes == 0 }
            #expect(await server.counters.slowClients == 0)
        }
    }

    @Test("Responses that nobody takes are kept up to a limit; those beyond are refused, and the others arrive")
    func heldResponsesOverHTTP2() async throws {
        let (size, limit) = (1 << 20, 4 << 20)
        try await Server.serve { routes, configuration in
            configuration.tls = try? SignalingTLS(TestTLS.server())
            configuration.http2.maximumHeldBytes = limit
            routes.http("/large") { _ in SignalingResponse(200, body: ByteBuffer(repeating: 0, count: size)) }
        } _: { server in
            let client = try await RawHTTP2Client(server)
            var streams: [RawHTTP2Client.Stream] = []
            for _ in 0..<20 { streams.append(try await client.get("/large")) }
            // Of each that is kept, 128 KiB at most are written.
            let unsent = await Self.settledUnsentBytes(server)
            #expect(unsent > limit / 2 && unsent <= limit + 20 * (128 << 10))
            for stream in streams { try await stream.read() }
            var kept = 0
            for stream in streams {
                let response = try await stream.response
                #expect(response.isWhole)
                if response.status == "200" {
                    kept += 1
                    #expect(response.bytes == size)
                } else {
                    #expect(response.status == "503" && response.bytes == 0)
                }
            }
            #expect((4...6).contains(kept))
            #expect(client.goAwayCode == nil)
            try await eventually { await server.counters.unsentBytes == 0 }
            let again = try await client.get("/large")
            try await again.read()
            #expect(try await again.response.status == "200")
            try await client.close()
            #expect(await server.counters.slowClients == 0)
        }
    }

    @Test("Who takes nothing of a response on a stream of HTTP/2 is cut off after its time, and counted")
    func responseOverHTTP2() async throws {
        try await Server.serve { routes, configuration in
            configuration.tls = try? SignalingTLS(TestTLS.server())
            // Longer than a busy machine takes for the first request.
            configuration.idleTimeout = .seconds(2)
            let body = ByteBuffer(repeating: 0, count: 20 << 20)
            routes.http("/large") { _ in SignalingResponse(200, body: body) }
        } _: { server in
            let client = try await RawHTTP2Client(server)
            _ = try await client.get("/large")
            try await client.closed()
            #expect(await server.counters.slowClients == 1)
            try await eventually { await server.counters.unsentBytes == 0 }
        }
    }

    @Test("A client that does not read its session is cut off and counted, by WebSocket and by streams of requests")
    func sessions() async throws {
        let captured = CapturedMetrics.shared
        let before = captured["signaling_slow_clients_total"] ?? 0
        let (sessions, continuation) = AsyncStream.makeStream(of: SignalingSession.self)
        try await Server.serve { routes, _ in
            let flood: SignalingRoutes.SessionHandler = { session in
                continuation.yield(session)
                for await _ in session.messages {}
            }
            var sockJS = SockJSConfiguration()
            sockJS.responseLimit = .max
            routes.webSocket("/flood", handler: flood)
            routes.sockJS("/flood-sockjs", configuration: sockJS, handler: flood)
            routes.polling("/flood-polling", handler: flood)
        } _: { server in
            let stream = Array(
                "POST /flood-sockjs/0/s/xhr_streaming HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".utf8
            )
            let open = Array("POST /flood-polling HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".utf8)
            var next = sessions.makeAsyncIterator()
            let text = String(repeating: "x", count: 32 << 10)
            for (count, request, answer) in [
                (1, Server.get("/flood", Server.upgrade), " 101 "), (2, stream, " 200 "), (3, open, " 201 "),
            ] {
                _ = try await RawClient(server).talk([("", request)], until: answer) {
                    // As much as goes, but no more at once than the event loop takes.
                    guard let session = await next.next() else { return }
                    while !session.isEnded {
                        session.send(text)
                        _ = await server.counters
                    }
                    try await eventually { await server.counters.slowClients >= count }
                }
            }
            #expect(await server.counters.slowClients == 3)
            try await eventually { captured["signaling_slow_clients_total"] ?? 0 >= before + 3 }
        }
    }
}
