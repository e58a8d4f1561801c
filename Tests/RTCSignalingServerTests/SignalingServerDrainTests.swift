import NIOCore
import RTCSignaling
import RTCSignalingServer
import RTCTestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct SignalingServerDrainTests {
    typealias Server = SignalingServerTests

    @Test("Nothing that a server served is kept when it has stopped and is let go of")
    func released() async throws {
        final class Application: Sendable {}
        weak var kept: Application?
        do {
            let application = Application()
            kept = application
            try await Server.serve { routes, _ in
                routes.http("/held") { _ in
                    withExtendedLifetime(application) { SignalingResponse(200, text: "served") }
                }
            } _: { server in
                let heard = try await RawClient(server).talk([("", Server.get("/held", "Connection: close\r\n"))])
                #expect(heard.contains("served"))
            }
        }
        try await eventually { kept == nil }
    }

    @Test("Whoever is connected is told when the server stops: WebSocket, SockJS, STOMP, and a request under way")
    func told() async throws {
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        let (stops, stopped) = AsyncStream.makeStream(of: Void.self)
        let service = STOMPService()
        try await Server.serve { routes, _ in
            routes.http("/slow") { _ in
                continuation.yield()
                for await _ in stops {}
                return SignalingResponse(200, text: "the answer")
            }
            routes.sockJS("/drained") { session in
                continuation.yield()
                for await _ in session.messages {}
            }
            routes.webSocket("/drained-ws") { session in
                continuation.yield()
                for await _ in session.messages {}
            }
            routes.stompTCP(service, port: 0)
        } _: { server in
            let clients = [try await RawClient(server), try await RawClient(server), try await RawClient(server)]
            let tcp = try await RawClient(#require(server.tcpAddresses.first))
            let post = Array("POST /drained/0/s/xhr_streaming HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".utf8)
            async let slow = clients[0].talk([("", Server.get("/slow"))])
            async let sockJS = clients[1].talk([("", post)])
            // Its answer to the close ends the connection.
            async let webSocket = clients[2].talk([
                ("", Server.get("/drained-ws", Server.upgrade)), ("Going away", Server.frame(0x88, "\u{3}\u{69}")),
            ])
            async let stomp = tcp.talk([
                ("", Array("CONNECT\naccept-version:1.2\n\n\0".utf8)),
                ("CONNECTED", Array("SEND\ndestination:/app/ready\n\n\0".utf8)),
            ])
            for await _ in service.messages { break }
            var count = 0
            for await _ in begun {
                count += 1
                if count == 3 { break }
            }
            server.shutdown()
            let heard = try await (sockJS: sockJS, webSocket: webSocket, stomp: stomp)
            #expect(heard.sockJS.contains("c[1001,\"Going away\"]"))
            #expect(heard.webSocket.contains("Going away"))
            #expect(heard.stomp.contains("ERROR\nmessage:the server stops"))
            stopped.finish()
            let answer = try await slow
            #expect(answer.contains("the answer") && answer.lowercased().contains("connection: close"))
        }
    }

    @Test("Who does not take leave is cut off, and a handler that does not return is cancelled, when the time is over")
    func cutOff() async throws {
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        var client: RawClient?
        try await Server.serve { routes, configuration in
            configuration.drainTimeout = .milliseconds(100)
            routes.webSocket("/stubborn") { _ in
                continuation.yield()
                let (never, end) = AsyncStream.makeStream(of: Void.self)
                for await _ in never {}
                end.finish()
            }
        } _: { server in
            let stubborn = try await RawClient(server)
            client = stubborn
            async let heard = stubborn.talk([("", Server.get("/stubborn", Server.upgrade))])
            for await _ in begun { break }
            server.shutdown()
            let all = try await heard
            #expect(all.contains("Going away"))
        }
        #expect(client != nil)
    }

    @Test("With nobody there the end is at once")
    func nobody() async throws {
        let clock = ContinuousClock()
        let begin = clock.now
        try await Server.serve({ $1.drainTimeout = .minutes(10) }, { $0.shutdown() })
        #expect(clock.now - begin < .seconds(30))
    }
}
