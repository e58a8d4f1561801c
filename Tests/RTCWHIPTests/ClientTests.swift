import NIOCore
import RTCSignaling
import RTCTestKit
import Testing
import WebRTC

@testable import RTCWHIP

/// Clients against services of this process, and (in an extension) against servers that are played by hand.
@Suite("Clients", .timeLimit(.minutes(1)))
struct ClientTests {
    private static let opus = RTCRtpCodec(mimeType: "audio/opus", clockRate: 48_000, channels: 2)

    static func configuration(_ exchange: any WHIPExchange) -> WHIPClientConfiguration {
        var configuration = WHIPClientConfiguration()
        configuration.exchange = exchange
        configuration.addressPolicy = Peers.loopback
        return configuration
    }

    /// A server with one endpoint and streams on loopback.
    private struct Server {
        let endpoint: WebRTCEndpoint
        let streams: LiveStreams
        let whip: WHIPService
        let whep: WHEPService

        init(
            _ negotiation: WHEPService.Negotiation = .answers,
            _ secondPublisher: LiveStreams.SecondPublisher = .takesOver
        ) async throws {
            var endpoint = WebRTCEndpoint.Configuration()
            endpoint.addressPolicy = Peers.loopback
            self.endpoint = try await WebRTCEndpoint.bind(endpoint)
            self.streams = LiveStreams(secondPublisher: secondPublisher)
            self.whip = WHIPService(path: "/whip", endpoint: self.endpoint, streams: self.streams)
            self.whep = WHEPService(
                path: "/whep",
                endpoint: self.endpoint,
                streams: self.streams,
                negotiation: negotiation
            )
        }

        var exchange: ServiceExchange {
            let (whip, whep) = (self.whip, self.whep)
            return ServiceExchange([
                "media.example": { request in
                    request.path.hasPrefix("/whip") ? await whip.respond(to: request) : await whep.respond(to: request)
                }
            ])
        }

        func close() async {
            await self.whip.close()
            await self.whep.close()
            await self.endpoint.close()
        }
    }

    /// Writes sound all the time, as long as `body` runs.
    private static func speaking(_ source: MediaStreamTrackSource, _ body: () async throws -> Void) async throws {
        let task = Task {
            for number in 0... {
                let data = ByteBuffer(bytes: [0xFC, UInt8(truncatingIfNeeded: number)])
                source.write(RTCEncodedFrame(data: data, timestamp: UInt32(number) * 960, codec: Self.opus))
                guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { return }
            }
        }
        defer { task.cancel() }
        try await body()
    }

    private static func hear(_ receiver: RTCRtpReceiver, _ count: Int = 20) async {
        var heard = 0
        for await _ in receiver.packets() {
            heard += 1
            if heard == count { break }
        }
    }

    @Test("What one publishes another plays, before and after restarts of ICE", arguments: [false, true])
    func publishAndPlay(counterOffers: Bool) async throws {
        let server = try await Server(counterOffers ? .counterOffers : .answers)
        let source = MediaStreamTrackSource(kind: .audio)
        let publisher = WHIPClient(
            url: "http://media.example/whip/stage",
            configuration: Self.configuration(server.exchange)
        )
        try await publisher.publish([MediaStreamTrack(source: source)])
        try await Self.speaking(source) {
            // Until the publisher is connected there is 409; the client asks again.
            var configuration = Self.configuration(server.exchange)
            configuration.maximumRetryDelay = .milliseconds(50)
            configuration.retries = 100
            let viewer = WHEPClient(url: "http://media.example/whep/stage", configuration: configuration)
            let receivers = try await viewer.play([.audio])
            let receiver = try #require(receivers.first)
            await Self.hear(receiver)
            for _ in 0..<2 {
                try await viewer.restartICE()
                try await publisher.restartICE()
                await Self.hear(receiver)
            }
            #expect(server.whip.sessionCount == 1 && server.whep.sessionCount == 1)
            await publisher.stop()
            // With its publisher a stream ends for its viewers.
            var last: WHIPClientEvent?
            for await event in viewer.events { last = event }
            #expect(last == .ended(.endedByServer))
        }
        var last: WHIPClientEvent?
        for await event in publisher.events { last = event }
        #expect(last == .ended(nil))
        #expect(server.whip.sessionCount == 0)
        await server.close()
    }

