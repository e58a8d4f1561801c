import NIOCore
import RTCBase
import RTCCalls
import RTCCore
import RTCRooms
import RTCTestKit
import Testing

@Suite(.serialized) struct NegotiationTests {
    @Test("One side opens a channel, and the two are connected")
    func simple() throws {
        let world = try NegotiationWorld(seed: 1)
        try world.openChannel(0)
        #expect(world.run(for: .seconds(10)) { world.isSettled }, "\(world.description)")
        #expect(world.sides.map(\.negotiation.collisions) == [0, 0])
    }

    @Test("Both open a channel at once; the polite side gives way, and both channels open")
    func glare() throws {
        let world = try NegotiationWorld(seed: 2)
        try world.openChannel(0)
        try world.openChannel(1)
        #expect(world.run(for: .seconds(10)) { world.isSettled }, "\(world.description)")
        #expect(world.sides.map(\.negotiation.collisions) == [1, 1])
        #expect(world.sides.map(\.negotiation.droppedMessages).reduce(0, +) > 0)
    }

    @Test("Whatever both do and wherever messages get lost, all is settled in the end", arguments: 0..<10)
    func everything(hundred: UInt64) throws {
        var collisions = 0
        var lost = 0
        for seed in hundred * 100..<hundred * 100 + 100 {
            let world = try NegotiationWorld(seed: seed)
            for _ in 0..<Int.random(in: 3..<16, using: &world.random) {
                let side = Int.random(in: 0...1, using: &world.random)
                switch Int.random(in: 0..<10, using: &world.random) {
                case 0..<3: try world.openChannel(side)
                case 3..<5: world.restart(side)
                case 5:
                    try world.openChannel(0)
                    try world.openChannel(1)
                case 6:
                    world.restart(0)
                    world.restart(1)
                case 7: world.sides[side].negotiation.requestRestart()
                default:
                    // One side learns that something may be missing, or both.
                    world.breakPath()
                    world.sides[side].negotiation.resynchronise(now: world.pair.now)
                    if Bool.random(using: &world.random) {
                        world.sides[1 - side].negotiation.resynchronise(now: world.pair.now)
                    }
                }
                let pause = TimeAmount.milliseconds(Int64.random(in: 0..<150, using: &world.random))
                _ = world.run(for: pause)
            }
            try world.openChannel(Int.random(in: 0...1, using: &world.random))
            #expect(world.run(for: .seconds(60)) { world.isSettled }, "seed \(seed): \(world.description)")
            collisions += world.sides[1].negotiation.collisions
            lost += world.lost
        }
        #expect(collisions > 10)
        #expect(lost > 50)
    }

    @Test("Each own restart is made, however soon after the last; those the other side asks for, once in two seconds")
    func restarts() {
        let start = NIODeadline.uptimeNanoseconds(0)
        var negotiation = Negotiation(isPolite: true, now: start)
        func restartsMade(at now: NIODeadline) -> Int {
            var restarts = 0
            while let output = negotiation.poll() {
                guard output == .perform(.restartICE) else { continue }
                restarts += 1
                negotiation.completed(.done(nil), now: now)
            }
            return restarts
        }
        for step in 0..<5 {
            let now = start + .milliseconds(Int64(step) * 10)
            negotiation.restart(now: now)
            #expect(restartsMade(at: now) == 1)
        }
        for (milliseconds, expected) in [(100, 1), (200, 0), (2_000, 0), (2_100, 1)] {
            let now = start + .milliseconds(Int64(milliseconds))
            negotiation.receive(NegotiationMessage(call: 1, .restart), now: now)
            #expect(restartsMade(at: now) == expected, "at \(milliseconds) ms")
        }
    }

    @Test("Losses that nobody is told of are found by the answer that does not come", arguments: 0..<20)
    func silentLoss(seed: UInt64) throws {
        let world = try NegotiationWorld(seed: seed)
        try world.openChannel(0)
        if seed.isMultiple(of: 2) { try world.openChannel(1) }
        _ = world.run(for: .milliseconds(Int64(seed) * 10))
        world.breakPath()
        world.isConnected = false
        _ = world.run(for: .milliseconds(500))
        world.isConnected = true
        #expect(world.run(for: .seconds(120)) { world.isSettled }, "seed \(seed): \(world.description)")
    }

    @Test("A connection that fails is restarted, by either side")
    func failure() throws {
        let world = try NegotiationWorld(seed: 3)
        try world.openChannel(0)
        #expect(world.run(for: .seconds(10)) { world.isSettled })
        let link = world.pair.network.link
        world.pair.network.link.loss = 1
        #expect(world.run(for: .seconds(60)) { !world.sides[1].events.isEmpty }, "\(world.description)")
        world.pair.network.link = link
        #expect(world.run(for: .seconds(60)) { world.isSettled }, "\(world.description)")
        #expect(world.sides[1].events.contains(.restarting(attempt: 1)))
    }

