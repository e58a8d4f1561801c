import NIOCore
import RTCBase
import Testing

@testable import RTCSignaling

/// What a client makes of what servers say that is wrong, early, late or for nobody.
@Suite struct SocketIOClientAnswersTests {
    @Test("What means nothing is counted, and what breaks the protocol or a limit ends the session")
    func broken() throws {
        let harmless = [#"42/none,["a"]"#, "437[]", "41/none"]
        var bench = SocketIOClientBench(client: { $0.transport = .webSocket })
        _ = try bench.open()
        for text in harmless {
            bench.client.receive(.webSocketMessage(.text(text)), from: 1, now: bench.now)
        }
        bench.drain()
        #expect(bench.client.ignoredPackets == 3 && bench.client.isConnected)
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        let wrong = [
            "", "9", "x", "42", #"42{"a":1}"#, "42[1]", #"42["a""#, "43[]", "451-[]x", #"4565-["a"]"#,
            #"42["a",\#(deep)]"#,
            "0{}", "4" + String(repeating: "x", count: 1 << 20 + 1),
        ]
        for text in wrong {
            var bench = SocketIOClientBench(client: { $0.transport = .webSocket })
            _ = try bench.open()
            bench.client.receive(.webSocketMessage(.text(text)), from: 1, now: bench.now)
            bench.drain()
            guard case .interrupted(.channel(.protocolViolation), _)? = bench.heard.last else {
                Issue.record("\(text.prefix(20)): \(bench.heard)")
                continue
            }
        }
    }

    @Test("What a server says before it gives a namespace is heard behind that, and is bounded")
    func early() throws {
        for count in [3, 100] {
            var bench = SocketIOClientBench(
                server: { $0.guardedNamespaces = ["/"] },
                client: { $0.transport = .webSocket }
            )
            bench.isCut = true
            _ = try bench.open()
            let reports = [EngineIOClientSessionTests.handshake] + (0..<count).map { "42[\"early\",\($0)]" } + ["40"]
            for text in reports {
                bench.client.receive(.webSocketMessage(.text(text)), from: 1, now: bench.now)
                bench.drain()
            }
            let events = bench.heard.compactMap {
                if case .event(let event) = $0 { event.arguments[0].integer } else { nil }
            }
            if count == 3 {
                #expect(bench.heard.first == .connected && events == [0, 1, 2])
            } else {
                guard case .over(.channel(.protocolViolation)?, _)? = bench.heard.first else {
                    Issue.record("\(bench.heard)")
                    continue
                }
            }
        }
    }

    @Test("A server that gives a namespace with a name for the socket speaks a later protocol")
    func otherProtocol() throws {
        var bench = SocketIOClientBench(client: { $0.transport = .webSocket })
        bench.isCut = true
        _ = try bench.open()
        for text in [EngineIOClientSessionTests.handshake, #"40{"sid":"a"}"#] {
            bench.client.receive(.webSocketMessage(.text(text)), from: 1, now: bench.now)
            bench.drain()
        }
        guard case .over(.unsupportedProtocol?, _)? = bench.states.last else {
            Issue.record("\(bench.states)")
            return
        }
    }

    @Test("What comes in one response behind what breaks the protocol is not heard, and what came before is")
    func behindFailure() throws {
        for wrong in ["4x", "45", "9", "1"] {
            var bench = SocketIOClientBench(client: { $0.transport = .polling })
            _ = try bench.open()
            bench.isCut = true
            let packets = [#"42["before"]"#, wrong, "4x", #"42["behind"]"#]
            let payload = packets.map { "\($0.utf16.count):\($0)" }.joined()
            let response = EngineIOClientSession.Response(
                status: 200,
                isBinary: false,
                body: ByteBuffer(string: payload)
            )
            bench.client.receive(.response(.get, response), from: 1, now: bench.now)
            bench.drain()
            let names = bench.heard.compactMap { if case .event(let event) = $0 { event.name } else { nil } }
            // A payload of which one packet is none is none.
            #expect(names == (wrong == "9" ? [] : ["before"]), "\(wrong)")
        }
        var reader = SocketIOPacketReader(limits: SocketIOConfiguration())
        #expect(reader.receive(.text(#"51-["a",{"_placeholder":true,"num":0}]"#)) == .needsMore)
        #expect(reader.receive(.text(#"2["b"]"#)) == .failure)
        #expect(reader.receive(.binary(ByteBuffer(bytes: [1]))) == .failure)
    }

    /// A client with two namespaces over a WebSocket whose server the test plays.
    private func rejoining(
        _ namespace: String
    ) throws -> (bench: SocketIOClientBench, again: SocketIOClientBench.Session.SocketID) {
        var bench = SocketIOClientBench(client: { $0.transport = .webSocket })
        bench.isCut = true
        let socket = try bench.open(namespace)
        _ = try bench.open(namespace == "/" ? "/chat" : "/")
        bench.hear(EngineIOClientSessionTests.handshake, "40", "40/chat")
        bench.client.disconnect(socket, now: bench.now)
        bench.drain()
        let again = try bench.client.openSocket(namespace, query: "", now: bench.now)
        bench.drain()
        bench.heard = []
        return (bench, again)
    }

    @Test(
        "Silence and the first event are answers for `/` that was left, and it can be left again",
        arguments: [true, false]
    )
    func rootAgain(isSilent: Bool) throws {
        var (bench, again) = try self.rejoining("/")
        bench.hear("41")
        #expect(bench.heard.isEmpty)
        if isSilent {
            bench.pass(.milliseconds(999))
            #expect(bench.heard.isEmpty)
            bench.pass(.milliseconds(1))
            #expect(bench.heard == [.connected])
        } else {
            bench.hear(#"42["a"]"#)
            #expect(bench.heard.count == 2 && bench.heard.first == .connected)
        }
        let sent = bench.lost.count
        bench.client.disconnect(again, now: bench.now)
        bench.drain()
        #expect(Array(bench.lost.dropFirst(sent)) == [.text("41")])
    }

    @Test("A refusal of `/` that was left is one")
    func rootRefused() throws {
        var (bench, _) = try self.rejoining("/")
        bench.hear(#"44"no""#)
        #expect(bench.heard == [.over(.namespaceRefused("no"), unsent: 0)])
    }

    @Test("What comes for a namespace that was left is not for the one that is asked for again")
    func membership() throws {
        var (bench, _) = try self.rejoining("/chat")
        bench.hear(#"42/chat,["before"]"#, "41/chat")
        #expect(bench.heard.isEmpty && bench.client.ignoredPackets == 2)
        bench.hear("40/chat", #"42/chat,["behind"]"#, "41/chat")
        #expect(bench.heard.count == 3 && bench.heard.first == .connected)
        #expect(bench.heard.last == .over(.disconnected, unsent: 0))
    }

    @Test("Any bytes and any order of reports neither trap nor loop", arguments: [UInt64.random(in: 0...UInt64.max)])
    func noise(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let pieces = Array("0123456b{}[]\",:-_/?num\"placeholder\"true sid pingInterval 1e9".utf8)
        let transports = SocketIOClientConfiguration.Transport.allCases
        for _ in 0..<300 {
            var bench = SocketIOClientBench(
                seed: seed,
                client: { $0.transport = transports.randomElement(using: &random) ?? .polling }
            )
            let socket = try bench.open()
            for _ in 0..<20 {
                let bytes = (0..<Int.random(in: 0..<30, using: &random)).compactMap { _ in
                    pieces.randomElement(using: &random)
                }
                let text = String(decoding: bytes, as: UTF8.self)
                let response = EngineIOClientSession.Response(
                    status: Bool.random(using: &random) ? 200 : 400,
                    isBinary: Bool.random(using: &random),
                    body: ByteBuffer(bytes: bytes)
                )
                let reports: [EngineIOClientSession.Report] = [
                    .webSocketMessage(.text("4" + text)), .webSocketMessage(.text(text)), .webSocketOpened,
                    .webSocketMessage(.binary(ByteBuffer(bytes: bytes))), .response(.get, response),
                    .response(.post, response), .failed(.post, .cancelled), .webSocketEnded(nil), .transmitted(100_000),
                ]
                let report = try #require(reports.randomElement(using: &random))
                bench.client.receive(report, from: bench.client.number, now: bench.now)
                bench.drain()
                try? bench.emit("a", to: socket)
                bench.pass(.milliseconds(Int64.random(in: 0..<5000, using: &random)))
            }
        }
    }
}
