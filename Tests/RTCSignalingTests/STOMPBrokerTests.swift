import NIOCore
import RTCBase
import Testing

@testable import RTCSignaling

@Suite struct STOMPBrokerTests {
    @Test(
        "The highest version that both have is spoken; without a word on versions it is 1.0",
        arguments: [
            ("CONNECT\n\n\0", "1.0"), ("CONNECT\naccept-version:1.0,1.1,1.2\n\n\0", "1.2"),
            ("STOMP\naccept-version:1.1,2.0\n\n\0", "1.1"), ("\n\r\nCONNECT\r\naccept-version:1.2\r\n\r\n\0", "1.2"),
        ]
    )
    func negotiation(connect: String, version: String) throws {
        var bench = STOMPBench()
        let id = try bench.open()
        for byte in connect.utf8 { bench.send(String(UnicodeScalar(byte)), from: id) }
        #expect(bench.header("version", id) == version)
    }

    @Test(
        "What is wrong is answered with an ERROR, and the end",
        arguments: [
            ("SEND\ndestination:/topic/a\n\n\0", false), ("CONNECT\naccept-version:3.0\n\n\0", false),
            ("CONNECT\naccept-version:1.2\nheart-beat:1\n\n\0", false),
            ("CONNECT\naccept-version:1.2\nheart-beat:-1,x\n\n\0", false),
            ("connect\n\n\0", false), ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", false), ("\u{1}\n\n\0", false),
            ("CONNECT\n\n\0", true), ("SEND\n\nx\0", true), ("SEND\ndestination:/nowhere\n\nx\0", true),
            ("SEND\ndestination:/user/\n\nx\0", true), ("SEND\ndestination\n\n\0", true), ("SEND\n:x\n\n\0", true),
            ("SEND\ndestination:/topic/\\t\n\n\0", true), ("SEND\ndestination:/topic/a\ncontent-length:x\n\n\0", true),
            ("SEND\ndestination:/topic/a\ncontent-length:-1\n\n\0", true),
            ("SEND\ndestination:/topic/a\ncontent-length:1\n\nxy\0", true),
            ("SEND\ndestination:/topic/a\ncontent-length:99999999999999999999\n\n\0", true),
            ("SEND\ndestination:/topic/a\ncontent-length:262145\n\n", true),
            ("SUBSCRIBE\ndestination:/topic/a\n\n\0", true), ("SUBSCRIBE\nid:0\n\n\0", true),
            ("SUBSCRIBE\nid:0\ndestination:/topic/a\nack:maybe\n\n\0", true), ("UNSUBSCRIBE\nid:0\n\n\0", true),
            ("SUBSCRIBE\nid:0\ndestination:/nowhere\n\n\0", true), ("ACK\n\n\0", true),
            ("COMMIT\ntransaction:t\n\n\0", true),
            ("SEND\ndestination:/topic/a\ntransaction:t\n\n\0", true), ("BEGIN\n\n\0", true), ("MESSAGE\n\n\0", true),
        ]
    )
    func broken(frame: String, isConnected: Bool) throws {
        var bench = STOMPBench()
        let id = isConnected ? try bench.connect() : try bench.open()
        bench.send(frame + "SEND\ndestination:/topic/a\n\nx\0", from: id)
        #expect(bench.heard[id]?.count == 1, "\(bench.heard[id] ?? [])")
        #expect(bench.heard[id]?.last?.hasPrefix("ERROR\n") == true, "\(bench.heard[id] ?? [])")
        #expect(bench.closed == [id])
        #expect(bench.broker.connectionCount == 0)
        #expect(bench.broker.nextTimeout == nil)
    }

