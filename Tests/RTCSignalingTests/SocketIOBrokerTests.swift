import NIOCore
import RTCBase
import Testing

@testable import RTCSignaling

/// A broker with clients on WebSockets, in virtual time; what the application would do is in the test's hands.
struct SocketIOBench {
    var broker: SocketIOBroker
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var sent: [EngineIOWebSocketID: [WebSocketMessage]] = [:]
    var closedWebSockets: Set<EngineIOWebSocketID> = []
    var questions: [SocketIOQuestion] = []
    var connected: [SocketIOSocketID] = []
    var events: [SocketIOEvent] = []
    var acknowledged: [[SocketIOValue]] = []
    var unacknowledged = 0
    var disconnected: [SocketIODisconnectReason] = []

    init(_ change: (inout SocketIOConfiguration) -> Void = { _ in }) {
        var configuration = SocketIOConfiguration()
        configuration.namespaces = ["/", "/chat"]
        change(&configuration)
        self.broker = SocketIOBroker(configuration: configuration, random: .seeded(7))
    }

    /// A client that has the namespace `/`, with its socket there.
    mutating func connect() throws -> (webSocket: EngineIOWebSocketID, socket: SocketIOSocketID) {
        let request = SignalingRequest(method: "GET", target: "/socket.io/?EIO=3&transport=websocket")
        let opened = self.broker.openWebSocket(request, now: self.now)
        self.drain()
        let webSocket = try #require(opened)
        self.sent[webSocket]?.removeFirst()
        return (webSocket, try #require(self.connected.last))
    }

    mutating func say(_ webSocket: EngineIOWebSocketID, _ text: String, _ attachments: [UInt8]...) {
        self.broker.receive(.text("4" + text), from: webSocket, now: self.now)
        for attachment in attachments {
            self.broker.receive(.binary(ByteBuffer(bytes: [4] + attachment)), from: webSocket, now: self.now)
        }
        self.drain()
    }

    /// What a client heard since this was last asked.
    mutating func heard(_ webSocket: EngineIOWebSocketID) -> [String] {
        defer { self.sent[webSocket] = [] }
        return (self.sent[webSocket] ?? []).map { message in
            switch message {
            case .text(let text): text
            case .binary(let bytes): "\(Array(bytes.readableBytesView))"
            }
        }
    }

    /// Checks what a client heard since this was last asked.
    mutating func expect(
        _ webSocket: EngineIOWebSocketID,
        _ expected: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let heard = self.heard(webSocket)
        #expect(heard == expected, sourceLocation: sourceLocation)
    }

    /// Checks how many messages each client heard since this was last asked.
    mutating func expect(
        counts: [Int],
        _ webSockets: [EngineIOWebSocketID],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let heard = webSockets.map { self.heard($0).count }
        #expect(heard == counts, sourceLocation: sourceLocation)
    }

    mutating func pass(_ time: TimeAmount) {
        self.now = self.now + time
        self.broker.handleTimeout(now: self.now)
        self.drain()
    }

    mutating func drain() {
        while let output = self.broker.poll() {
            switch output {
            case .respond: break
            case .transmit(let webSocket, let message): self.sent[webSocket, default: []].append(message)
            case .close(let webSocket): self.closedWebSockets.insert(webSocket)
            case .ask(let question): self.questions.append(question)
            case .connected(let question): self.connected.append(question.id)
            case .event(_, let event): self.events.append(event)
            case .acknowledged(_, _, let values): self.acknowledged.append(values)
            case .unacknowledged: self.unacknowledged += 1
            case .disconnected(_, let reason): self.disconnected.append(reason)
            }
        }
    }
}

@Suite struct SocketIOBrokerTests {
    @Test("Events and acknowledgements go both ways")
    func events() throws {
        var bench = SocketIOBench()
        let (webSocket, socket) = try bench.connect()
        #expect(socket.text == socket.session.text)
        bench.expect(webSocket, ["40"])
        bench.say(webSocket, #"2["hello",1,{"a":[null,true,"é"]}]"#)
        bench.say(webSocket, #"217["ask"]"#)
        #expect(
            bench.events == [
                SocketIOEvent(name: "hello", arguments: [1, ["a": [nil, true, "é"]]]),
                SocketIOEvent(name: "ask", arguments: [], acknowledgementID: 17),
            ]
        )
        bench.broker.acknowledge(17, ["yes", 2.5], to: socket, now: bench.now)
        bench.broker.emit("question", ["a"], to: socket, acknowledgedBy: bench.now + .seconds(1), now: bench.now)
        bench.broker.emit("question", ["b"], to: socket, acknowledgedBy: bench.now + .seconds(1), now: bench.now)
        bench.drain()
        bench.expect(webSocket, [#"4317["yes",2.5]"#, #"420["question","a"]"#, #"421["question","b"]"#])
        bench.say(webSocket, "31[true]")
        // Once only, and nothing that was not asked.
        bench.say(webSocket, "31[false]")
        bench.say(webSocket, "399[]")
        #expect(bench.acknowledged == [[true]])
        bench.pass(.seconds(1))
        #expect(bench.unacknowledged == 1)
        bench.say(webSocket, "30[]")
        #expect(bench.acknowledged == [[true]])
    }

    @Test("Bytes go beside their packets")
    func binary() throws {
        var bench = SocketIOBench()
        let (webSocket, socket) = try bench.connect()
        _ = bench.heard(webSocket)
        bench.say(
            webSocket,
            #"52-["file",{"a":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]"#,
            [1],
            [2, 3]
        )
        let one = SocketIOValue.binary(ByteBuffer(bytes: [1]))
        let two = SocketIOValue.binary(ByteBuffer(bytes: [2, 3]))
        #expect(bench.events == [SocketIOEvent(name: "file", arguments: [["a": two], one])])
        bench.broker.emit("file", [["a": two], one], to: socket, now: bench.now)
        bench.broker.acknowledge(3, [one], to: socket, now: bench.now)
        bench.drain()
        bench.expect(
            webSocket,
            [
                #"452-["file",{"a":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]"#, "[4, 2, 3]",
                "[4, 1]",
                #"461-3[{"_placeholder":true,"num":0}]"#, "[4, 1]",
            ]
        )
    }

    @Test("Namespaces are asked for, refused, left and had again")
    func namespaces() throws {
        var bench = SocketIOBench { $0.guardedNamespaces = ["/chat"] }
        let (webSocket, _) = try bench.connect()
        _ = bench.heard(webSocket)
        bench.say(webSocket, "0/chat?token=a,")
        bench.say(webSocket, "0/chat?token=a")
        #expect(bench.questions.map(\.query) == ["token=a"])
        try #require(bench.questions.count == 1)
        bench.broker.answer(bench.questions[0], refusal: ["code": 1], now: bench.now)
        bench.say(webSocket, "0/none")
        bench.expect(webSocket, [#"44/chat,{"code":1}"#, #"44/none,"Invalid namespace""#])
        bench.say(webSocket, "0/chat")
        bench.say(webSocket, #"2/chat,["too early"]"#)
        bench.broker.answer(bench.questions[1], now: bench.now)
        bench.drain()
        let socket = try #require(bench.connected.last)
        #expect(socket.text == "/chat#\(socket.session.text)")
        bench.expect(webSocket, ["40/chat,"])
        bench.say(webSocket, #"2/chat,5["in time"]"#)
        bench.say(webSocket, "1/chat,")
        bench.say(webSocket, #"2/chat,["too late"]"#)
        #expect(bench.events.map(\.name) == ["in time"])
        #expect(bench.disconnected == [.client])
        bench.say(webSocket, "0/chat,")
        bench.broker.answer(bench.questions[2], now: bench.now)
        bench.drain()
        // What was meant for the one that left is not for the one that came back.
        bench.broker.emit("stale", [], to: socket, now: bench.now)
        bench.drain()
        bench.expect(webSocket, ["40/chat,"])
        let again = try #require(bench.connected.last)
        bench.broker.disconnect(again, closesSession: true, now: bench.now)
        bench.drain()
        bench.expect(webSocket, ["41/chat,", "1"])
        #expect(bench.closedWebSockets == [webSocket])
        #expect(bench.disconnected == [.client, .server, .session(.local)])
        #expect(bench.broker.socketCount == 0 && bench.broker.nextTimeout == nil)
    }

    @Test("Rooms: who is in hears, who has left or said it does not, nobody twice")
    func rooms() throws {
        var bench = SocketIOBench()
        var clients: [(webSocket: EngineIOWebSocketID, socket: SocketIOSocketID)] = []
        for _ in 0..<4 { clients.append(try bench.connect()) }
        for client in clients { _ = bench.heard(client.webSocket) }
        for client in clients[0..<3] { bench.broker.join("a", client.socket) }
        bench.broker.join("b", clients[1].socket)
        bench.broker.emit(
            "x",
            [],
            to: SocketIOAudience(rooms: ["a", "b"], excluding: clients[0].socket),
            now: bench.now
        )
        bench.drain()
        bench.expect(counts: [0, 1, 1, 0], clients.map(\.webSocket))
        bench.broker.leave("a", clients[2].socket)
        bench.broker.emit("x", [], to: SocketIOAudience(rooms: ["a"]), now: bench.now)
        bench.drain()
        bench.expect(counts: [1, 1, 0, 0], clients.map(\.webSocket))
        bench.broker.emit("x", [], to: SocketIOAudience(), now: bench.now)
        bench.broker.emit("x", [], to: SocketIOAudience(namespace: "/chat"), now: bench.now)
        bench.drain()
        bench.expect(counts: [1, 1, 1, 1], clients.map(\.webSocket))
        for client in clients { bench.broker.webSocketEnded(client.webSocket, now: bench.now) }
        bench.drain()
        #expect(bench.broker.roomCount == 0 && bench.broker.socketCount == 0 && bench.broker.sessionCount == 0)
    }

    @Test("A socket is in as many rooms and owes as many acknowledgements as allowed")
    func limits() throws {
        var bench = SocketIOBench {
            $0.maximumRooms = 2
            $0.maximumAcknowledgements = 1
        }
        let (_, socket) = try bench.connect()
        let joined = ["a", "b", "c", "a"].map { bench.broker.join($0, socket) }
        #expect(joined == [true, true, false, true])
        let owed = (0..<2).map { _ in
            bench.broker.emit("x", [], to: socket, acknowledgedBy: bench.now + .seconds(1), now: bench.now)
        }
        #expect(owed == [0, nil])
    }

    @Test(
        "What is against the protocol or a limit ends the session",
        arguments: [
            "", "7", "x", "2", "2{}", "2[]", "2[1]", #"2["a""#, #"2["a"]x"#, "3[]", "31{}", "51-", "5-[\"a\"]",
            "53-[\"a\"]",
            "2/\(String(repeating: "n", count: 1100)),[\"a\"]", "2" + String(repeating: "[", count: 33),
            #"2["a",01]"#, #"2["a",1.]"#, #"2["a",1e]"#, #"2["a",+1]"#, #"2["a",--1]"#, #"2["a",nul]"#,
            #"2["a",{1:2}]"#,
            #"2["a",]"#, #"2["a",{"b":1,}]"#, #"29999999999999999999["a"]"#,
        ]
    )
    func malformed(text: String) throws {
        var bench = SocketIOBench { $0.maximumAttachments = 2 }
        let (webSocket, _) = try bench.connect()
        bench.say(webSocket, text)
        if text == "51-" { bench.say(webSocket, "2[\"a\"]") }
        #expect(bench.closedWebSockets == [webSocket])
        #expect(bench.events.isEmpty)
        #expect(bench.disconnected == [.session(.local)])
    }

    @Test("Attachments that are too many, too large, for nobody or in nobody's place end the session", arguments: 0..<7)
    func attachments(kind: Int) throws {
        var bench = SocketIOBench { $0.maximumAttachmentBytes = 3 }
        let (webSocket, _) = try bench.connect()
        let place = #"{"_placeholder":true,"num":0}"#
        switch kind {
        case 0: bench.broker.receive(.binary(ByteBuffer(bytes: [4, 1])), from: webSocket, now: bench.now)
        case 1: bench.say(webSocket, #"51-["a",\#(place)]"#, [1, 2, 3, 4])
        case 2: bench.say(webSocket, #"51-["a"]"#, [1])
        case 3: bench.say(webSocket, #"51-["a",{"_placeholder":true,"num":1}]"#, [1])
        case 4: bench.say(webSocket, #"51-["a",{"_placeholder":true,"num":0.5}]"#, [1])
        case 5: bench.say(webSocket, #"51-["a",\#(place),\#(place)]"#, [1])
        default: bench.say(webSocket, #"52-["a",\#(place),\#(place)]"#, [1], [2])
        }
        bench.drain()
        #expect(bench.closedWebSockets == [webSocket])
        #expect(bench.events.isEmpty)
    }

    @Test("What is sent to many is made once, and each gets its parts in order")
    func sharing() throws {
        var bench = SocketIOBench()
        let clients = try (0..<3).map { _ in try bench.connect().webSocket }
        for client in clients { _ = bench.heard(client) }
        bench.broker.emit(
            "file",
            [.binary(ByteBuffer(repeating: 7, count: 1000))],
            to: SocketIOAudience(namespace: "/"),
            now: bench.now
        )
        bench.drain()
        let addresses = clients.map { client -> UInt in
            guard let messages = bench.sent[client], messages.count == 2, case .text = messages[0],
                case .binary(let bytes) = messages[1]
            else { return 0 }
            return bytes.withUnsafeReadableBytes { bytes in UInt(bitPattern: bytes.baseAddress) }
        }
        #expect(!addresses.contains(0) && Set(addresses).count == 1)
    }

    @Test("Any value survives a packet", arguments: [UInt64.random(in: 0...UInt64.max)])
    func roundTrip(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        for _ in 0..<500 {
            let kinds: [SocketIOPacket.Kind] = [.event, .acknowledgement]
            let kind = kinds.randomElement(using: &random) ?? .event
            let values = (0..<3).map { _ in Self.value(&random, depth: 3) }
            let packet = SocketIOPacket(
                kind,
                namespace: Bool.random(using: &random) ? "/" : "/a/b",
                id: kind == .event && Bool.random(using: &random)
                    ? nil : UInt64.random(in: 0..<1_000_000, using: &random),
                data: .array((kind == .event ? ["name"] : []) + values)
            )
            var limits = SocketIOConfiguration()
            limits.maximumAttachments = 1000
            var reader = SocketIOPacketReader(limits: limits)
            var results = packet.messages.map { reader.receive($0) }
            #expect(results.popLast() == .packet(packet), "seed \(seed)")
            #expect(results.allSatisfy { $0 == .needsMore }, "seed \(seed)")
        }
    }

    private static func value(_ random: inout RandomSource, depth: Int) -> SocketIOValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .number(Double(Int.random(in: -1000...1000, using: &random)))
        case 3: return .number(Double.random(in: -1e30...1e30, using: &random))
        case 4: return .string(["", "é\"\\\n", "😀\u{2028}", "/a,1-["].randomElement(using: &random) ?? "")
        case 5: return .binary(ByteBuffer(bytes: random.bytes(count: Int.random(in: 0..<5, using: &random))))
        case 6: return .array((0..<3).map { _ in self.value(&random, depth: depth - 1) })
        default:
            return .object(["a": self.value(&random, depth: depth - 1), "é": self.value(&random, depth: depth - 1)])
        }
    }
}
