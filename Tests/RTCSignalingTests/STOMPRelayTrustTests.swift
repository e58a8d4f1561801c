import NIOCore
import RTCSignaling
import Testing

@Suite struct STOMPRelayTrustTests {
    @Test(
        "Headers that a broker acts on do not get there, however they are written",
        arguments: [
            "x-queue-name", "x-dead-letter-exchange", "X-Message-Ttl", "durable", "auto-delete", "exclusive",
            "reply-to",
            " x-queue-name", "x\r-queue-name", "desti\rnation",
        ]
    )
    func headers(name: String) throws {
        for version in ["1.0", "1.1", "1.2"] {
            for command in ["SEND", "SUBSCRIBE\nid:1"] {
                var relayed = Relayed()
                relayed.connectLink(relayed.links[0])
                let opened = relayed.relay.open(now: relayed.now)
                let id = try #require(opened)
                relayed.client("CONNECT\naccept-version:\(version)\n\n", id)
                let link = try #require(relayed.links.last)
                relayed.relay.linkOpened(link, now: relayed.now)
                relayed.broker("CONNECTED\nversion:\(version)\nsession:s\n\n", link)
                relayed.toBroker[link] = ""
                relayed.client("\(command)\n\(name):/queue/other\ndestination:/topic/a\nreceipt:r\n\n", id)
                let passed = try #require(relayed.toBroker[link])
                #expect(passed.contains("destination:/topic/a\n") && passed.contains("receipt:r\n"), "\(version)")
                #expect(!passed.contains("other"), "\(version) \(command)")
            }
        }
    }

    @Test(
        "Headers of the application's own go through in a SEND and nowhere else, and those that are allowed everywhere"
    )
    func passed() throws {
        var relayed = Relayed { broker, _ in broker.passedHeaders = ["x-priority", "reply-to"] }
        let (id, link) = try relayed.connected()
        let headers = "kind:offer\nx-priority:1\nx-queue-name:q\nreply-to:b\n"
        relayed.client("SEND\ndestination:/topic/a\n\(headers)\n", id)
        #expect(
            relayed.toBroker[link] == "SEND\nkind:offer\nx-priority:1\nreply-to:b\ndestination:/topic/a\n\n\0"
        )
        relayed.toBroker[link] = ""
        relayed.client("SUBSCRIBE\nack:client\nprefetch-count:1\n\(headers)id:a\ndestination:/topic/a\n\n", id)
        #expect(
            relayed.toBroker[link]
                == "SUBSCRIBE\nack:client\nprefetch-count:1\nx-priority:1\nreply-to:b\ndestination:/topic/a\nid:0-a\n\n\0"
        )
        relayed.toBroker[link] = ""
        relayed.client("UNSUBSCRIBE\nid:a\ndurable:true\n\n", id)
        #expect(relayed.toBroker[link] == "UNSUBSCRIBE\nid:0-a\n\n\0")
    }

    @Test("What comes behind a leave is left, and a client whose leave the broker never confirms is ended")
    func leaving() throws {
        var relayed = Relayed { $1.connectTimeout = .seconds(7) }
        let (id, link) = try relayed.connected()
        relayed.client("DISCONNECT\nreceipt:bye\n\n", id)
        relayed.toBroker[link] = ""
        for _ in 0..<100 { relayed.client("SEND\ndestination:/topic/x\n\nlate", id) }
        #expect(relayed.toBroker[link] == "")
        relayed.pass(.seconds(6))
        #expect(relayed.closedClients.isEmpty)
        relayed.pass(.seconds(1))
        #expect(relayed.closedClients == [id] && relayed.closedLinks == [link])
        #expect(relayed.toClients[id]?.contains("ERROR") == false)
    }

    @Test("An ERROR of the broker costs the server only the message that it names")
    func named() {
        var relayed = Relayed()
        relayed.publish("one", "two", "three")
        relayed.connectLink(relayed.links[0])
        relayed.broker("ERROR\nmessage:no\nreceipt-id:2\n\n", relayed.links[0])
        #expect(relayed.relay.pendingMessages == 2 && relayed.relay.droppedMessages == 1)
        relayed.pass(.seconds(1))
        relayed.connectLink(relayed.links[1])
        let again = relayed.toBroker[relayed.links[1]] ?? ""
        #expect(again.contains("one") && !again.contains("two") && again.contains("three"))
        relayed.broker("ERROR\nmessage:no\nreceipt-id:77\n\n", relayed.links[1])
        #expect(relayed.relay.pendingMessages == 2)
    }

    @Test("What the broker refuses three times without a name does not stand in the way of the rest for ever")
    func unnamed() {
        var relayed = Relayed()
        relayed.publish("one", "two")
        for attempt in 0..<4 {
            relayed.connectLink(relayed.links[attempt])
            // With the first, the one before was another.
            if attempt == 1 { relayed.broker("RECEIPT\nreceipt-id:1\n\n", relayed.links[attempt]) }
            relayed.broker("ERROR\nmessage:shutting down\n\n", relayed.links[attempt])
            #expect(relayed.relay.droppedMessages == (attempt < 3 ? 0 : 1), "attempt \(attempt)")
            relayed.pass(.seconds(1))
        }
        #expect(relayed.relay.pendingMessages == 0)
    }

    @Test("What the server sends is bounded by what may be pending, not by what a client may have unsent")
    func unsent() {
        var relayed = Relayed { broker, _ in broker.maximumUnsentBytes = 1000 }
        relayed.writesToBroker = false
        let large = String(repeating: "x", count: 600)
        relayed.publish(large + "1")
        relayed.connectLink(relayed.links[0])
        relayed.publish(large + "2", large + "3")
        let sent = relayed.toBroker[relayed.links[0]] ?? ""
        for number in 1...3 { #expect(sent.contains("x\(number)\0"), "\(number)") }
    }

    @Test("A message for the application has its receipt when that has taken it")
    func receipts() throws {
        var relayed = Relayed()
        relayed.takes = false
        let (id, _) = try relayed.connected()
        relayed.client("SEND\ndestination:/app/offer\nreceipt:r\n\n", id)
        #expect(relayed.toClients[id]?.contains("RECEIPT") == false)
        let sent = try #require(relayed.sent.first)
        #expect(sent.receipt == "r" && sent.headers.isEmpty)
        relayed.relay.confirm(sent, now: relayed.now)
        relayed.drain()
        #expect(relayed.toClients[id]?.hasSuffix("RECEIPT\nreceipt-id:r\n\n\0") == true)
        relayed.relay.connectionEnded(id, now: relayed.now)
        relayed.relay.confirm(sent, now: relayed.now)
        relayed.drain()
    }

    @Test("A transaction of messages for the application is refused, as nothing would undo them")
    func transactions() throws {
        var relayed = Relayed()
        let (id, _) = try relayed.connected()
        relayed.client("BEGIN\ntransaction:t\n\n", id)
        relayed.client("SEND\ndestination:/app/offer\ntransaction:t\nreceipt:r\n\n", id)
        #expect(relayed.sent.isEmpty && relayed.closedClients == [id])
        #expect(relayed.toClients[id]?.contains("ERROR\nmessage:no transactions for this destination") == true)
    }
}

extension Relayed {
    /// The server sends to a queue.
    fileprivate mutating func publish(_ texts: String...) {
        for text in texts { self.relay.publish(to: "/queue/a", body: ByteBuffer(string: text), now: self.now) }
        self.drain()
    }
}