    @Test("A connection that never comes back is given up at last")
    func givingUp() throws {
        var configuration = NegotiatorConfiguration()
        configuration.maximumRestarts = 3
        let world = try NegotiationWorld(seed: 4, configuration: configuration)
        try world.openChannel(0)
        #expect(world.run(for: .seconds(10)) { world.isSettled })
        world.pair.network.link.loss = 1
        let hasGivenUp = { world.sides.allSatisfy { $0.events.contains(.gaveUp) } }
        #expect(world.run(for: .seconds(600), until: hasGivenUp), "\(world.description)")
    }

    @Test("Goodbye ends it, on both sides")
    func bye() throws {
        let world = try NegotiationWorld(seed: 5)
        try world.openChannel(0)
        #expect(world.run(for: .seconds(10)) { world.isSettled })
        world.sides[0].negotiation.close(reason: "enough")
        _ = world.run(for: .seconds(1))
        #expect(world.sides[1].events == [.bye(reason: "enough")])
        #expect(world.sides.allSatisfy { $0.negotiation.isEnded && $0.negotiation.nextTimeout == nil })
    }

    @Test("What the other side should not say is dropped, and a broken offer is reported once")
    func hostile() throws {
        let world = try NegotiationWorld(seed: 6)
        let now = world.pair.now
        let messages: [NegotiationMessage.Content] = [
            .answer(sdp: "v=0", number: 1), .candidate(CandidateMessage(candidate: "nonsense")),
            .endOfCandidates(usernameFragment: "none"), .offer(sdp: "broken", number: 5, answered: 7),
            .offer(sdp: "broken", number: 5, answered: 0),
            .synchronise(NegotiationPosition(offer: 99, answered: 99, wantsReply: true)),
        ]
        for content in messages { world.sides[0].negotiation.receive(NegotiationMessage(call: 1, content), now: now) }
        world.sides[0].negotiation.receive(NegotiationMessage(call: 2, .bye(reason: "")), now: now)
        _ = world.run(for: .milliseconds(10))
        #expect(world.sides[0].events.count == 1)
        #expect(!world.sides[0].negotiation.isEnded)
        try world.openChannel(1)
        #expect(world.run(for: .seconds(60)) { world.isSettled }, "\(world.description)")
    }

    @Test("What asks for an answer again and again is answered once a second in the long run")
    func reflection() throws {
        let world = try NegotiationWorld(seed: 7)
        try world.openChannel(0)
        #expect(world.run(for: .seconds(10)) { world.isSettled })
        _ = world.run(for: .seconds(1))
        let sent = world.sent
        let offer = try #require(world.peer(0).session.currentLocalDescription?.sdp)
        for _ in 0..<100 {
            for content: NegotiationMessage.Content in [
                .synchronise(NegotiationPosition(offer: nil, answered: 1, wantsReply: true)),
                .offer(sdp: offer, number: 1, answered: 0),
            ] { world.sides[1].negotiation.receive(NegotiationMessage(call: 1, content), now: world.pair.now) }
            _ = world.run(for: .milliseconds(100))
        }
        // Four at once, and ten seconds.
        #expect((10...15).contains(world.sent - sent), "\(world.sent - sent)")
        world.sides[0].negotiation.resynchronise(now: world.pair.now)
        world.sides[1].negotiation.resynchronise(now: world.pair.now)
        _ = world.run(for: .seconds(5))
        try world.openChannel(1)
        #expect(world.run(for: .seconds(60)) { world.isSettled }, "\(world.description)")
    }

    @Test("An answer and a comparison that are late at the same moment are asked for once")
    func twoDeadlines() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var negotiation = Negotiation(isPolite: false, random: .seeded(1), now: start)
        negotiation.negotiationNeeded(now: start)
        negotiation.completed(.done(RTCSessionDescription(type: .offer, sdp: "x")), now: start)
        let due = start + negotiation.configuration.answerTimeout
        negotiation.messageLost(now: due - .seconds(1))
        while negotiation.poll() != nil {}
        negotiation.handleTimeout(now: due)
        var asked = 0
        while let output = negotiation.poll() {
            if case .send(let message) = output, case .synchronise = message.content { asked += 1 }
        }
        #expect(asked == 1)
        #expect(negotiation.nextTimeout.map { $0 > due } == true)
    }

    @Test("Messages that come faster than they are handled are bounded")
    func flood() throws {
        let now = NIODeadline.uptimeNanoseconds(1)
        var negotiation = Negotiation(isPolite: true, now: now)
        negotiation.receive(NegotiationMessage(call: 1, .offer(sdp: "", number: 1, answered: 0)), now: now)
        for _ in 0..<10_000 {
            negotiation.receive(NegotiationMessage(call: 1, .candidate(CandidateMessage(candidate: ""))), now: now)
        }
        #expect(negotiation.droppedMessages == 10_000 - 512)
    }
}
