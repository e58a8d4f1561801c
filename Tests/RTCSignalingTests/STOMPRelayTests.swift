import NIOCore
import RTCBase
import RTCSignaling
import Testing

/// A relay with what it gave out; its clients and its broker are written by hand.
struct Relayed {
    var relay: STOMPRelay
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var toClients: [STOMPConnectionID: String] = [:]
    var toBroker: [STOMPRelayLinkID: String] = [:]
    var links: [STOMPRelayLinkID] = []
    var closedClients: Set<STOMPConnectionID> = []
    var closedLinks: Set<STOMPRelayLinkID> = []
    var reading: [STOMPRelayLinkID: Bool] = [:]
    var availability: [Bool] = []
    var sent: [STOMPBroker.Sent] = []
    /// Whether what is written to clients is out at once.
    var writes = true
    /// Whether what is written to the broker is out at once.
    var writesToBroker = true
    /// Whether the application takes what is sent to it.
    var takes = true

    init(_ change: (inout STOMPRelayConfiguration, inout STOMPConfiguration) -> Void = { _, _ in }) {
        var broker = STOMPRelayConfiguration(host: "broker.example")
        var configuration = STOMPConfiguration()
        change(&broker, &configuration)
        self.relay = STOMPRelay(relay: broker, configuration: configuration, random: .seeded(1), now: self.now)
        self.drain()
    }

    mutating func drain() {
        while let output = self.relay.poll() {
            switch output {
            case .transmit(let id, let bytes):
                self.toClients[id, default: ""] += String(buffer: bytes)
                if self.writes { self.relay.didTransmit(bytes.readableBytes, to: id, now: self.now) }
            case .close(let id): self.closedClients.insert(id)
            case .ask(let question): self.relay.answer(question.connection, .allow(user: "bob"), now: self.now)
            case .sent(let sent):
                self.sent.append(sent)
                if self.takes { self.relay.confirm(sent, now: self.now) }
            case .open(let id): self.links.append(id)
            case .transmitToBroker(let id, let bytes):
                self.toBroker[id, default: ""] += String(buffer: bytes)
                if self.writesToBroker { self.relay.didTransmit(bytes.readableBytes, toBroker: id) }
            case .closeLink(let id): self.closedLinks.insert(id)
            case .setReading(let id, let reads): self.reading[id] = reads
            case .availability(let isAvailable): self.availability.append(isAvailable)
            }
        }
    }

    mutating func client(_ text: String, _ id: STOMPConnectionID) {
        self.relay.receive(ByteBuffer(string: text + "\0"), from: id, now: self.now)
        self.drain()
    }

    mutating func broker(_ text: String, _ link: STOMPRelayLinkID) {
        self.relay.receive(ByteBuffer(string: text + "\0"), fromBroker: link, now: self.now)
        self.drain()
    }

    mutating func pass(_ time: TimeAmount) {
        self.now = self.now + time
        self.relay.handleTimeout(now: self.now)
        self.drain()
    }

    /// The broker takes a connection in.
    mutating func connectLink(_ link: STOMPRelayLinkID, session: String = "s-1", heartbeat: String = "0,0") {
        self.relay.linkOpened(link, now: self.now)
        self.drain()
        let version = self.toBroker[link]?.contains("accept-version:1.1") == true ? "1.1" : "1.2"
        self.broker("CONNECTED\nversion:\(version)\nsession:\(session)\nheart-beat:\(heartbeat)\n\n", link)
    }

    /// A client that is connected through.
    mutating func connected(
        _ session: String = "s-1",
        headers: String = ""
    ) throws -> (STOMPConnectionID, STOMPRelayLinkID) {
        if !self.relay.isAvailable { self.connectLink(self.links[0]) }
        let opened = self.relay.open(now: self.now)
        let id = try #require(opened)
        self.client("CONNECT\naccept-version:1.2\n\(headers)\n", id)
        let link = try #require(self.links.last)
        self.connectLink(link, session: session)
        self.toBroker[link] = ""
        return (id, link)
    }
}

@Suite struct STOMPRelayTests {
    @Test("A client gets a connection of its own at the broker, with the server's credentials and not its own")
    func connects() throws {
        var relayed = Relayed { broker, _ in
            broker.clientLogin = "relay"
            broker.clientPasscode = "secret"
            broker.virtualHost = "calls"
        }
        relayed.connectLink(relayed.links[0])
        #expect(relayed.availability == [true])
        let opened = relayed.relay.open(now: relayed.now)
        let id = try #require(opened)
        relayed.client("CONNECT\naccept-version:1.0,1.1,1.2\nlogin:eve\npasscode:hers\nheart-beat:0,0\n\n", id)
        #expect(relayed.toClients[id] == nil, "connected before the broker is")
        let link = try #require(relayed.links.last)
        relayed.connectLink(link, session: "s-77")
        let connect = try #require(relayed.toBroker[link])
        #expect(connect.contains("login:relay\npasscode:secret") && connect.contains("host:calls"))
        #expect(!connect.contains("eve") && !connect.contains("hers"))
        let answer = try #require(relayed.toClients[id])
        #expect(answer.hasPrefix("CONNECTED\nversion:1.2\nsession:s-77\n"))
    }