    @Test("A publisher that comes again takes its place, and viewers stay")
    func takeover() async throws {
        let server = try await Server()
        let sources = [MediaStreamTrackSource(kind: .audio), MediaStreamTrackSource(kind: .audio)]
        let clients = [0, 1].map { _ in
            WHIPClient(url: "http://media.example/whip/stage", configuration: Self.configuration(server.exchange))
        }
        try await clients[0].publish([MediaStreamTrack(source: sources[0])])
        try await Self.speaking(sources[0]) {
            var configuration = Self.configuration(server.exchange)
            configuration.maximumRetryDelay = .milliseconds(50)
            configuration.retries = 100
            let viewer = WHEPClient(url: "http://media.example/whep/stage", configuration: configuration)
            let receiver = try #require(try await viewer.play([.audio]).first)
            await Self.hear(receiver)
            try await clients[1].publish([MediaStreamTrack(source: sources[1])])
            var last: WHIPClientEvent?
            for await event in clients[0].events { last = event }
            #expect(last == .ended(.endedByServer))
            try await Self.speaking(sources[1]) { await Self.hear(receiver) }
            #expect(server.whip.sessionCount == 1 && server.whep.sessionCount == 1)
            await viewer.stop()
            #expect(server.whep.sessionCount == 0)
        }
        await clients[1].stop()
        await server.close()
    }

    @Test("A second publisher is refused where that is wished, until the first is gone")
    func secondPublisher() async throws {
        let server = try await Server(.answers, .isRefused)
        func publish() async -> (WHIPClient, WHIPClientError?) {
            let client = WHIPClient(
                url: "http://media.example/whip/stage",
                configuration: Self.configuration(server.exchange)
            )
            do throws(WHIPClientError) {
                try await client.publish([MediaStreamTrack(source: MediaStreamTrackSource(kind: .audio))])
                return (client, nil)
            } catch {
                return (client, error)
            }
        }
        let (first, failure) = await publish()
        #expect(failure == nil)
        try await eventually { server.streams.names == ["stage"] }
        guard case .refused(409, _)? = await publish().1 else {
            Issue.record("the second publisher was not refused")
            return
        }
        await first.stop()
        let (second, none) = await publish()
        #expect(none == nil)
        await second.stop()
        await server.close()
    }

    @Test("Candidates go out together after the answer, with the entity-tag and the token")
    func trickle() async throws {
        let server = try await Server()
        let exchange = server.exchange
        var configuration = Self.configuration(exchange)
        configuration.token = "secret"
        let publisher = WHIPClient(url: "http://media.example/whip/stage", configuration: configuration)
        try await publisher.publish([MediaStreamTrack(source: MediaStreamTrackSource(kind: .audio))])
        var requests = exchange.requests.makeAsyncIterator()
        let post = try #require(await requests.next())
        #expect(post.method == "POST" && !String(buffer: post.body).contains("a=candidate:"))
        #expect(String(buffer: post.body).contains("a=rtcp-mux-only"))
        let patch = try #require(await requests.next())
        #expect(patch.method == "PATCH" && patch.headers.first("if-match")?.hasPrefix("\"") == true)
        #expect(patch.headers.first("authorization") == "Bearer secret")
        let fragment = try TrickleFragment(parsing: String(buffer: patch.body))
        #expect(!fragment.candidates.isEmpty)
        await publisher.stop()
        while let request = await requests.next() {
            guard request.method == "DELETE" else { continue }
            #expect(request.headers.first("if-match") == nil)
            #expect(request.headers.first("authorization") == "Bearer secret")
            break
        }
        await server.close()
    }

    @Test("Where candidates are gathered first, the offer has them and no PATCH follows")
    func gathered() async throws {
        let server = try await Server()
        let exchange = server.exchange
        var configuration = Self.configuration(exchange)
        configuration.candidates = .gathered
        let publisher = WHIPClient(url: "http://media.example/whip/stage", configuration: configuration)
        try await publisher.publish([MediaStreamTrack(source: MediaStreamTrackSource(kind: .audio))])
        await publisher.waitUntilConnected()
        await publisher.stop()
        var methods: [String] = []
        for await request in exchange.requests {
            methods.append(request.method)
            if request.method == "POST" { #expect(String(buffer: request.body).contains("a=candidate:")) }
            if request.method == "DELETE" { break }
        }
        #expect(methods == ["POST", "DELETE"])
        await server.close()
    }
}
