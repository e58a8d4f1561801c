import NIOCore
import NIOPosix
import RTCSignaling
import Testing

@testable import RTCSignalingServer

@Suite struct SessionOutboxTests {
    private final class Link: SessionLink {
        var sent = 0
        var closed: [Int] = []
        var canPause: Bool { false }

        func send(_ message: WebSocketMessage) { self.sent += 1 }
        func close(code: Int, reason: String) { self.closed.append(code) }
        func setReading(_ isReading: Bool) {}
    }

    @Test("Empty messages that wait for the event loop are too many at some time, too")
    func emptyMessages() async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let (bound, outbox) = try await eventLoop.submit {
            let link = Link()
            let outbox = SessionOutbox(eventLoop: eventLoop, link: link, maximumUnsentBytes: 1000)
            return (NIOLoopBound(link, eventLoop: eventLoop), outbox)
        }.get()
        // Within one turn of the loop nothing of it is sent.
        func send(_ count: Int) async throws -> (sent: Int, closed: [Int]) {
            try await eventLoop.submit { for _ in 0..<count { outbox.send(.text("")) } }.get()
            return try await eventLoop.submit { (bound.value.sent, bound.value.closed) }.get()
        }
        for _ in 0..<10 { _ = try await send(31) }
        let before = try await send(0)
        #expect(before.sent == 310 && before.closed.isEmpty)
        let after = try await send(32)
        #expect(after.sent == 310 && after.closed == [1008])
    }
}
