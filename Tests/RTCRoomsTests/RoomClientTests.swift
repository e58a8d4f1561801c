import NIOCore
import RTCBase
import RTCRooms
import RTCSignaling
import RTCSignalingClient
import RTCSignalingServer
import RTCTestKit
import Synchronization
import Testing

/// A service whose clients are in the same process, and whose channels can be broken.
final class LocalRooms: Sendable {
    let service: RoomService
    private let open = Mutex<[any SignalingChannel]>([])
    private let isReachable = Mutex(true)

    init(_ configuration: RoomConfiguration = RoomConfiguration(), decide: RoomService.Decision? = nil) {
        self.service = RoomService(configuration: configuration, decide: decide)
    }

    func client(_ configuration: RoomClientConfiguration = RoomClientConfiguration()) -> RoomClient {
        var configuration = configuration
        configuration.firstDelay = .milliseconds(5)
        return RoomClient(configuration: configuration) { [self] () throws(SignalingChannelError) in
            guard self.isReachable.withLock({ $0 }) else { throw .connectionFailed(reason: "nobody there") }
            let (client, server) = SignalingChannelPair.make()
            self.open.withLock { $0.append(server) }
            Task { [service = self.service] in await service.serve(server) }
            return client
        }
    }

    func setReachable(_ isReachable: Bool) { self.isReachable.withLock { $0 = isReachable } }

    /// Closes all channels.
    func breakChannels() async {
        let channels = self.open.withLock { open in
            defer { open = [] }
            return open
        }
        for channel in channels { await channel.close() }
    }

    /// Waits until the statistics are such.
    func wait(until condition: (RoomStatistics) -> Bool) async throws {
        try await eventually { condition(self.service.statistics) }
    }
}

