import NIOCore
import RTCBase
import RTCCalls
import RTCCore
import RTCRooms
import RTCSignaling
import RTCTestKit
import Synchronization
import Testing
import WebRTC

/// A member of a mesh whose peers all have a channel for text.
final class MeshMember: Sendable {
    let room: RoomClient
    let call: MeshCall
    private let state = Mutex<(texts: [String], ends: [MeshEnd])>(([], []))
    private let chats = Mutex<[RoomMemberID: RTCDataChannel]>([:])
    private let weakConnections: WeakConnections

    init(
        _ service: RoomService,
        _ connections: WeakConnections,
        breaking: Channels = Channels(),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        var configuration = RoomClientConfiguration()
        configuration.firstDelay = .milliseconds(5)
        self.room = RoomClient(configuration: configuration) { () throws(SignalingChannelError) in
            let (client, server) = SignalingChannelPair.make()
            breaking.add(server)
            Task { await service.serve(server) }
            return client
        }
        self.weakConnections = connections
        let makeConnection: MeshCall.Making = { () throws(RTCError) in
            var policy = RTCAddressPolicy.defaults
            policy.includesLoopback = true
            policy.addresses = ["127.0.0.1"]
            let connection = try RTCPeerConnection(addressPolicy: policy)
            connections.add(connection)
            return connection
        }
        self.call = MeshCall(room: self.room, makeConnection: makeConnection, clock: clock) { _ in }
    }

    var texts: [String] { self.state.withLock { $0.texts.sorted() } }
    var ends: [MeshEnd] { self.state.withLock { $0.ends } }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.call.run() }
            for await event in self.call.events {
                switch event {
                case .peer(let peer):
                    guard
                        let chat = try? await peer.connection.createDataChannel("chat", .init(negotiated: true, id: 0))
                    else { continue }
                    self.chats.withLock { $0[peer.member.id] = chat }
                    group.addTask { for await _ in peer.events {} }
                    group.addTask { await self.read(chat) }
                case .ended(let peer, let end):
                    self.chats.withLock { $0[peer.member.id] = nil }
                    self.state.withLock { $0.ends.append(end) }
                case .failed, .room: break
                }
            }
        }
        self.chats.withLock { $0 = [:] }
    }

    private func read(_ chat: RTCDataChannel) async {
        do {
            for try await message in chat.messages { self.state.withLock { $0.texts.append(message.text ?? "") } }
        } catch {
            // It ends with its connection.
        }
    }

    func say(_ text: String, count: Int) async throws {
        try await eventually { self.chats.withLock { $0.count } >= count }
        for chat in self.chats.withLock({ Array($0.values) }) { try await chat.send(text) }
    }
}

/// Server sides of channels, to be broken.
final class Channels: Sendable {
    private let channels = Mutex<[any SignalingChannel]>([])

    func add(_ channel: any SignalingChannel) { self.channels.withLock { $0.append(channel) } }

    func breakAll() async {
        for channel in self.channels.withLock({ $0 }) { await channel.close() }
    }
}

/// Connections, as long as anybody else keeps them.
final class WeakConnections: Sendable {
    private struct Reference: Sendable {
        weak let connection: RTCPeerConnection?
    }

    private let references = Mutex<[Reference]>([])

    func add(_ connection: RTCPeerConnection) {
        self.references.withLock { $0.append(Reference(connection: connection)) }
    }

