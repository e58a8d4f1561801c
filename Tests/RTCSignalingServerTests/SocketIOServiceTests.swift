import NIOCore
import RTCSignaling
import RTCSignalingServer
import Testing

@Suite(.timeLimit(.minutes(1))) struct SocketIOServiceTests {
    private static let handshake = SignalingServerTests.get(
        "/socket.io/?EIO=3&transport=websocket",
        SignalingServerTests.upgrade
    )

    private static func frame(_ text: String) -> [UInt8] { SignalingServerTests.frame(0x81, text) }

    private static func post(_ path: String, _ body: String) -> [UInt8] {
        let head = "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        return Array((head + body).utf8)
    }

    /// Runs a server with a service for the length of `body`.
    private static func serve(
        _ service: SocketIOService,
        _ body: (SignalingServer) async throws -> Void
    ) async throws {
        try await SignalingServerTests.serve({ routes, _ in routes.socketIO(service) }, body)
    }

    /// Begins a session over requests; gives its path.
    private static func open(_ server: SignalingServer) async throws -> String {
        let request = SignalingServerTests.get("/socket.io/?EIO=3&transport=polling")
        let heard = try await RawClient(server).talk([("", request)], until: "pingTimeout")
        let sid = heard.split(separator: "\"sid\":\"").last?.prefix { $0 != "\"" } ?? ""
        #expect(sid.utf8.count == 20)
        return "/socket.io/?EIO=3&transport=polling&sid=\(sid)"
    }

    @Test("Events and acknowledgements go through a WebSocket")
    func webSocket() async throws {
        let service = SocketIOService { socket in
            for await event in socket.events {
                socket.emit(event.name, event.arguments)
                event.acknowledge("done")
            }
        }
        try await Self.serve(service) { server in
            let heard = try await RawClient(server).talk(
                [("", Self.handshake), ("40", Self.frame(#"427["a",1]"#))],
                until: #"437["done"]"#
            )
            #expect(heard.contains(#"42["a",1]"#))
        }
    }

    @Test("Events wait for polls, and polls for events")
    func polling() async throws {
        let (names, continuation) = AsyncStream.makeStream(of: String.self)
        let service = SocketIOService { socket in
            for await event in socket.events {
                continuation.yield(event.name)
                socket.emit(event.name, event.arguments)
            }
        }
        try await Self.serve(service) { server in
            let path = try await Self.open(server)
            let first = try await RawClient(server).talk([("", SignalingServerTests.get(path))], until: "2:40")
            #expect(first.contains("text/plain"))
            async let poll = RawClient(server).talk([("", SignalingServerTests.get(path))], until: #"["a"]"#)
            let posted = try await RawClient(server).talk([("", Self.post(path, #"7:42["a"]"#))], until: "ok")
            #expect(posted.contains(" 200 "))
            #expect(try await poll.contains(#"7:42["a"]"#))
            for await name in names {
                #expect(name == "a")
                break
            }
        }
    }

    @Test("A poll that is broken off ends the session")
    func brokenPoll() async throws {
        let (ends, continuation) = AsyncStream.makeStream(of: Void.self)
        let service = SocketIOService { socket in
            for await _ in socket.events {}
            continuation.yield()
        }
        try await Self.serve(service) { server in
            let path = try await Self.open(server)
            // Two in one piece: the second waits when the first is answered, and then the connection is closed.
            let get = SignalingServerTests.get(path)
            _ = try await RawClient(server).talk([("", get + get)], until: "2:40")
            for await _ in ends { break }
        }
    }

    @Test("A client over requests that sends more than is read is cut off")
    func unread() async throws {
        let (never, continuation) = AsyncStream.makeStream(of: Void.self)
        defer { continuation.finish() }
        let service = SocketIOService { socket in
            for await _ in never {}
            socket.disconnect()
        }
        try await Self.serve(service) { server in
            let path = try await Self.open(server)
            let body = String(repeating: #"7:42["a"]"#, count: 400)
            _ = try await RawClient(server).talk([("", Self.post(path, body))], until: "ok")
            let heard = try await RawClient(server).talk([("", SignalingServerTests.get(path))], until: "1:1")
            #expect(heard.hasSuffix("1:1"))
            continuation.finish()
        }
    }

    @Test("Who is not admitted to a namespace is told so, and others are not")
    func admission() async throws {
        let service = SocketIOService { socket in for await _ in socket.events {} }
        service.namespace("/members") {
            $0.query == "token=1" ? nil : ["reason": "unknown"]
        } handler: { socket in
            socket.emit("welcome", .string(socket.id))
            for await _ in socket.events {}
        }
        try await Self.serve(service) { server in
            let heard = try await RawClient(server).talk(
                [
                    ("", Self.handshake), ("40", Self.frame("40/members")),
                    ("unknown", Self.frame("40/members?token=1,")),
                ],
                until: "welcome"
            )
            #expect(heard.contains(#"44/members,{"reason":"unknown"}"#))
            #expect(heard.contains(#"42/members,["welcome","/members#"#))
        }
    }

    @Test("Who waits for an acknowledgement hears that the client is gone")
    func lostAcknowledgement() async throws {
        let (errors, continuation) = AsyncStream.makeStream(of: SocketIOError?.self)
        let service = SocketIOService { socket in
            do throws(SocketIOError) {
                _ = try await socket.emitWithAck("question")
                continuation.yield(nil)
            } catch {
                continuation.yield(error)
            }
        }
        try await Self.serve(service) { server in
            _ = try await RawClient(server).talk([("", Self.handshake)], until: "question")
            for await error in errors {
                #expect(error == .disconnected)
                break
            }
        }
    }

    @Test("A client for browsers is served beside the sessions")
    func script() async throws {
        try await Self.serve(SocketIOService { _ in }) { server in
            let request = SignalingServerTests.get("/socket.io/socket.io.js")
            let heard = try await RawClient(server).talk([("", request)], until: "globalThis.io = io")
            #expect(heard.contains("text/javascript"))
        }
    }

    @Test("Two meet in a room of the codelab, and what one says the other hears")
    func codelab() async throws {
        let rooms = CodelabRooms()
        try await Self.serve(SocketIOService { await rooms.serve($0) }) { server in
            let enter = Self.frame(#"42["create or join","r"]"#)
            let hello = Self.frame(#"42["message","hello"]"#)
            async let first = RawClient(server).talk(
                [("", Self.handshake), ("40", enter)],
                until: #"["message","hello"]"#
            )
            var second = ""
            // Whoever comes to an empty room goes, and comes again.
            repeat {
                second = try await RawClient(server).talk(
                    [("", Self.handshake), ("40", enter + hello)],
                    until: #","r""#
                )
            } while !second.contains(#"["joined","r","#)
            let heard = try await first
            #expect(heard.contains(#"["join","r"]"#) && heard.contains(#"["ready","r"]"#))
        }
    }

    @Test("Who asks a room of the codelab for the server's addresses is told each, and nobody else is")
    func addresses() async throws {
        for addresses in [["192.0.2.1", "198.51.100.7"], []] {
            let rooms = CodelabRooms(addresses: addresses)
            try await Self.serve(SocketIOService { await rooms.serve($0) }) { server in
                // What comes for the second comes behind what came for the first.
                let ask = Self.frame(#"42["ipaddr"]"#) + Self.frame(#"42["create or join","r"]"#)
                let heard = try await RawClient(server).talk(
                    [("", Self.handshake), ("40", ask)],
                    until: #"["created","r","#
                )
                let parts = heard.split(separator: #"["ipaddr""#, omittingEmptySubsequences: false)
                #expect(parts.count - 1 == addresses.count)
                for address in addresses { #expect(heard.contains(#"42["ipaddr","\#(address)"]"#)) }
                let silent = try await RawClient(server).talk(
                    [("", Self.handshake), ("40", Self.frame(#"42["create or join","s"]"#))],
                    until: #"["created","s","#
                )
                #expect(!silent.contains("ipaddr"))
            }
        }
    }
}
