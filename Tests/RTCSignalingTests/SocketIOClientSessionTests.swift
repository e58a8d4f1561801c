import NIOCore
import RTCBase
import Testing

@testable import RTCSignaling

@Suite struct SocketIOClientSessionTests {
    typealias Transport = SocketIOClientConfiguration.Transport

    @Test("Events, bytes and acknowledgements come through by every transport, in order", arguments: Transport.allCases)
    func exchange(transport: Transport) throws {
        var bench = SocketIOClientBench(client: { $0.transport = transport })
        let socket = try bench.open()
        #expect(bench.heard == [.connected])
        #expect(bench.client.engine?.usesWebSocket == (transport != .polling))
        let bytes = ByteBuffer(bytes: [0, 255])
        for number in 0..<100 { try bench.emit("count", .number(Double(number)), "\u{1F600}é", to: socket) }
        try bench.emit("bytes", .binary(bytes), ["more": .binary(bytes)], to: socket)
        #expect(bench.served.prefix(100).map { $0.event.arguments[0].integer } == (0..<100).map { $0 })
        #expect(bench.served.last?.event.arguments == [.binary(bytes), ["more": .binary(bytes)]])
        let number = try bench.ask("question", to: socket)
        #expect(bench.answers[number] == .success(["got", "question"]))
        let there = try #require(bench.sockets.first)
        bench.broker.emit(
            "news",
            [.binary(bytes), 1],
            to: there,
            acknowledgedBy: bench.now + .seconds(1),
            now: bench.now
        )
        bench.drain()
        guard case .event(let event)? = bench.heard.last else {
            Issue.record("no event")
            return
        }
        #expect(event.name == "news" && event.arguments == [.binary(bytes), 1])
        try bench.client.acknowledge(event, ["heard"], to: socket, now: bench.now)
        bench.drain()
        bench.close()
        #expect(bench.states.last == .over(nil, unconfirmed: 0))
        #expect(bench.broker.socketCount == 0 && bench.client.nextTimeout == nil)
    }

    @Test("Nothing is asked for twice, and signs of life keep a quiet session for hours", arguments: Transport.allCases)
    func quiet(transport: Transport) throws {
        var bench = SocketIOClientBench(client: { $0.transport = transport })
        _ = try bench.open()
        bench.pass(.hours(2))
        #expect(bench.heard == [.connected] && bench.broker.socketCount == 1)
        // A ping is a request, and its answer the end of another.
        #expect(bench.actions.count < 2 * 60 * 60 / 25 * 3)
    }

    @Test("A WebSocket that does not come through leaves the session with requests")
    func failedUpgrade() throws {
        var bench = SocketIOClientBench()
        bench.passesWebSockets = false
        let socket = try bench.open()
        bench.pass(.seconds(60))
        try bench.emit("still", to: socket)
        #expect(bench.served.count == 1 && bench.heard == [.connected])
        #expect(bench.states == [.connected(usesWebSocket: false)])
    }

    @Test("Namespaces come and go in one session, and refusals say why")
    func namespaces() throws {
        var bench = SocketIOClientBench(server: {
            $0.guardedNamespaces = ["/closed"]
            $0.namespaces.insert("/closed")
        })
        _ = try bench.open()
        let chat = try bench.open("/chat", query: "token=1")
        #expect(bench.sockets.map(\.namespace) == ["/", "/chat"])
        #expect(throws: SocketIOClientError.self) { try bench.client.openSocket("/chat", query: "", now: bench.now) }
        _ = try bench.open("/closed")
        #expect(bench.heard.last == .over(.namespaceRefused("not you"), unsent: 0))
        _ = try bench.open("/unknown")
        #expect(bench.heard.last == .over(.namespaceRefused("Invalid namespace"), unsent: 0))
        try bench.emit("a", to: chat)
        #expect(bench.served.last?.socket.namespace == "/chat")
        bench.client.disconnect(chat, now: bench.now)
        bench.drain()
        #expect(bench.heard.last == .over(nil, unsent: 0) && bench.sockets.map(\.namespace) == ["/"])
        let again = try bench.open("/chat")
        try bench.emit("b", to: again)
        #expect(bench.served.last?.event.name == "b")
        for bad in ["chat", "/a,b", "/a?b", ""] {
            #expect(throws: SocketIOClientError.self) { try bench.client.openSocket(bad, query: "", now: bench.now) }
        }
    }