    var made: Int { self.references.withLock { $0.count } }
    var alive: Int { self.references.withLock { $0.count { $0.connection != nil } } }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct MeshCallTests {
    static let room = RoomName("mesh")!

    @Test("Members are connected with each other, who leaves is parted from, and nothing stays")
    func mesh() async throws {
        let connections = WeakConnections()
        let service = RoomService()
        weak var last: MeshMember?
        try await withThrowingDiscardingTaskGroup { group in
            let members = (0..<4).map { _ in MeshMember(service, connections) }
            last = members[3]
            for member in members {
                group.addTask { await member.run() }
                try await member.room.join(Self.room)
            }
            for (number, member) in members.enumerated() { try await member.say("from \(number)", count: 3) }
            for (number, member) in members.enumerated() {
                let others = (0..<4).filter { $0 != number }.map { "from \($0)" }
                try await eventually { member.texts == others }
            }
            #expect(connections.made == 12)
            members[0].room.leave()
            for member in members.dropFirst() {
                try await eventually { await member.call.connections.count == 2 }
                try await eventually { member.ends == [.left(.left)] }
            }
            for member in members.dropFirst() { member.room.leave() }
        }
        try await eventually { connections.alive == 0 }
        try await eventually { last == nil }
        try await eventually { service.statistics.connections == 0 && service.statistics.members == 0 }
    }

    /// Two members who have talked, for the length of `body`; then they leave, and nothing stays.
    private func pair(
        breaking channels: Channels = Channels(),
        clock: any Clock<Duration> = ContinuousClock(),
        body: ([MeshMember], WeakConnections) async throws -> Void
    ) async throws {
        let connections = WeakConnections()
        let service = RoomService()
        try await withThrowingDiscardingTaskGroup { group in
            let members = (0..<2).map { _ in MeshMember(service, connections, breaking: channels, clock: clock) }
            for member in members {
                group.addTask { await member.run() }
                try await member.room.join(Self.room)
            }
            try await members[0].say("before", count: 1)
            try await eventually { members[1].texts == ["before"] }
            try await body(members, connections)
            for member in members { member.room.leave() }
        }
        try await eventually { connections.alive == 0 }
    }

    @Test("Who closes its connections before it leaves has left, and not failed")
    func closingFirst() async throws {
        let clock = ManualClock()
        var remaining: MeshMember?
        try await self.pair(clock: clock) { members, _ in
            remaining = members[1]
            await members[0].call.connections[0].connection.close()
            await clock.waitForSleeper(until: .seconds(1))
            members[0].room.leave()
            try await eventually { members[1].ends == [.left(.left)] }
            clock.advance(by: .seconds(60))
        }
        #expect(remaining?.ends == [.left(.left)])
    }

    @Test("A connection that ended without a word has failed a second later, and is made anew after the back-off")
    func replacement() async throws {
        let clock = ManualClock()
        try await self.pair(clock: clock) { members, connections in
            await members[0].call.connections[0].connection.close()
            await clock.waitForSleeper(until: .seconds(1))
            clock.advance(by: .milliseconds(999))
            #expect(members[1].ends.isEmpty)
            clock.advance(by: .milliseconds(1))
            try await eventually { members[1].ends == [.failed] }
            // Between one second and two from then on.
            await clock.waitForSleeper(until: .seconds(2))
            #expect(connections.made == 2)
            clock.advance(by: .seconds(2))
            try await eventually { await members[1].call.connections.first?.connection.connectionState == .connected }
            #expect(connections.made == 4)
            try await members[1].say("after", count: 1)
            try await eventually { members[0].texts == ["after"] }
            #expect(members[0].ends == [.replaced])
        }
    }

    @Test("Connections survive channels to the server that break, again and again")
    func resumption() async throws {
        let channels = Channels()
        try await self.pair(breaking: channels) { members, connections in
            for round in 0..<10 {
                await channels.breakAll()
                try await members[round % 2].say("\(round)", count: 1)
                try await eventually { members[1 - round % 2].texts.contains("\(round)") }
            }
            #expect(members.map(\.texts.count) == [5, 6])
            #expect(connections.made == 2)
        }
    }

    @Test("A connection's goodbye closes it, and the other side's too")
    func goodbye() async throws {
        try await self.pair { members, _ in
            let other = await members[1].call.connections[0].connection
            await members[0].call.connections[0].negotiator.close(reason: "enough")
            try await eventually { members[1].ends.contains(.bye("enough")) && other.connectionState == .closed }
        }
    }

    @Test("A member that begins one connection after the other gets one a second at most, with numbers of any size")
    func manyCalls() async throws {
        let connections = WeakConnections()
        let service = RoomService()
        let clock = ManualClock()
        try await withThrowingDiscardingTaskGroup { group in
            let member = MeshMember(service, connections, clock: clock)
            group.addTask { await member.run() }
            try await member.room.join(Self.room)
            let hostile = RoomClient { () throws(SignalingChannelError) in
                let (client, server) = SignalingChannelPair.make()
                Task { await service.serve(server) }
                return client
            }
            try await hostile.join(Self.room)
            let events = hostile.events.makeAsyncIterator()
            // More than JavaScript can count is no number of a connection.
            let largest = (1 << 53) - 2
            for (calls, standing) in [(Array(2...100), 2), ([.max, 3, largest, 5], 3), ([largest], largest)] {
                for call in calls {
                    try hostile.send(
                        .negotiation(NegotiationMessage(call: call, .offer(sdp: "broken", number: 1, answered: 0))),
                        to: .everyone
                    )
                }
                // All before it was taken when this is answered, by the one that there is.
                let position = NegotiationPosition(offer: nil, answered: 0, wantsReply: true)
                try hostile.send(
                    .negotiation(NegotiationMessage(call: standing, .synchronise(position))),
                    to: .everyone
                )
                try await Self.waitForComparison(of: standing, events)
                clock.advance(by: .seconds(1))
            }
            // That of the beginning, and one for each time.
            #expect(connections.made == 4)
            hostile.leave()
            try await eventually { member.ends == [.replaced, .replaced, .replaced, .left(.left)] }
            member.room.leave()
        }
        try await eventually { connections.alive == 0 }
    }

    private static func waitForComparison(of call: Int, _ events: RoomEvents.AsyncIterator) async throws {
        var events = events
        while let event = await events.next() {
            if case .message(.negotiation(let message), _) = event, message.call == call,
                case .synchronise = message.content
            {
                return
            }
        }
        Issue.record("the room ended")
    }
}
