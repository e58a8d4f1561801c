import NIOCore
import RTCRooms
import RTCSignaling
import RTCSignalingClient
import Synchronization

/// Clients in rooms of equal size, of which some send each other messages.
final class RoomLoad: Sendable {
    private let clients: [RoomClient]
    private let size: Int
    private let samples = Mutex(Samples())

    /// Joins; a room's members are neighbours.
    init(url: String, sessions: Int, roomSize: Int, size: Int) async throws {
        self.size = size
        let configuration = RoomClientConfiguration()
        let clients = (0..<sessions).map { _ in
            RoomClient(configuration: configuration) { () throws(SignalingChannelError) in
                try await WebSocketClient.connect(to: url)
            }
        }
        self.clients = clients
        let numbers = Numbers(0..<sessions)
        try await withThrowingDiscardingTaskGroup { group in
            for _ in 0..<64 {
                group.addTask {
                    while let number = numbers.take() {
                        guard let room = RoomName("room-\(number / roomSize)") else { return }
                        try await clients[number].join(room)
                    }
                }
            }
        }
    }

    /// Sends messages at a rate, each to the next member of the room, and measures how long each takes.
    ///
    /// - Returns: The latencies, in microseconds.
    func run(rate: Int, seconds: Double) async throws -> Samples {
        let start = NIODeadline.now()
        let messages = Int(Double(rate) * seconds)
        let padding = JSONValue.string(String(repeating: "x", count: self.size))
        await withDiscardingTaskGroup { group in
            for client in self.clients { group.addTask { await self.receive(client, start) } }
            for number in 0..<messages {
                let due = start + .nanoseconds(Int64(Double(number) / Double(rate) * 1e9))
                let wait = (due - .now()).nanoseconds
                if wait > 0 { try? await Task.sleep(for: .nanoseconds(wait)) }
                let client = self.clients[number * 7 % self.clients.count]
                guard let other = client.members.first else { continue }
                let sent = JSONValue.integer((NIODeadline.now() - start).nanoseconds)
                try? client.send(.data(["sent": sent, "padding": padding]), to: .member(other.id))
            }
            try? await Task.sleep(for: .seconds(1))
            for client in self.clients { client.leave() }
        }
        return self.samples.withLock { $0 }
    }

    private func receive(_ client: RoomClient, _ start: NIODeadline) async {
        for await event in client.events {
            guard case .message(.data(let data), _) = event, let sent = data["sent"]?.integerValue else { continue }
            let now = (NIODeadline.now() - start).nanoseconds
            self.samples.withLock { $0.append(Double(now - Int64(sent)) / 1e3) }
        }
    }
}