    @Test("The client is over with its last namespace, whoever took it")
    func lastNamespace() throws {
        var bench = SocketIOClientBench()
        let socket = try bench.open()
        let asked = try bench.ask("silence", to: socket)
        bench.broker.disconnect(try #require(bench.sockets.first), now: bench.now)
        bench.drain()
        #expect(bench.heard.last == .over(.disconnected, unsent: 0))
        #expect(bench.answers[asked] == .failure(.disconnected))
        guard case .over(nil, _)? = bench.states.last else {
            Issue.record("\(bench.states)")
            return
        }
        #expect(throws: SocketIOClientError.closed) { try bench.client.openSocket("/", query: "", now: bench.now) }
    }

    @Test(
        "A restarted server gets what waited, once and in order, and questions from before end",
        arguments: Transport.allCases
    )
    func restart(transport: Transport) throws {
        var bench = SocketIOClientBench(client: { $0.transport = transport })
        let socket = try bench.open()
        let chat = try bench.open("/chat")
        let asked = try bench.ask("silence", to: socket)
        let there = try #require(bench.sockets.first)
        bench.broker.emit("question", [], to: there, acknowledgedBy: bench.now + .seconds(60), now: bench.now)
        bench.drain()
        guard case .event(let question)? = bench.heard.last else {
            Issue.record("no question")
            return
        }
        bench.pass(.seconds(60))
        let lost = try bench.ask("silence", to: socket, within: .hours(1))
        bench.served = []
        bench.kill()
        #expect(bench.answers[asked] == .failure(.timedOut) && bench.answers[lost] == .failure(.interrupted))
        for number in 0..<3 {
            try bench.emit("kept", .number(Double(number)), to: number == 1 ? chat : socket)
        }
        let later = try bench.ask("later", to: chat)
        #expect(throws: SocketIOClientError.interrupted) {
            try bench.client.acknowledge(question, [], to: socket, now: bench.now)
        }
        bench.pass(.seconds(5))
        #expect(bench.served.isEmpty && bench.answers[later] == nil)
        bench.isServing = true
        bench.heard = []
        bench.pass(.seconds(15))
        #expect(bench.heard.filter { $0 == .connected }.count == 2)
        for (namespace, expected) in [("/", [0, 2]), ("/chat", [1, nil])] as [(String, [Int?])] {
            let served = bench.served.filter { $0.socket.namespace == namespace }
            #expect(served.map { $0.event.arguments.first?.integer } == expected)
        }
        #expect(bench.answers[later] == .success(["got", "later"]))
    }

