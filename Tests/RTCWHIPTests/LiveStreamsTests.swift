import RTCSignaling
import RTCTestKit
import Testing
import WebRTC

@testable import RTCWHIP

@Suite("Live streams", .timeLimit(.minutes(1)))
struct LiveStreamsTests {
    private static func peer(_ session: String) throws -> WHIPPeer {
        let http = SignalingRequest(method: "POST", target: "/whip/stage")
        let request = WHIPRequest(http: http, name: "stage", session: nil)
        return WHIPPeer(session: session, request: request, connection: try Peers.connection())
    }

    @Test("Of two publishers that were both answered the first has the name where a second one is refused")
    func atOnce() async throws {
        let streams = LiveStreams(secondPublisher: .isRefused)
        let (first, second) = (try Self.peer("1"), try Self.peer("2"))
        try await streams.prepare(first)
        try await streams.prepare(second)
        let publishing = Task { await streams.publish(first) }
        try await eventually { streams.names == ["stage"] }
        // Returns at once, and the session ends thereby.
        await streams.publish(second)
        #expect(streams.source("stage")?.neighbour === first.connection)
        await #expect(throws: WHIPRefusal.self) { try await streams.prepare(second) }
        publishing.cancel()
        await publishing.value
        #expect(streams.names.isEmpty)
        await first.connection.close()
        await second.connection.close()
    }

    @Test("A name is free as soon as its publisher's session is over")
    func freed() async throws {
        let streams = LiveStreams(secondPublisher: .isRefused)
        let (first, second) = (try Self.peer("1"), try Self.peer("2"))
        let before = Task { await streams.publish(first) }
        try await eventually { streams.names == ["stage"] }
        await first.connection.close()
        try await streams.prepare(second)
        let after = Task { await streams.publish(second) }
        await before.value
        #expect(streams.source("stage")?.neighbour === second.connection)
        after.cancel()
        await after.value
        #expect(streams.names.isEmpty)
        await second.connection.close()
    }
}
