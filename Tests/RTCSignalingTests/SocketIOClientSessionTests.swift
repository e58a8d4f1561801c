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
}