    @Test("A topic goes to all, with the headers that were added, escaped for each version")
    func topic() throws {
        var bench = STOMPBench()
        let old = try bench.connect(version: "1.0")
        let middle = try bench.connect(version: "1.1")
        let new = try bench.connect()
        for id in [old, middle, new] { bench.subscribe(id, "/topic/a") }
        bench.send(
            "SEND\ndestination:/topic/a\nreceipt:r\nk\\c:a\\nb\\r\\\\\nk\\c:second\ncontent-length:3\n\nx\0y\0",
            from: new
        )
        #expect(bench.heard[new]?.last == "RECEIPT\nreceipt-id:r\n\n\0")
        func message(_ id: STOMPConnectionID) -> String? { bench.heard[id]?.first }
        #expect(message(new)?.contains("\nk\\c:a\\nb\\r\\\\\nk\\c:second\ncontent-length:3\n\nx\0y\0") == true)
        #expect(message(middle)?.contains("\nk\\c:a\\nb\\\\\n") == true)
        #expect(message(old)?.contains("\nk::ab\\\n") == true)
        #expect(message(old)?.contains("receipt") == false)
        bench.send("UNSUBSCRIBE\nid:0\n\n\0", from: new)
        bench.publish(old, "/topic/a", "later")
        #expect(bench.bodies(new).count == 1)
        #expect(bench.bodies(old).last == "later")
    }

    @Test("A queue gives each message to one, in turn, and keeps it while there is nobody")
    func queue() throws {
        var bench = STOMPBench()
        let sender = try bench.connect()
        for number in 0..<4 { bench.publish(sender, "/queue/a", "\(number)") }
        let first = try bench.connect()
        bench.subscribe(first, "/queue/a")
        #expect(bench.bodies(first) == ["0", "1", "2", "3"])
        let second = try bench.connect()
        bench.subscribe(second, "/queue/a")
        for number in 4..<8 { bench.publish(sender, "/queue/a", "\(number)") }
        #expect(Set(bench.bodies(first) + bench.bodies(second)).count == 8)
        #expect(bench.bodies(second).count == 2)
    }

    @Test("What is not acknowledged goes to the next: after NACK, unsubscribing and leaving")
    func acknowledgements() throws {
        var bench = STOMPBench()
        let sender = try bench.connect()
        let first = try bench.connect()
        bench.subscribe(first, "/queue/a", ack: "client-individual")
        for number in 0..<3 { bench.publish(sender, "/queue/a", "\(number)") }
        let third = bench.header("ack", first) ?? ""
        bench.send("ACK\nid:\(third)\n\n\0", from: first)
        let second = try bench.connect(version: "1.1")
        bench.broker.connectionEnded(first, now: bench.now)
        bench.drain()
        bench.subscribe(second, "/queue/a", ack: "client")
        #expect(bench.bodies(second) == ["0", "1"])
        let last = bench.header("message-id", second) ?? ""
        bench.send("NACK\nsubscription:0\nmessage-id:\(last)\n\n\0", from: second)
        #expect(bench.bodies(second) == ["0", "1", "0", "1"])
        let again = bench.header("message-id", second) ?? ""
        bench.send("ACK\nsubscription:0\nmessage-id:\(again)\n\n\0", from: second)
        bench.send("UNSUBSCRIBE\nid:0\n\n\0", from: second)
        bench.subscribe(second, "/queue/a", name: "1")
        #expect(bench.bodies(second).count == 4)
    }

    @Test("A message that nobody can handle is dropped in the end")
    func poison() throws {
        var bench = STOMPBench { $0.maximumDeliveries = 3 }
        let id = try bench.connect()
        bench.subscribe(id, "/queue/a", ack: "client")
        bench.publish(id, "/queue/a", "poison")
        for _ in 0..<5 { bench.send("NACK\nid:\(bench.header("ack", id) ?? "")\n\n\0", from: id) }
        #expect(bench.bodies(id).count == 3)
        #expect(bench.broker.droppedMessages == 1)
    }

