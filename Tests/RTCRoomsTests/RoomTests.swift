import NIOCore
import RTCBase
import RTCRooms
import RTCSignaling
import Testing

@Suite struct RoomTests {
    @Test("Members see who is there, who comes and who leaves")
    func presence() throws {
        var world = RoomWorld(seed: 1)
        let alice = world.add(metadata: ["name": "Alice"])
        world.run(for: .seconds(1))
        #expect(world.clients[alice].events.count == 1)
        let bob = world.add(metadata: ["name": "Bob"])
        world.run(for: .seconds(1))
        let (aliceMember, bobMember) = (world.clients[alice].session.member!, world.clients[bob].session.member!)
        #expect(world.clients[alice].events.last == .memberJoined(bobMember))
        #expect(world.clients[bob].events == [.joined(bobMember, others: [aliceMember])])
        #expect(aliceMember.metadata == ["name": "Alice"])
        world.clients[bob].session.leave(now: world.now)
        world.run(for: .seconds(1))
        #expect(world.clients[alice].events.last == .memberLeft(bobMember, .left))
        #expect(world.clients[bob].events.last == .ended(nil))
        #expect(world.clients[alice].session.members.isEmpty)
        world.clients[alice].session.leave(now: world.now)
        world.run(for: .seconds(1))
        #expect(world.broker.statistics.rooms == 0)
        #expect(world.broker.statistics.connections == 0)
        #expect(world.broker.nextTimeout == nil)
    }

    @Test("Messages go to one or to all of the room, and nowhere else")
    func messages() throws {
        var world = RoomWorld(seed: 2)
        let members = (0..<3).map { _ in world.add() }
        let stranger = world.add("other")
        world.run(for: .seconds(1))
        try world.send("to all", from: 0)
        try world.send("to one", from: 0, to: .member(world.id(2)))
        try world.send("to a stranger", from: 0, to: .member(world.id(stranger)))
        world.run(for: .seconds(1))
        #expect(members.map { world.data($0) } == [[], ["to all"], ["to all", "to one"]])
        #expect(world.data(stranger) == [])
        #expect(world.broker.statistics.undeliverable == 1)
    }

    @Test("A member that loses its channel comes back and has missed nothing")
    func resumption() throws {
        var world = RoomWorld(seed: 3)
        _ = (world.add(), world.add())
        world.run(for: .seconds(1))
        let id = world.id(1)
        world.clearEvents()
        world.isReachable = false
        world.breakLink(of: 1)
        for number in Int64(0)..<20 {
            try world.send(.integer(number), from: 0)
            try world.send(.integer(100 + number), from: 1)
        }
        world.run(for: .seconds(10))
        world.isReachable = true
        world.run(for: .seconds(20))
        #expect(world.id(1) == id)
        #expect(world.data(1) == (0..<20).map { .integer($0) })
        #expect(world.data(0) == (100..<120).map { .integer($0) })
        #expect(world.clients[1].events.first.map { if case .interrupted = $0 { true } else { false } } == true)
        #expect(world.clients[1].events.contains(.resumed))
        // The others saw nothing of it.
        #expect(world.clients[0].events.count == 20)
        #expect(world.broker.statistics.keptBytes == 0)
    }

    @Test("Every message arrives once and in order, however often channels break", arguments: 0..<10)
    func exactlyOnce(hundred: UInt64) throws {
        for seed in hundred * 100..<hundred * 100 + 100 {
            var world = RoomWorld(seed: seed)
            let members = (0..<3).map { _ in world.add() }
            world.run(for: .seconds(2))
            let ids = members.map { world.id($0) }
            var sent: [[[Int64]]] = Array(repeating: Array(repeating: [], count: 3), count: 3)
            for step in 0..<60 {
                let from = Int.random(in: 0..<3, using: &world.random)
                switch Int.random(in: 0..<8, using: &world.random) {
                case 0: world.breakLink(of: from)
                case 1: world.breakLink(of: from, serverNotices: false)
                case 2...4:
                    try world.send(.integer(Int64(step)), from: from)
                    for to in members where to != from { sent[from][to].append(Int64(step)) }
                default:
                    let to = (from + Int.random(in: 1..<3, using: &world.random)) % 3
                    try world.send(.integer(Int64(step)), from: from, to: .member(ids[to]))
                    sent[from][to].append(Int64(step))
                }
                world.run(for: .milliseconds(Int64.random(in: 0..<200, using: &world.random)))
            }
            world.run(for: .seconds(60))
            for from in members {
                for to in members where to != from {
                    let came = world.clients[to].events.compactMap { event -> Int64? in
                        guard case .message(.data(.integer(let number)), ids[from]) = event else { return nil }
                        return number
                    }
                    #expect(came == sent[from][to], "seed \(seed), from \(from) to \(to)")
                }
            }
            #expect(members.map { world.id($0) } == ids, "seed \(seed)")
            #expect(world.broker.statistics.keptBytes == 0, "seed \(seed)")
        }
    }

