import NIOCore
import NIOPosix
import RTCSignaling
import RTCTestKit
import Testing
import WebRTC

@testable import RTCWHIP

/// The requests of clients: how long they may take, who sends them, what goes with them.
@Suite("Requests of clients", .timeLimit(.minutes(1)))
struct ClientRequestTests {
    private static func publish(_ client: WHIPClient) async -> WHIPClientError? {
        do throws(WHIPClientError) {
            try await client.publish([MediaStreamTrack(source: MediaStreamTrackSource(kind: .audio))])
            return nil
        } catch {
            return error
        }
    }

    private static func configuration(_ exchange: any WHIPExchange) -> WHIPClientConfiguration {
        var configuration = WHIPClientConfiguration()
        configuration.exchange = exchange
        configuration.addressPolicy = Peers.loopback
        return configuration
    }

    private static func isUnreachable(_ error: WHIPClientError?) -> Bool {
        if case .unreachable = error { true } else { false }
    }

    // MARK: Time

    @Test("A request that takes longer than it may ends, whatever sends it")
    func timeout() async {
        let clock = ManualClock()
        let exchange = ServiceExchange([
            "a.example": { _ in
                await Latch().wait()
                throw CancellationError()
            }
        ])
        var configuration = Self.configuration(exchange)
        configuration.clock = clock
        configuration.requestTimeout = .seconds(10)
        let client = WHIPClient(url: "http://a.example/whip", configuration: configuration)
        let result = Task { await Self.publish(client) }
        await clock.waitForSleeper(until: .seconds(10))
        clock.advance(by: .seconds(10))
        #expect(Self.isUnreachable(await result.value))
    }

    @Test("A response whose body never ends takes no longer than one that never comes")
    func bodyTimeout() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EndlessResponse())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        var configuration = Self.configuration(AsyncHTTPExchange.shared)
        configuration.requestTimeout = .milliseconds(300)
        let client = WHIPClient(url: "http://127.0.0.1:\(port)/whip", configuration: configuration)
        #expect(Self.isUnreachable(await Self.publish(client)))
        try await server.close()
    }

    // MARK: Cancellation

    @Test("A server hears of the end of a session from a task that was cancelled too")
    func cancelled() async throws {
        let service = WHIPServiceTests.service()
        let exchange = ServiceExchange([
            "a.example": { request in
                try Task.checkCancellation()
                return await service.respond(to: request)
            }
        ])
        let client = WHIPClient(url: "http://a.example/whip", configuration: Self.configuration(exchange))
        #expect(await Self.publish(client) == nil)
        #expect(service.sessionCount == 1)
        let task = Task {
            await Latch().wait()
            #expect(Task.isCancelled)
            await client.stop()
        }
        task.cancel()
        await task.value
        #expect(service.sessionCount == 0)
        await service.close()
    }

    // MARK: Tokens

    @Test("The token goes to hosts that may have it, and redirections are followed without it")
    func tokens() async throws {
        let service = WHIPServiceTests.service()
        let exchange = ServiceExchange([
            "a.example": { _ in SignalingResponse(307, headers: ["location": "http://b.example/whip/stage"]) },
            "b.example": { await service.respond(to: $0) },
        ])
        var configuration = Self.configuration(exchange)
        configuration.token = "t"
        configuration.sendsToken = { $0.hasPrefix("http://a.example/") }
        let client = WHIPClient(url: "http://a.example/whip", configuration: configuration)
        #expect(await Self.publish(client) == nil)
        await client.stop()
        for await request in exchange.requests {
            let isFirst = request.headers.first("host") == "a.example"
            #expect(request.headers.first("authorization") == (isFirst ? "Bearer t" : nil))
            if request.method == "DELETE" { break }
        }
        await service.close()
    }
}

/// Answers with the head of a response, and the beginning of its body.
private final class EndlessResponse: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let text = "HTTP/1.1 201 Created\r\ncontent-type: application/sdp\r\ncontent-length: 1000\r\n\r\nv=0\r\n"
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }
}