@Suite(.timeLimit(.minutes(1))) struct RoomClientTests {
    static let lobby = RoomName("lobby")!

    /// The next event that is wanted; others are passed over.
    static func next<Value>(
        _ events: inout RoomEvents.AsyncIterator,
        _ pick: (RoomEvent) -> Value?
    ) async throws -> Value {
        while let event = await events.next() {
            if let value = pick(event) { return value }
        }
        throw RoomError.notJoined
    }

    static func data(_ event: RoomEvent) -> JSONValue? {
        guard case .message(.data(let data), _) = event else { return nil }
        return data
    }

    @Test("Clients in one process talk, lose their channels and go on, and leave nothing behind")
    func whole() async throws {
        weak var first: RoomClient?
        let rooms = LocalRooms()
        do {
            let (alice, bob) = (rooms.client(), rooms.client())
            first = alice
            #expect(try await alice.join(Self.lobby, metadata: ["name": "Alice"]).isEmpty)
            #expect(try await bob.join(Self.lobby).map(\.metadata) == [["name": "Alice"]])
            var events = bob.events.makeAsyncIterator()
            try alice.send(.data("one"), to: .everyone)
            #expect(try await Self.next(&events, Self.data) == "one")
            rooms.setReachable(false)
            await rooms.breakChannels()
            try alice.send(.data("two"), to: .member(#require(bob.member).id))
            rooms.setReachable(true)
            #expect(try await Self.next(&events, Self.data) == "two")
            try alice.send(.data("three"), to: .everyone)
            #expect(try await Self.next(&events, Self.data) == "three")
            #expect(bob.members.map(\.id) == [try #require(alice.member).id])
            alice.leave()
            let left = try await Self.next(&events) {
                if case .memberLeft(let member, let why) = $0 { (member, why) } else { nil }
            }
            #expect(left.1 == .left)
            bob.leave()
            #expect(bob.member == nil)
            #expect(throws: RoomError.notJoined) { try bob.send(.data(1), to: .everyone) }
            while let event = await events.next() { if case .ended(let error) = event { #expect(error == nil) } }
        }
        try await rooms.wait { $0.members == 0 && $0.connections == 0 && $0.rooms == 0 && $0.keptBytes == 0 }
        try await eventually { first == nil }
    }

    @Test("A client that is forgotten leaves")
    func forgotten() async throws {
        let rooms = LocalRooms()
        do {
            let client = rooms.client()
            try await client.join(Self.lobby)
        }
        try await rooms.wait { $0.members == 0 && $0.connections == 0 }
    }

    @Test("Joining ends with the server's refusal, with cancellation, and happens once")
    func refusals() async throws {
        let rooms = LocalRooms { _ in .deny(reason: "no") }
        await #expect(throws: RoomError.refused(RoomRefusal(.unauthorized, "no"))) {
            try await rooms.client().join(Self.lobby)
        }
        let open = LocalRooms()
        let client = open.client()
        try await client.join(Self.lobby)
        await #expect(throws: RoomError.alreadyJoined) { try await client.join(Self.lobby) }
        open.setReachable(false)
        let waiting = open.client()
        let task = Task { try await waiting.join(Self.lobby) }
        task.cancel()
        await #expect(throws: RoomError.cancelled) { try await task.value }
        var hasty = RoomClientConfiguration()
        hasty.joinTimeout = .milliseconds(50)
        let late = open.client(hasty)
        let error = await #expect(throws: RoomError.self) { try await late.join(Self.lobby) }
        guard case .unreachable? = error else { throw RoomError.notJoined }
    }

    @Test("Who does not read its events holds up its own channel alone")
    func slowReader() async throws {
        let rooms = LocalRooms()
        var configuration = RoomClientConfiguration()
        configuration.maximumUnreadEvents = 4
        let (slow, quick, sender) = (rooms.client(configuration), rooms.client(), rooms.client())
        for client in [slow, quick, sender] { try await client.join(Self.lobby) }
        for number in Int64(0)..<200 { try sender.send(.data(.integer(number)), to: .everyone) }
        for client in [quick, slow] {
            var events = client.events.makeAsyncIterator()
            for number in Int64(0)..<200 { #expect(try await Self.next(&events, Self.data) == .integer(number)) }
        }
        for client in [slow, quick, sender] { client.leave() }
        try await rooms.wait { $0.members == 0 && $0.connections == 0 }
    }

    @Test("Over a server's WebSockets it is the same, and the owner sees the request")
    func webSocket() async throws {
        let service = RoomService { admission in
            admission.request?.queryValue("key") == "secret"
                ? .allow(metadata: ["checked": true]) : .deny(reason: "key")
        }
        var routes = SignalingRoutes()
        routes.rooms(service, webSocket: "/rooms")
        let server = try await SignalingServer.bind(routes)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await server.run() }
            defer { server.shutdown() }
            let url = "ws://127.0.0.1:\(server.address.port!)/rooms"
            let clients = ["?key=secret", "?key=secret", ""].map { query in
                RoomClient { () throws(SignalingChannelError) in try await WebSocketClient.connect(to: url + query) }
            }
            try await clients[0].join(Self.lobby)
            #expect(try await clients[1].join(Self.lobby).map(\.metadata) == [["checked": true]])
            await #expect(throws: RoomError.refused(RoomRefusal(.unauthorized, "key"))) {
                try await clients[2].join(Self.lobby)
            }
            var events = clients[0].events.makeAsyncIterator()
            let text = String(repeating: "ä", count: 50_000)
            try clients[1].send(.data(.string(text)), to: .everyone)
            #expect(try await Self.next(&events, Self.data) == .string(text))
            service.remove(try #require(clients[0].member).id, reason: "out")
            let error = try await Self.next(&events) { if case .ended(let error) = $0 { error } else { nil } }
            #expect(error == .refused(RoomRefusal(.removed, "out")))
            clients[1].leave()
            try await eventually { service.statistics.connections == 0 }
            #expect(service.statistics.members == 0)
        }
    }
}