    @Test("Delays between attempts grow by chance and begin anew after a session that held")
    func backOff() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var bench = SocketIOClientBench(seed: seed)
        _ = try bench.open()
        bench.pass(.seconds(60))
        bench.kill()
        bench.pass(.minutes(5))
        let delays = bench.states.compactMap { state -> Double? in
            guard case .waiting(_, _, let delay) = state else { return nil }
            return Double(delay.nanoseconds) / 1e9
        }
        for (index, delay) in delays.enumerated() {
            let due = min(0.25 * Double(1 << min(index, 20)), 15)
            #expect(delay >= due / 2 && delay <= due, "seed \(seed)")
        }
        #expect(delays.count > 20)
        bench.isServing = true
        bench.states = []
        bench.pass(.minutes(1))
        bench.kill()
        guard case .waiting(_, attempt: 1, _)? = bench.states.last else {
            Issue.record("\(bench.states), seed \(seed)")
            return
        }
    }

    @Test("What waits is bounded, and what is beyond is refused")
    func bounds() throws {
        var bench = SocketIOClientBench(client: {
            $0.maximumQueuedEvents = 3
            $0.maximumQueuedBytes = 1000
            $0.maximumAcknowledgements = 2
        })
        let socket = try bench.open()
        #expect(throws: SocketIOClientError.messageTooLarge(limit: 1000)) {
            try bench.client.emit("a", [.string(String(repeating: "x", count: 1000))], to: socket, now: bench.now)
        }
        bench.kill()
        for _ in 0..<3 { try bench.emit("a", to: socket) }
        #expect(throws: SocketIOClientError.queueFull) { try bench.client.emit("a", [], to: socket, now: bench.now) }
        bench.isServing = true
        bench.pass(.seconds(2))
        for _ in 0..<2 { _ = try bench.ask("silence", to: socket) }
        #expect(throws: SocketIOClientError.tooManyAcknowledgements) {
            try bench.client.emit("a", [], to: socket, acknowledgedBy: bench.now, now: bench.now)
        }
        bench.pass(.seconds(10))
        #expect(bench.answers.values.filter { $0 == .failure(.timedOut) }.count == 2)
        _ = try bench.ask("answered", to: socket)
    }

    @Test("What may not have arrived is counted: what no ping, request or acknowledgement confirmed")
    func unconfirmed() throws {
        var bench = SocketIOClientBench(client: { $0.transport = .webSocket })
        let socket = try bench.open()
        for _ in 0..<5 { try bench.emit("confirmed by a ping", to: socket) }
        bench.pass(.seconds(25))
        for _ in 0..<3 { try bench.emit("confirmed by an answer", to: socket) }
        _ = try bench.ask("question", to: socket)
        for _ in 0..<2 { try bench.emit("lost or not", to: socket) }
        bench.breakLinks()
        guard case .interrupted(_, unconfirmed: 2)? = bench.heard.last else {
            Issue.record("\(bench.heard)")
            return
        }
        for _ in 0..<4 { try bench.emit("waits", to: socket) }
        bench.close()
        #expect(bench.heard.last == .over(nil, unsent: 4))
        #expect(bench.states.last == .over(nil, unconfirmed: 4))
    }

    @Test("An event that waits is not sent when nobody waits for its acknowledgement any more")
    func forgotten() throws {
        var bench = SocketIOClientBench()
        let socket = try bench.open()
        bench.kill()
        let late = try bench.ask("late", to: socket, within: .seconds(1))
        let cancelled = try bench.ask("cancelled", to: socket)
        try bench.emit("kept", to: socket)
        bench.client.forget(cancelled, now: bench.now)
        bench.pass(.seconds(2))
        bench.isServing = true
        bench.pass(.seconds(20))
        #expect(bench.answers[late] == .failure(.timedOut) && bench.answers[cancelled] == .failure(.cancelled))
        #expect(bench.served.map(\.event.name) == ["kept"])
    }

    @Test("Who does not read is not sent more, and comes back only to read")
    func backPressure() throws {
        var bench = SocketIOClientBench(client: { $0.transport = .polling })
        _ = try bench.open()
        let there = try #require(bench.sockets.first)
        bench.client.setReading(false, now: bench.now)
        bench.drain()
        bench.broker.emit("one", [], to: there, now: bench.now)
        bench.drain()
        let heard = bench.heard.count
        bench.broker.emit("two", [], to: there, now: bench.now)
        bench.pass(.minutes(5))
        // The request that was under way brought one; signs of life go on.
        #expect(bench.heard.count == heard && bench.broker.socketCount == 1)
        bench.client.setReading(true, now: bench.now)
        bench.drain()
        #expect(bench.heard.count == heard + 1)
        bench.client.setReading(false, now: bench.now)
        bench.kill()
        bench.isServing = true
        bench.pass(.hours(1))
        #expect(bench.sockets.isEmpty)
        bench.client.setReading(true, now: bench.now)
        bench.drain()
        #expect(bench.sockets.count == 1)
    }

    @Test("A server that is not there at first is an error at once, and later one only when patience ends")
    func patience() throws {
        var bench = SocketIOClientBench(client: { $0.reconnectTimeout = .seconds(10) })
        bench.isServing = false
        _ = try bench.open()
        let broken = SocketIOClientError.channel(.connectionFailed(reason: "nobody there"))
        #expect(bench.heard == [.over(broken, unsent: 0)] && bench.states == [.over(broken, unconfirmed: 0)])

        bench = SocketIOClientBench(client: { $0.reconnectTimeout = .seconds(10) })
        let socket = try bench.open()
        bench.kill()
        try bench.emit("never", to: socket)
        bench.pass(.seconds(9))
        #expect(!bench.client.isOver)
        bench.pass(.seconds(20))
        #expect(bench.states.last == .over(broken, unconfirmed: 1))
        #expect(bench.heard.last == .over(broken, unsent: 1))

        bench = SocketIOClientBench(client: { $0.reconnectTimeout = .zero })
        _ = try bench.open()
        bench.kill()
        #expect(bench.client.isOver)
    }

    @Test("Silence ends a session, by every transport, and the client comes back", arguments: Transport.allCases)
    func silence(transport: Transport) throws {
        var bench = SocketIOClientBench(client: { $0.transport = transport })
        _ = try bench.open()
        bench.isCut = true
        bench.pass(.seconds(46))
        guard case .interrupted? = bench.heard.last else {
            Issue.record("\(bench.heard)")
            return
        }
        bench.isCut = false
        bench.pass(.seconds(30))
        #expect(bench.heard.last == .connected)
    }

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
        for _ in 0..<300 {
            var bench = SocketIOClientBench(
                seed: seed,
                client: { $0.transport = Transport.allCases.randomElement(using: &random) ?? .polling }
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