    @Test("Who missed more than is kept is told, and others see it leave and join")
    func gap() throws {
        var configuration = RoomConfiguration()
        configuration.maximumKeptMessages = 10
        var world = RoomWorld(seed: 4, configuration: configuration)
        _ = (world.add(), world.add())
        world.run(for: .seconds(1))
        let old = world.clients[1].session.member!
        world.clearEvents()
        world.isReachable = false
        world.breakLink(of: 1)
        try world.send("lost", from: 1)
        for number in Int64(0)..<11 { try world.send(.integer(number), from: 0) }
        world.run(for: .seconds(5))
        world.isReachable = true
        world.run(for: .seconds(20))
        let new = world.clients[1].session.member!
        #expect(new.id != old.id)
        let alice = world.clients[0].session.member!
        #expect(world.clients[1].events.last == .rejoined(new, others: [alice], because: .gap, unconfirmed: 1))
        #expect(world.clients[0].events == [.memberLeft(old, .gap), .memberJoined(new)])
        #expect(world.broker.statistics.losses == 1)
    }

    @Test("Who does not come back in time is gone, and joins anew when it comes")
    func lateness() throws {
        var world = RoomWorld(seed: 5)
        _ = (world.add(), world.add())
        world.run(for: .seconds(1))
        let old = world.clients[1].session.member!
        world.clearEvents()
        world.isReachable = false
        world.breakLink(of: 1)
        world.run(for: .seconds(60))
        #expect(world.clients[0].events == [.memberLeft(old, .timeout)])
        world.isReachable = true
        world.run(for: .seconds(30))
        guard case .rejoined(_, _, .unknown, 0)? = world.clients[1].events.last else {
            Issue.record("\(world.clients[1].events)")
            return
        }
    }

    @Test("When the server is another, all come back and meet again")
    func restart() throws {
        var world = RoomWorld(seed: 6)
        let members = (0..<5).map { _ in world.add() }
        world.run(for: .seconds(1))
        world.restartServer()
        world.run(for: .seconds(30))
        #expect(world.broker.statistics.members == 5)
        for member in members {
            let others = Set(members.filter { $0 != member }.map { world.id($0) })
            #expect(Set(world.clients[member].session.members.map(\.id)) == others)
        }
    }

    @Test("A server that stops says so, and clients try again")
    func shutdown() throws {
        var world = RoomWorld(seed: 7)
        _ = world.add()
        world.run(for: .seconds(1))
        world.broker.shutdown(now: world.now)
        world.run(for: .seconds(60))
        #expect(world.broker.statistics.connections == 0)
        #expect(!world.clients[0].session.isEnded)
        world.restartServer()
        world.run(for: .seconds(30))
        #expect(world.broker.statistics.members == 1)
    }

    @Test("Channels that are silent for too long are given up even if nobody says that they broke")
    func silence() throws {
        var world = RoomWorld(seed: 8)
        _ = (world.add(), world.add())
        world.run(for: .seconds(1))
        try world.send("lost on the way", from: 0)
        world.settle()
        world.clients[0].link?.toServer = []
        world.run(for: .seconds(40))
        #expect(world.data(1) == ["lost on the way"])
        #expect(world.clients[0].events.contains(.resumed))
    }

