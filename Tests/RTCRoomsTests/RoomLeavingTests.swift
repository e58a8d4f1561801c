import NIOCore
import RTCBase
import RTCRooms
import RTCSignaling
import Testing

/// Members that leave while their last words still wait.
@Suite struct RoomLeavingTests {
    /// Two members at a server that takes 20 messages a second.
    private static func world(seed: UInt64, leaveTimeout: TimeAmount = .seconds(5)) -> RoomWorld {
        var strict = RoomConfiguration()
        strict.messageRate = 20
        strict.messageBurst = 50
        var configuration = RoomClientConfiguration()
        configuration.leaveTimeout = leaveTimeout
        var world = RoomWorld(seed: seed, configuration: strict)
        _ = (world.add(configuration: configuration), world.add())
        world.run(for: .seconds(1))
        return world
    }

    private static func send(_ count: Int, in world: inout RoomWorld) throws {
        for number in 0..<count { try world.send(.integer(Int64(number)), from: 0) }
    }

    private static func numbers(_ count: Int) -> [JSONValue] { (0..<count).map { .integer(Int64($0)) } }

    private static func sawLeave(_ world: RoomWorld) -> Bool {
        world.clients[1].events.contains { event in
            guard case .memberLeft(_, .left) = event else { return false }
            return true
        }
    }

    @Test("Who leaves is gone when all of its messages are sent, at the server's pace", arguments: 1...3)
    func waits(seed: UInt64) throws {
        var world = Self.world(seed: seed)
        try Self.send(100, in: &world)
        world.clients[0].session.leave(now: world.now)
        #expect(!world.clients[0].session.isEnded)
        #expect(throws: RoomError.notJoined) { try world.send(.null, from: 0) }
        world.run(for: .seconds(1))
        #expect(!Self.sawLeave(world), "seed \(seed)")
        world.run(for: .seconds(4))
        #expect(world.clients[0].events.last == .ended(nil), "seed \(seed)")
        #expect(world.broker.statistics.refusals == 0, "seed \(seed)")
        #expect(world.data(1) == Self.numbers(100), "seed \(seed)")
        #expect(Self.sawLeave(world), "seed \(seed)")
        #expect(world.clients[0].session.nextTimeout == nil)
    }

    @Test("Who has nothing left to say leaves at once")
    func atOnce() throws {
        var world = Self.world(seed: 4)
        try Self.send(10, in: &world)
        world.clients[0].session.leave(now: world.now)
        #expect(world.clients[0].session.isEnded)
        world.run(for: .milliseconds(200))
        #expect(world.clients[0].events.last == .ended(nil))
        #expect(world.data(1) == Self.numbers(10))
        #expect(Self.sawLeave(world))
    }

    @Test("When the time is over it leaves, and says how much was not sent", arguments: [0, 1_000, 5_000])
    func timeLimit(milliseconds: Int64) throws {
        var world = Self.world(seed: 5, leaveTimeout: .milliseconds(milliseconds))
        try Self.send(300, in: &world)
        world.clients[0].session.leave(now: world.now)
        world.clients[0].session.leave(now: world.now)
        if milliseconds > 0 {
            world.run(for: .milliseconds(milliseconds) - .nanoseconds(1))
            #expect(!world.clients[0].session.isEnded)
        }
        world.run(for: .seconds(1))
        let sent = world.data(1).count
        // 45 at first, 18 a second, and the reserve at last.
        let seconds = Int(milliseconds / 1_000)
        #expect(sent >= 49 + 17 * seconds)
        #expect(sent <= 51 + 18 * seconds)
        #expect(world.clients[0].events.last == .ended(.unsent(messages: 300 - sent)))
        #expect(world.data(1) == Self.numbers(sent))
        #expect(world.broker.statistics.refusals == 0)
        #expect(Self.sawLeave(world))
    }

    @Test("Who leaves without a channel comes back to say what it has to say")
    func interrupted() throws {
        var world = Self.world(seed: 6)
        world.breakLink(of: 0)
        try Self.send(10, in: &world)
        world.clients[0].session.leave(now: world.now)
        world.run(for: .seconds(3))
        #expect(world.clients[0].events.suffix(2) == [.resumed, .ended(nil)])
        #expect(world.data(1) == Self.numbers(10))
        #expect(Self.sawLeave(world))
    }

    @Test("Who cannot come back says nothing, but says so when the time is over")
    func unreachable() throws {
        var world = Self.world(seed: 7)
        world.breakLink(of: 0)
        world.isReachable = false
        try Self.send(10, in: &world)
        world.clients[0].session.leave(now: world.now)
        world.run(for: .seconds(5) - .nanoseconds(1))
        #expect(!world.clients[0].session.isEnded)
        world.run(for: .nanoseconds(1))
        #expect(world.clients[0].events.last == .ended(.unsent(messages: 10)))
        #expect(world.data(1).isEmpty)
        #expect(world.clients[0].session.nextTimeout == nil)
    }

    @Test("Who finds its membership lost while it leaves does not join anew")
    func lost() throws {
        var world = Self.world(seed: 8)
        try Self.send(100, in: &world)
        world.clients[0].session.leave(now: world.now)
        world.restartServer()
        world.run(for: .seconds(3))
        #expect(world.clients[0].events.last == .ended(.unsent(messages: 100)))
        #expect(world.broker.statistics.members == 1)
    }

    @Test("Who leaves before it has joined leaves at once")
    func beforeJoining() {
        var world = Self.world(seed: 9)
        let third = world.add()
        world.clients[third].session.leave(now: world.now)
        #expect(world.clients[third].session.isEnded)
        world.run(for: .seconds(1))
        #expect(world.clients[third].events == [.ended(nil)])
        #expect(world.broker.statistics.members == 2)
    }
}
