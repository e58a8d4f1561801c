import RTCRooms
import RTCSignaling
import RTCTestKit
import Testing

/// Tasks that are cancelled, and channels that do not go on.
@Suite(.timeLimit(.minutes(1))) struct RoomDrivingTests {
    @Test("Joining in a task that is cancelled already ends at once")
    func cancelledBefore() async throws {
        let rooms = LocalRooms()
        for _ in 0..<100 {
            let client = rooms.client()
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await client.join(RoomClientTests.lobby)
            }
            await #expect(throws: RoomError.cancelled) { try await task.value }
        }
        try await rooms.wait { $0.members == 0 && $0.connections == 0 }
    }

    @Test("A queue's reader and its writers stop waiting when they are cancelled, at whatever moment")
    func cancelledQueue() async {
        for round in 0..<200 {
            let queue = EventQueue<Int>(capacity: 1)
            let reader = Task { await queue.next() }
            if round.isMultiple(of: 2) { await Task.yield() }
            reader.cancel()
            #expect(await reader.value == nil)
            for number in 0..<3 { queue.put(number) }
            let writer = Task { await queue.waitForRoom() }
            if round.isMultiple(of: 2) { await Task.yield() }
            writer.cancel()
            await writer.value
        }
    }

    @Test("Who joins and leaves at once is seen to leave, not waited for")
    func hastyLeave() async throws {
        let rooms = LocalRooms()
        let watcher = rooms.client()
        try await watcher.join(RoomClientTests.lobby)
        var events = watcher.events.makeAsyncIterator()
        for _ in 0..<100 {
            let client = rooms.client()
            try await client.join(RoomClientTests.lobby)
            client.leave()
            let reason = try await RoomClientTests.next(&events) {
                if case .memberLeft(_, let reason) = $0 { reason } else { nil }
            }
            #expect(reason == .left)
        }
        watcher.leave()
        try await rooms.wait { $0.members == 0 && $0.connections == 0 }
    }

    @Test("Who leaves and is forgotten still says what it had to say", arguments: [true, false])
    func forgottenWords(leaves: Bool) async throws {
        var strict = RoomConfiguration()
        strict.messageRate = 200
        strict.messageBurst = 50
        let rooms = LocalRooms(strict)
        let watcher = rooms.client()
        try await watcher.join(RoomClientTests.lobby)
        weak var forgotten: RoomClient?
        do {
            let client = rooms.client()
            forgotten = client
            try await client.join(RoomClientTests.lobby)
            for number in Int64(0)..<100 { try client.send(.data(.integer(number)), to: .everyone) }
            if leaves { client.leave() }
        }
        try await eventually { forgotten == nil }
        var events = watcher.events.makeAsyncIterator()
        for number in Int64(0)..<100 {
            #expect(try await RoomClientTests.next(&events, RoomClientTests.data) == .integer(number))
        }
        let reason = try await RoomClientTests.next(&events) {
            if case .memberLeft(_, let reason) = $0 { reason } else { nil }
        }
        #expect(reason == .left)
        watcher.leave()
        try await rooms.wait { $0.members == 0 && $0.connections == 0 }
    }

    @Test("The owner's decision on a client that is gone is cancelled")
    func cancelledDecision() async throws {
        let (steps, says) = AsyncStream.makeStream(of: String.self)
        let rooms = LocalRooms { _ in
            says.yield("begun")
            await withTaskCancellationHandler {
                while !Task.isCancelled { await Task.yield() }
            } onCancel: {
                says.yield("cancelled")
            }
            return .allow()
        }
        let client = rooms.client()
        let task = Task { try await client.join(RoomClientTests.lobby) }
        var step = steps.makeAsyncIterator()
        #expect(await step.next() == "begun")
        client.leave()
        await #expect(throws: RoomError.cancelled) { try await task.value }
        #expect(await step.next() == "cancelled")
        try await rooms.wait { $0.connections == 0 && $0.members == 0 }
    }
}
