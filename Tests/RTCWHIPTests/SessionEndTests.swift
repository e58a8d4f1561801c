import RTCSignaling
import Synchronization
import Testing
import WebRTC

@testable import RTCWHIP

/// How sessions end while a handler serves them.
@Suite("Ends of sessions", .timeLimit(.minutes(1)))
struct SessionEndTests {
    private static func publish(to service: WHIPService) async throws -> WHIPClient {
        var configuration = WHIPClientConfiguration()
        configuration.exchange = ServiceExchange(["a.example": { await service.respond(to: $0) }])
        configuration.addressPolicy = Peers.loopback
        let client = WHIPClient(url: "http://a.example/whip/stage", configuration: configuration)
        try await client.publish([MediaStreamTrack(source: MediaStreamTrackSource(kind: .audio))])
        return client
    }

    @Test("A handler may end its own session")
    func byHandler() async throws {
        let own = Mutex<WHIPService?>(nil)
        let (results, continuation) = AsyncStream.makeStream(of: (Bool, RTCSignalingState).self)
        let service = WHIPServiceTests.service(serve: { peer in
            let ended = await own.withLock { $0 }?.endSession(peer.session) ?? false
            continuation.yield((ended, peer.connection.signalingState))
        })
        own.withLock { $0 = service }
        let client = try await Self.publish(to: service)
        for await (ended, state) in results {
            #expect(ended && state == .closed)
            break
        }
        #expect(service.sessionCount == 0)
        own.withLock { $0 = nil }
        await client.stop()
        await service.close()
    }

    @Test("A session is over when its connection is closed, though its handler goes on", arguments: [false, true])
    func lingeringHandler(closesService: Bool) async throws {
        let (begun, isOver) = (Latch(), Latch())
        let service = WHIPServiceTests.service(serve: { _ in
            begun.open()
            // Not cancelled with the handler.
            await Task { await isOver.wait() }.value
        })
        let client = try await Self.publish(to: service)
        await begun.wait()
        if closesService { await service.close() } else { await client.stop() }
        #expect(service.sessionCount == 0)
        isOver.open()
        await client.stop()
        await service.close()
    }
}
