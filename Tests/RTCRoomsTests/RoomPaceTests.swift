import NIOCore
import RTCBase
import RTCRooms
import RTCSignaling
import Testing

/// Members that owe others much at once, and a server that takes only so much of each.
@Suite struct RoomPaceTests {
    private static let strict: RoomConfiguration = {
        var configuration = RoomConfiguration()
        configuration.messageRate = 20
        configuration.messageBurst = 50
        return configuration
    }()

    @Test("Thirty members that join at once are all connected, and nobody is cut off for its rate", arguments: 1...3)
    func burst(seed: UInt64) throws {
        var mesh = PacedMesh(RoomWorld(seed: seed, configuration: Self.strict), members: 30, candidates: 3)
        try mesh.run(for: .seconds(30))
        #expect(mesh.world.broker.statistics.refusals == 0, "seed \(seed)")
        #expect(mesh.world.broker.statistics.members == 30, "seed \(seed)")
        #expect(mesh.connected == 30 * 29, "seed \(seed)")
    }

    @Test("What was held back is sent at the server's pace, also after the channel broke")
    func resumed() throws {
        var world = RoomWorld(seed: 4, configuration: Self.strict)
        _ = (world.add(), world.add())
        world.run(for: .seconds(1))
        for number in 0..<300 { try world.send(.integer(Int64(number)), from: 0) }
        world.run(for: .seconds(3))
        world.breakLink(of: 0)
        world.run(for: .seconds(20))
        #expect(world.broker.statistics.refusals == 0)
        #expect(world.data(1) == (0..<300).map { .integer(Int64($0)) })
    }

    @Test("A limit of bytes is kept as well")
    func bytes() throws {
        var configuration = RoomConfiguration()
        configuration.byteRate = 10_000
        configuration.byteBurst = 20_000
        var world = RoomWorld(seed: 5, configuration: configuration)
        _ = (world.add(), world.add())
        world.run(for: .seconds(1))
        let text = JSONValue.string(String(repeating: "x", count: 3_000))
        for _ in 0..<30 { try world.send(text, from: 0) }
        world.run(for: .seconds(15))
        #expect(world.broker.statistics.refusals == 0)
        #expect(world.data(1).count == 30)
    }

    @Test("However long the path is held up, no more comes at once than the server takes")
    func stall() throws {
        var session = RoomSession(room: RoomName("r")!, random: .seeded(8))
        var now = NIODeadline.uptimeNanoseconds(1)
        session.start(now: now)
        session.channelOpened(1, now: now)
        let limits = #"{"messageRate":10,"messageBurst":20,"byteRate":10000,"byteBurst":20000}"#
        session.receive(
            #"{"type":"welcome","member":"me","token":"t","members":[],"resumeMilliseconds":1,"limits":\#(limits)}"#,
            from: 1,
            now: now
        )
        for number in 0..<100 { try session.send(.data(.integer(Int64(number))), to: .everyone, now: now) }
        func sent(until end: NIODeadline) -> Int {
            while let due = session.nextTimeout, due <= end {
                now = due
                session.handleTimeout(now: now)
            }
            var sent = 0
            while let output = session.poll() {
                if case .transmit(_, let text) = output, text.contains("send") { sent += 1 }
            }
            return sent
        }
        #expect(sent(until: now + .seconds(10)) == 18)
        session.receive(#"{"type":"ack","received":5}"#, from: 1, now: now)
        #expect(sent(until: now + .seconds(4)) == 5)
    }

    @Test("A server that does not say what it takes is sent to below its default")
    func untold() throws {
        var session = RoomSession(room: RoomName("r")!, random: .seeded(7))
        var now = NIODeadline.uptimeNanoseconds(1)
        session.start(now: now)
        session.channelOpened(1, now: now)
        let welcome =
            #"{"type":"welcome","member":"me","token":"t","members":[],"resumeMilliseconds":1,"limits":{"messageRate":0}}"#
        session.receive(welcome, from: 1, now: now)
        var sent = 0
        func drain() { while let output = session.poll() { if case .transmit = output { sent += 1 } } }
        drain()
        sent = 0
        for number in 0..<1_000 { try session.send(.data(.integer(Int64(number))), to: .everyone, now: now) }
        drain()
        #expect(sent == 900)
        session.receive(#"{"type":"ack","received":900}"#, from: 1, now: now)
        for _ in 0..<90 {
            now = try #require(session.nextTimeout)
            session.handleTimeout(now: now)
        }
        drain()
        #expect(sent == 990)
        #expect(now >= .uptimeNanoseconds(990_000_000))
    }
}

/// Members who owe each other an offer, an answer and candidates: who came later offers, as in a mesh.
private struct PacedMesh {
    var world: RoomWorld
    /// Directions in which all that was owed has arrived.
    private(set) var connected = 0
    private let candidates: Int
    private var missing: [[RoomMemberID: Int]]

    init(_ world: RoomWorld, members: Int, candidates: Int) {
        self.world = world
        self.candidates = candidates
        for _ in 0..<members { _ = self.world.add() }
        self.missing = Array(repeating: [:], count: members)
    }

    mutating func run(for duration: TimeAmount) throws {
        let end = self.world.now + duration
        while self.world.now < end {
            self.world.run(for: .milliseconds(20))
            for index in self.world.clients.indices {
                let events = self.world.clients[index].events
                self.world.clients[index].events = []
                for event in events { try self.take(event, at: index) }
            }
        }
    }

    private mutating func take(_ event: RoomEvent, at index: Int) throws {
        switch event {
        case .joined(_, let others):
            for other in others {
                try self.say(.offer(sdp: Self.sdp, number: 1, answered: 0), from: index, to: other.id)
            }
        case .message(.negotiation(let message), let from):
            if case .offer(_, let number, _) = message.content {
                try self.say(.answer(sdp: Self.sdp, number: number), from: index, to: from)
            }
            let left = self.missing[index][from, default: 1 + self.candidates] - 1
            self.missing[index][from] = left
            if left == 0 { self.connected += 1 }
        default: break
        }
    }

    private mutating func say(_ content: NegotiationMessage.Content, from index: Int, to other: RoomMemberID) throws {
        var contents = [content]
        for port in 0..<self.candidates {
            contents.append(
                .candidate(CandidateMessage(candidate: "candidate:1 1 udp 1 192.0.2.1 \(port + 1) typ host"))
            )
        }
        for content in contents {
            let message = RoomMessage.negotiation(NegotiationMessage(call: 1, content))
            try self.world.clients[index].session.send(message, to: .member(other), now: self.world.now)
        }
    }

    private static let sdp = String(repeating: "a=x\r\n", count: 20)
}