    @Test("A user destination reaches all connections of a user, or one session")
    func users() throws {
        var bench = STOMPBench { $0.asks = true }
        let bob = try bench.connect(user: "bob")
        let other = try bench.connect(user: "bob")
        let eve = try bench.connect(user: "eve")
        for id in [bob, other, eve] {
            bench.subscribe(id, "/user/queue/sdp")
            bench.answer(id, .allow())
        }
        bench.publish(eve, "/user/bob/queue/sdp", "offer")
        bench.answer(eve, .allow())
        #expect(bench.bodies(bob) == ["offer"] && bench.bodies(other) == ["offer"] && bench.bodies(eve).isEmpty)
        #expect(bench.header("destination", bob) == "/user/queue/sdp")
        bench.broker.send(to: bob, destination: "/queue/sdp", body: ByteBuffer(string: "one"), now: bench.now)
        bench.drain()
        #expect(bench.bodies(bob).last == "one" && bench.bodies(other).count == 1)
        bench.broker.publish(to: "/user/nobody/queue/sdp", body: ByteBuffer(), now: bench.now)
        #expect(bench.broker.droppedMessages == 1)
    }

    @Test("The owner decides, and what comes meanwhile waits in order")
    func questions() throws {
        var bench = STOMPBench { $0.asks = true }
        let id = try bench.open()
        bench.send(
            "CONNECT\naccept-version:1.2\nlogin:me\npasscode:secret\n\n\0SEND\ndestination:/app/x\n\n1\0",
            from: id
        )
        bench.send("SEND\ndestination:/app/x\n\n2\0", from: id)
        #expect(bench.questions.map(\.kind) == [.connect(login: "me", passcode: "secret", host: nil)])
        #expect(bench.heard[id] == nil)
        bench.answer(id, .allow(user: "me"))
        #expect(bench.header("user-name", id) == "me")
        #expect(bench.questions.last?.kind == .send(destination: "/app/x"))
        #expect(bench.questions.last?.user == "me")
        bench.answer(id, .allow())
        #expect(bench.sent.map { String(buffer: $0.body) } == ["1"])
        bench.answer(id, .deny(reason: "not you"))
        #expect(bench.sent.count == 1)
        #expect(bench.header("message", id) == "not you")
        #expect(bench.closed == [id])
        bench.answer(id, .allow())
    }

    @Test("A client that floods while it waits for an answer is cut off")
    func flood() throws {
        var bench = STOMPBench { $0.asks = true }
        let id = try bench.open()
        bench.send("CONNECT\n\n\0", from: id)
        for _ in 0..<20 { bench.send(String(repeating: "x", count: 64 << 10), from: id) }
        #expect(bench.closed == [id])
    }

    @Test("A transaction happens as a whole or not at all")
    func transactions() throws {
        var bench = STOMPBench { $0.maximumTransactionBytes = 1000 }
        let id = try bench.connect()
        bench.subscribe(id, "/topic/a")
        for (name, end) in [("t", "ABORT"), ("u", "COMMIT")] {
            bench.send("BEGIN\ntransaction:\(name)\n\n\0", from: id)
            bench.send("SEND\ndestination:/topic/a\ntransaction:\(name)\n\n\(name)\0", from: id)
            #expect(bench.bodies(id).isEmpty)
            bench.send("\(end)\ntransaction:\(name)\n\n\0", from: id)
        }
        #expect(bench.bodies(id) == ["u"])
        bench.send("BEGIN\ntransaction:v\n\n\0", from: id)
        let large = String(repeating: "x", count: 1000)
        bench.send("SEND\ndestination:/topic/a\ntransaction:v\n\n\(large)\0", from: id)
        #expect(bench.closed == [id])
    }

    @Test("A transaction of which one part cannot be leaves nothing behind")
    func failedTransaction() throws {
        var bench = STOMPBench { $0.maximumQueuedMessages = 2 }
        let reader = try bench.connect()
        bench.subscribe(reader, "/topic/a")
        let id = try bench.connect()
        bench.send("BEGIN\ntransaction:t\n\n\0", from: id)
        bench.send("SEND\ndestination:/topic/a\ntransaction:t\n\nnews\0", from: id)
        for _ in 0..<3 { bench.send("SEND\ndestination:/queue/a\ntransaction:t\n\nx\0", from: id) }
        bench.send("COMMIT\ntransaction:t\n\n\0", from: id)
        #expect(bench.closed == [id])
        #expect(bench.bodies(reader).isEmpty)
        bench.subscribe(reader, "/queue/a", name: "1")
        #expect(bench.bodies(reader).isEmpty)
    }