    @Test("Frames go through, and receipts are the broker's")
    func passes() throws {
        var relayed = Relayed()
        let (id, link) = try relayed.connected()
        relayed.toClients[id] = ""
        relayed.client("SEND\ndestination:/queue/a\nreceipt:r1\nx:y\n\nbody", id)
        #expect(
            relayed.toBroker[link]
                == "SEND\nreceipt:r1\nx:y\ndestination:/queue/a\npersistent:true\ncontent-length:4\n\nbody\0"
        )
        #expect(relayed.toClients[id] == "")
        relayed.broker("RECEIPT\nreceipt-id:r1\n\n", link)
        #expect(relayed.toClients[id] == "RECEIPT\nreceipt-id:r1\n\n\0")
        for frame in ["BEGIN\ntransaction:t\n\n", "ACK\nid:T_0\n\n", "NACK\nid:T_1\n\n", "COMMIT\ntransaction:t\n\n"] {
            relayed.toBroker[link] = ""
            relayed.client(frame, id)
            #expect(relayed.toBroker[link] == frame + "\0")
        }
    }

    @Test("Messages come under the client's names, and only for subscriptions that it has")
    func messages() throws {
        var relayed = Relayed()
        let (id, link) = try relayed.connected()
        relayed.client("SUBSCRIBE\nid:a\ndestination:/topic/x\nack:client\n\n", id)
        #expect(relayed.toBroker[link] == "SUBSCRIBE\nack:client\ndestination:/topic/x\nid:0-a\n\n\0")
        relayed.toClients[id] = ""
        relayed.broker("MESSAGE\nsubscription:0-a\nmessage-id:m\nack:T_0\ndestination:/topic/x\n\nhello", link)
        #expect(
            relayed.toClients[id]
                == "MESSAGE\nmessage-id:m\nack:T_0\ndestination:/topic/x\nsubscription:a\ncontent-length:5\n\nhello\0"
        )
        relayed.toBroker[link] = ""
        relayed.client("UNSUBSCRIBE\nid:a\nreceipt:r\n\n", id)
        #expect(relayed.toBroker[link] == "UNSUBSCRIBE\nreceipt:r\nid:0-a\n\n\0")
        relayed.toClients[id] = ""
        relayed.broker("MESSAGE\nsubscription:0-a\nmessage-id:m\ndestination:/topic/x\n\nlate", link)
        #expect(relayed.toClients[id] == "")
    }

    @Test(
        "A user's destination has one name at the broker, from whichever node, and messages there come under the client's"
    )
    func users() throws {
        var here = Relayed { $1.asks = true }
        var there = Relayed { $1.asks = true }
        let (bob, bobLink) = try here.connected("s-bob")
        let (eve, eveLink) = try there.connected("s-eve")
        here.client("SUBSCRIBE\nid:u\ndestination:/user/queue/sdp\nreceipt:r\n\n", bob)
        let subscribed = try #require(here.toBroker[bobLink])
        let places = subscribed.split(separator: "\n").filter { $0.hasPrefix("destination:") }.map { $0.dropFirst(12) }
        #expect(places == ["/exchange/amq.direct/bob._2fqueue_2fsdp", "/exchange/amq.direct/s-bob._2fqueue_2fsdp"])
        // The receipt is for both.
        #expect(
            subscribed.components("receipt:r") == 1 && subscribed.contains("id:1-u")
                && subscribed.hasSuffix("id:1-u\n\n\0")
        )
        for (name, place) in [("bob", places[0]), ("s-bob", places[1])] {
            there.toBroker[eveLink] = ""
            there.client("SEND\ndestination:/user/\(name)/queue/sdp\n\n", eve)
            #expect(there.toBroker[eveLink] == "SEND\ndestination:\(place)\n\n\0")
        }
        here.toClients[bob] = ""
        here.broker("MESSAGE\nsubscription:1-u\nmessage-id:m\ndestination:\(places[1])\n\n", bobLink)
        #expect(here.toClients[bob] == "MESSAGE\nmessage-id:m\ndestination:/user/queue/sdp\nsubscription:u\n\n\0")
        here.toBroker[bobLink] = ""
        here.client("UNSUBSCRIBE\nid:u\n\n", bob)
        #expect(here.toBroker[bobLink] == "UNSUBSCRIBE\nid:0-u\n\n\0UNSUBSCRIBE\nid:1-u\n\n\0")
    }

    @Test(
        "What is not a client's destination is not reached, however it is written",
        arguments: ["/exchange/amq.direct/bob._2fqueue_2fsdp", "/amq/queue/x", "/user/", "/user//queue/x", "nowhere"]
    )
    func destinations(name: String) throws {
        for command in ["SEND", "SUBSCRIBE\nid:1"] where command == "SEND" || !name.hasPrefix("/user/") {
            var relayed = Relayed()
            let (id, link) = try relayed.connected()
            relayed.client("\(command)\ndestination:\(name)\n\n", id)
            #expect(relayed.toClients[id]?.contains("ERROR\nmessage:no such destination") == true)
            #expect(relayed.toBroker[link] == "")
            #expect(relayed.closedClients.contains(id) && relayed.closedLinks.contains(link))
        }
    }

    @Test("Users whose names look like something else have destinations of their own")
    func escaping() throws {
        var relayed = Relayed()
        let (id, link) = try relayed.connected()
        var places: Set<Substring> = []
        for name in ["a.b", "a_2eb", "a*", "#", "A", "a", "ü"] {
            relayed.toBroker[link] = ""
            relayed.client("SEND\ndestination:/user/\(name)/queue/x\n\n", id)
            let line = try #require(
                relayed.toBroker[link]?.split(separator: "\n").first { $0.hasPrefix("destination") }
            )
            let place = line.dropFirst("destination:/exchange/amq.direct/".count)
            #expect(place.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0)) }, "\(place)")
            places.insert(place)
        }
        #expect(places.count == 7)
    }

    @Test("While the broker is away clients hear so, and it is tried again after longer and longer times")
    func away() throws {
        var relayed = Relayed { broker, _ in broker.longestRetry = .seconds(4) }
        var waits: [Int64] = []
        for attempt in 0..<6 {
            #expect(relayed.links.count == attempt + 1)
            relayed.relay.linkEnded(relayed.links[attempt], now: relayed.now)
            relayed.drain()
            let retry = try #require(relayed.relay.nextTimeout)
            waits.append((retry - relayed.now).nanoseconds)
            relayed.pass(retry - relayed.now)
        }
        for (wait, most) in zip(waits, [1, 2, 4, 4, 4, 4]) {
            #expect((Int64(most) * 500_000_000...Int64(most) * 1_000_000_000).contains(wait))
        }
        #expect(relayed.availability.isEmpty)
        let opened = relayed.relay.open(now: relayed.now)
        let id = try #require(opened)
        relayed.client("CONNECT\naccept-version:1.2\n\n", id)
        #expect(relayed.toClients[id]?.hasPrefix("ERROR\nmessage:the broker is not available") == true)
        #expect(relayed.closedClients == [id])
    }

    @Test("A connection that breaks or is silent ends its client with an ERROR")
    func breaks() throws {
        for isSilent in [true, false] {
            var relayed = Relayed()
            relayed.connectLink(relayed.links[0])
            let opened = relayed.relay.open(now: relayed.now)
            let id = try #require(opened)
            relayed.client("CONNECT\naccept-version:1.2\n\n", id)
            let link = try #require(relayed.links.last)
            relayed.connectLink(link, heartbeat: "10000,10000")
            relayed.toBroker[link] = ""
            relayed.pass(.seconds(10))
            #expect(relayed.toBroker[link] == "\n", "no heart-beat")
            if isSilent {
                relayed.pass(.seconds(10))
            } else {
                relayed.relay.linkEnded(link, now: relayed.now)
                relayed.drain()
            }
            #expect(relayed.toClients[id]?.contains("ERROR\nmessage:the broker is not available") == true)
            #expect(relayed.closedClients == [id] && relayed.closedLinks == [link])
        }
    }

    @Test("What the server sends is kept until the broker's receipt, and sent again over a new connection")
    func system() throws {
        var relayed = Relayed { broker, _ in broker.maximumPendingMessages = 3 }
        func expect(_ isSo: Bool) { #expect(isSo) }
        func publish(_ text: String) -> Bool {
            relayed.relay.publish(to: "/queue/a", body: ByteBuffer(string: text), now: relayed.now)
        }
        expect(publish("one"))
        relayed.connectLink(relayed.links[0])
        expect(publish("two"))
        relayed.drain()
        let first = try #require(relayed.toBroker[relayed.links[0]])
        #expect(first.contains("one") && first.contains("two") && first.contains("persistent:true"))
        relayed.broker("RECEIPT\nreceipt-id:1\n\n", relayed.links[0])
        relayed.relay.linkEnded(relayed.links[0], now: relayed.now)
        relayed.drain()
        #expect(relayed.availability == [true, false])
        expect(publish("three"))
        expect(publish("four"))
        expect(!publish("five"))
        #expect(relayed.relay.droppedMessages == 1)
        relayed.pass(.seconds(1))
        relayed.connectLink(relayed.links[1])
        let again = try #require(relayed.toBroker[relayed.links[1]])
        #expect(!again.contains("one") && again.contains("two") && again.contains("three") && again.contains("four"))
    }

    @Test("A client that reads slowly has the broker wait, and is not cut off for it")
    func slow() throws {
        var relayed = Relayed { $1.maximumUnsentBytes = 1000 }
        let (id, link) = try relayed.connected()
        relayed.client("SUBSCRIBE\nid:a\ndestination:/topic/x\n\n", id)
        relayed.writes = false
        for _ in 0..<20 {
            relayed.broker(
                "MESSAGE\nsubscription:0-a\ndestination:/topic/x\n\n" + String(repeating: "x", count: 100),
                link
            )
        }
        #expect(relayed.reading[link] == false)
        #expect(!relayed.closedClients.contains(id))
        var written = 0
        while let text = relayed.toClients[id], text.utf8.count > written {
            relayed.relay.didTransmit(text.utf8.count - written, to: id, now: relayed.now)
            written = text.utf8.count
            relayed.drain()
        }
        #expect(relayed.reading[link] == true)
        #expect(relayed.toClients[id]?.components("MESSAGE") == 20)
    }

    @Test("A client that takes its leave gets the broker's receipt, and one that goes takes its connection along")
    func leaving() throws {
        var relayed = Relayed()
        let (id, link) = try relayed.connected()
        relayed.client("DISCONNECT\nreceipt:bye\n\n", id)
        #expect(relayed.closedClients.isEmpty)
        relayed.broker("RECEIPT\nreceipt-id:bye\n\n", link)
        #expect(relayed.toClients[id]?.hasSuffix("RECEIPT\nreceipt-id:bye\n\n\0") == true)
        #expect(relayed.closedClients == [id] && relayed.closedLinks == [link])
        let (other, otherLink) = try relayed.connected()
        relayed.relay.connectionEnded(other, now: relayed.now)
        relayed.drain()
        #expect(relayed.closedLinks.contains(otherLink) && relayed.relay.connectionCount == 0)
    }

    @Test("What goes to the application stays here")
    func application() throws {
        var relayed = Relayed { $1.asks = true }
        let (id, link) = try relayed.connected()
        relayed.client("SEND\ndestination:/app/offer\nreceipt:r\nx:y\n\nsdp", id)
        #expect(relayed.toBroker[link] == "")
        let sent = try #require(relayed.sent.first)
        #expect(sent.user == "bob" && sent.destination == "/app/offer" && sent.headers == [.init("x", "y")])
        #expect(relayed.toClients[id]?.hasSuffix("RECEIPT\nreceipt-id:r\n\n\0") == true)
    }

    @Test("Random frames from both sides never trap", arguments: [UInt64.random(in: 0...UInt64.max)])
    func fuzz(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let commands = [
            "CONNECT\naccept-version:1.2", "SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "DISCONNECT", "MESSAGE", "ERROR",
            "RECEIPT", "CONNECTED\nversion:1.2", "BEGIN", "",
        ]
        let headers = [
            "id:a", "id:", "destination:/topic/x", "destination:/user/queue/x", "destination:/user/a/b", "receipt:r",
            "subscription:0-a", "subscription:a", "subscription:-", "receipt-id:1", "heart-beat:1,1", "ack:client",
        ]
        for _ in 0..<200 {
            var relayed = Relayed()
            let (id, link) = try relayed.connected()
            for _ in 0..<20 {
                let parts = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    headers[Int.random(in: 0..<headers.count, using: &random)]
                }
                let command = commands[Int.random(in: 0..<commands.count, using: &random)]
                let text = ([command] + parts).joined(separator: "\n") + "\n\n"
                switch Int.random(in: 0...3, using: &random) {
                case 0: relayed.client(text, id)
                case 1: relayed.broker(text, link)
                case 2: relayed.broker(text, relayed.links[0])
                default: relayed.pass(.seconds(Int64.random(in: 0...30, using: &random)))
                }
            }
        }
    }
}

extension String {
    /// How often a text is in it.
    fileprivate func components(_ text: String) -> Int {
        self.split(separator: text, omittingEmptySubsequences: false).count - 1
    }
}