    @Test("Limits refuse with a reason")
    func limits() throws {
        var configuration = RoomConfiguration()
        configuration.maximumMembers = 2
        configuration.maximumRooms = 2
        var world = RoomWorld(seed: 9, configuration: configuration)
        _ = (world.add(), world.add())
        world.run(for: .seconds(1))
        let third = world.add()
        let other = world.add("other")
        world.run(for: .seconds(1))
        let full = world.add("one too many")
        world.run(for: .seconds(60))
        #expect(world.clients[third].events.last == .ended(.refused(RoomRefusal(.roomFull, "2 members"))))
        #expect(world.clients[other].session.member != nil)
        guard case .ended(.unreachable(.closed))? = world.clients[full].events.last else {
            Issue.record("\(world.clients[full].events)")
            return
        }
    }

    @Test("The owner decides who joins, and what is said of it")
    func admission() throws {
        var configuration = RoomConfiguration()
        configuration.asks = true
        var world = RoomWorld(seed: 10, configuration: configuration)
        world.decide = { admission in
            admission.credential == "secret"
                ? .allow(metadata: ["user": "known", "said": admission.metadata]) : .deny(reason: "who are you?")
        }
        let alice = world.add(metadata: ["name": "Alice"], credential: "secret")
        let mallory = world.add(credential: "guess")
        world.run(for: .seconds(1))
        #expect(world.clients[alice].session.member?.metadata == ["user": "known", "said": ["name": "Alice"]])
        let refusal = RoomRefusal(.unauthorized, "who are you?")
        #expect(world.clients[mallory].events == [.ended(.refused(refusal))])
    }

    @Test("What is printed of who wants to join has no secrets")
    func admissionDescription() {
        var configuration = RoomConfiguration()
        configuration.asks = true
        var world = RoomWorld(seed: 13, configuration: configuration)
        var printed: [String] = []
        world.decide = { admission in
            printed = ["\(admission)", String(reflecting: admission), "\([admission])"]
            return nil
        }
        _ = world.add(metadata: ["name": "Alice"], credential: "hush")
        world.run(for: .seconds(1))
        #expect(printed.count == 3 && printed.allSatisfy { $0.contains("Alice") && !$0.contains("hush") }, "\(printed)")
    }

    @Test("Who is never decided upon is let go")
    func undecided() throws {
        var configuration = RoomConfiguration()
        configuration.asks = true
        var world = RoomWorld(seed: 11, configuration: configuration)
        world.decide = { _ in nil }
        _ = world.add()
        world.run(for: .seconds(60))
        #expect(world.clients[0].session.isEnded)
        world.run(for: .seconds(60))
        #expect(world.broker.statistics.connections == 0)
    }

    @Test("A member that the owner removes does not come back")
    func removal() throws {
        var world = RoomWorld(seed: 12)
        _ = (world.add(), world.add())
        world.run(for: .seconds(1))
        let member = world.clients[1].session.member!
        world.broker.remove(member.id, reason: "noise", now: world.now)
        world.run(for: .seconds(60))
        #expect(world.clients[1].events.last == .ended(.refused(RoomRefusal(.removed, "noise"))))
        #expect(world.clients[0].events.last == .memberLeft(member, .removed))
    }

    @Test("A client's queue is bounded")
    func queue() throws {
        var world = RoomWorld(seed: 13)
        var configuration = RoomClientConfiguration()
        configuration.maximumQueuedMessages = 3
        configuration.maximumMessageSize = 1_000
        _ = world.add(configuration: configuration)
        #expect(throws: RoomError.notJoined) { try world.send("early", from: 0) }
        world.run(for: .seconds(1))
        world.breakLink(of: 0)
        for _ in 0..<3 { try world.send("waits", from: 0) }
        #expect(throws: RoomError.queueFull) { try world.send("no more", from: 0) }
        let long = JSONValue.string(String(repeating: "x", count: 1_000))
        #expect(throws: RoomError.messageTooLarge(limit: 1_000)) { try world.send(long, from: 0) }
        world.run(for: .seconds(10))
        try world.send("again", from: 0)
    }
}