    @Test("A queue waits for a subscriber that reads slowly, and nothing of it is lost")
    func slowSubscriber() throws {
        var bench = STOMPBench { $0.maximumUnsentBytes = 2000 }
        let slow = try bench.connect()
        bench.subscribe(slow, "/queue/a")
        bench.stuck = [slow]
        let sender = try bench.connect()
        let bodies = (0..<30).map { "\($0) " + String(repeating: "x", count: 100) }
        for body in bodies { bench.publish(sender, "/queue/a", body) }
        #expect(bench.closed.isEmpty)
        let early = bench.bodies(slow).count
        #expect(early > 0 && early < bodies.count)
        bench.stuck = []
        bench.broker.didTransmit((bench.heard[slow] ?? []).reduce(0) { $0 + $1.utf8.count }, to: slow, now: bench.now)
        bench.drain()
        #expect(bench.bodies(slow) == bodies)
    }

    @Test("What waits for acknowledgements or in queues is bounded in bytes, of a client and in all")
    func storedBytes() throws {
        var bench = STOMPBench {
            $0.maximumUnacknowledgedBytes = 1000
            $0.maximumStoredBytes = 3000
        }
        let lazy = try bench.connect()
        bench.subscribe(lazy, "/queue/a", ack: "client-individual")
        let sender = try bench.connect()
        let body = String(repeating: "x", count: 400)
        for _ in 0..<4 { bench.publish(sender, "/queue/a", body) }
        #expect(bench.bodies(lazy).count == 2)
        bench.send("ACK\nid:\(bench.header("ack", lazy) ?? "")\n\n\0", from: lazy)
        #expect(bench.bodies(lazy).count == 3)
        for number in 0..<8 {
            let isTaken = bench.broker.publish(to: "/queue/b\(number)", body: ByteBuffer(string: body), now: bench.now)
            #expect(isTaken == (number < 3))
        }
        // What is delivered and what leaves with nobody to take it makes room again.
        bench.subscribe(sender, "/queue/b0")
        bench.send("ACK\nid:\(bench.header("ack", lazy) ?? "")\n\n\0", from: lazy)
        for _ in 0..<2 {
            let isTaken = bench.broker.publish(to: "/queue/c", body: ByteBuffer(string: body), now: bench.now)
            #expect(isTaken)
        }
    }

    @Test("The receipt for a message to the owner waits until it was taken")
    func ownerReceipts() throws {
        var bench = STOMPBench()
        let id = try bench.connect()
        bench.takesMessages = false
        bench.send("SEND\ndestination:/app/a\nreceipt:1\n\nx\0", from: id)
        #expect(bench.heard[id] == [])
        let sent = try #require(bench.sent.first)
        bench.broker.confirm(sent, now: bench.now)
        bench.drain()
        #expect(bench.heard[id] == ["RECEIPT\nreceipt-id:1\n\n\0"])
    }

    @Test("Heart-beats go both ways at the slower pace, and silence ends the connection")
    func heartbeats() throws {
        var bench = STOMPBench()
        let id = try bench.open()
        bench.send("CONNECT\naccept-version:1.2\nheart-beat:20000,5000\n\n\0", from: id)
        #expect(bench.header("heart-beat", id) == "10000,10000")
        for _ in 0..<3 { bench.pass(.seconds(10)) }
        #expect(bench.heard[id]?.dropFirst() == ["\n", "\n", "\n"])
        bench.send("\n", from: id)
        bench.pass(.seconds(39))
        #expect(bench.closed.isEmpty)
        bench.pass(.seconds(1))
        #expect(bench.closed == [id])
        let silent = try bench.open()
        bench.pass(.seconds(10))
        #expect(bench.closed.contains(silent))
    }

    @Test("DISCONNECT is confirmed before the end")
    func disconnect() throws {
        var bench = STOMPBench()
        let id = try bench.connect()
        bench.send("DISCONNECT\nreceipt:77\n\n\0", from: id)
        #expect(bench.heard[id] == ["RECEIPT\nreceipt-id:77\n\n\0"])
        #expect(bench.closed == [id])
    }

    @Test("Who reads nothing is cut off, who acknowledges nothing too, and a full queue refuses")
    func limits() throws {
        var bench = STOMPBench {
            $0.maximumUnsentBytes = 2000
            $0.maximumUnacknowledged = 5
            $0.maximumQueuedMessages = 5
            $0.maximumSubscriptions = 3
            $0.maximumConnections = 4
        }
        let slow = try bench.connect()
        let lazy = try bench.connect()
        bench.subscribe(slow, "/topic/a")
        bench.subscribe(lazy, "/topic/b", ack: "client")
        bench.subscribe(lazy, "/queue/a", name: "1", ack: "client")
        bench.stuck = [slow]
        let sender = try bench.connect()
        for _ in 0..<30 { bench.publish(sender, "/topic/a", String(repeating: "x", count: 100)) }
        #expect(bench.closed == [slow])
        for number in 0..<10 { bench.publish(sender, "/queue/a", "\(number)") }
        #expect(bench.bodies(lazy).count == 5)
        let isTaken = bench.broker.publish(to: "/queue/a", body: ByteBuffer(), now: bench.now)
        #expect(!isTaken)
        for _ in 0..<6 { bench.publish(sender, "/topic/b", "x") }
        #expect(bench.closed.contains(lazy))
        for name in 0..<4 { bench.subscribe(sender, "/topic/c", name: "\(name)") }
        #expect(bench.closed.contains(sender))
        for _ in 0..<4 { _ = try bench.open() }
        let oneMore = bench.broker.open(now: bench.now)
        #expect(oneMore == nil)
    }

    @Test("A heart-beat for which there is no room is the end of the client, once")
    func heartbeatWithoutRoom() throws {
        var bench = STOMPBench()
        let id = try bench.open()
        bench.send("CONNECT\naccept-version:1.2\nhost:x\nheart-beat:0,1000\n\n\0", from: id)
        bench.broker.clients[id]?.unsentBytes = bench.broker.configuration.maximumUnsentBytes
        let now = bench.now + .hours(1)
        // What `handleTimeout` does, but bounded.
        var broker = bench.broker
        var steps = 0
        while steps < 10, let due = broker.clientDeadlines.popDue(now: now) {
            broker.clientTimeout(due, now)
            steps += 1
        }
        #expect(steps == 1)
        guard steps == 1 else { return }
        bench.pass(.hours(1))
        #expect(bench.closed == [id] && bench.broker.slowConnections == 1)
        #expect(bench.broker.connectionCount == 0 && bench.broker.nextTimeout == nil)
    }

    @Test("Damaged and random streams never trap", arguments: [UInt64.random(in: 0...UInt64.max)])
    func fuzz(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let frames = [
            "CONNECT\naccept-version:1.2\n\n\0", "SUBSCRIBE\nid:0\ndestination:/queue/a\nack:client\n\n\0",
            "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n\0", "SEND\ndestination:/queue/a\ncontent-length:2\n\nab\0",
            "SEND\ndestination:/topic/a\n\nab\0", "ACK\nid:message-3\n\n\0", "NACK\nid:message-1\n\n\0",
            "UNSUBSCRIBE\nid:0\n\n\0", "BEGIN\ntransaction:t\n\n\0", "COMMIT\ntransaction:t\n\n\0", "DISCONNECT\n\n\0",
        ]
        var bench = STOMPBench { $0.maximumUnsentBytes = 500 }
        for _ in 0..<500 {
            let id = try bench.open()
            if Bool.random(using: &random) { bench.stuck.insert(id) }
            var bytes = Array(frames[0].utf8)
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                bytes += Array((frames.randomElement(using: &random) ?? "").utf8)
            }
            if Bool.random(using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let cut = Int.random(in: bytes.indices, using: &random)
            for part in [bytes[..<cut], bytes[cut...]] {
                bench.broker.receive(ByteBuffer(bytes: part), from: id, now: bench.now)
                bench.drain()
            }
            if Bool.random(using: &random) {
                bench.broker.connectionEnded(id, now: bench.now)
                bench.drain()
            }
        }
    }
}
