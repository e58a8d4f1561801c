import NIOCore
import RTCSignaling
import Synchronization
import Testing
import WebRTC

@testable import RTCWHIP

/// Clients against services of this process, and against servers that are played by hand.
@Suite("Clients", .timeLimit(.minutes(1)))
struct ClientTests {
    private static let opus = RTCRtpCodec(mimeType: "audio/opus", clockRate: 48_000, channels: 2)

    private static func configuration(_ exchange: any WHIPExchange) -> WHIPClientConfiguration {
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
        while server.streams.names != ["stage"] { await Task.yield() }
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
        let connection = try await publisher.publish([MediaStreamTrack(source: MediaStreamTrackSource(kind: .audio))])
        while connection.connectionState != .connected { try await Task.sleep(for: .milliseconds(5)) }
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

    // MARK: Servers played by hand

    private static func offer(
        _ hosts: [String: ServiceExchange.Handler],
        url: String = "http://a.example/whip",
        _ change: (inout WHIPClientConfiguration) -> Void = { _ in }
    ) async -> (error: WHIPClientError?, client: WHIPClient, exchange: ServiceExchange) {
        let exchange = ServiceExchange(hosts)
        var configuration = Self.configuration(exchange)
        change(&configuration)
        let client = WHIPClient(url: url, configuration: configuration)
        do throws(WHIPClientError) {
            try await client.publish([MediaStreamTrack(source: MediaStreamTrackSource(kind: .audio))])
            return (nil, client, exchange)
        } catch {
            return (error, client, exchange)
        }
    }

    @Test("Redirections are followed with the token, and the session's URL counts from where they end")
    func redirects() async throws {
        let service = WHIPServiceTests.service()
        let (error, client, exchange) = await Self.offer([
            "a.example": { _ in SignalingResponse(307, headers: ["location": "//b.example/x/../moved"]) },
            "b.example": { _ in SignalingResponse(308, headers: ["location": "http://c.example/whip/stage"]) },
            "c.example": { await service.respond(to: $0) },
        ]) { $0.token = "t" }
        #expect(error == nil)
        await client.stop()
        #expect(service.sessionCount == 0)
        var seen: [String] = []
        for await request in exchange.requests {
            #expect(request.headers.first("authorization") == "Bearer t")
            seen.append("\(request.method) \(request.headers.first("host") ?? "")\(request.path.prefix(20))")
            if request.method == "DELETE" { break }
        }
        #expect(seen.prefix(3) == ["POST a.example/whip", "POST b.example/moved", "POST c.example/whip/stage"])
        #expect(seen.last?.hasPrefix("DELETE c.example/whip/stage/session") == true)
    }

    @Test("Redirections that lose the method, TLS or themselves are not followed")
    func badRedirects() async {
        for (status, location) in [
            (301, "/b"), (302, "/b"), (303, "/b"), (307, ""), (307, "ftp://x/y"), (307, "/whip"),
        ] {
            let (error, _, _) = await Self.offer([
                "a.example": { _ in
                    SignalingResponse(status, headers: location.isEmpty ? [:] : ["location": location])
                }
            ])
            guard case .redirected = error else {
                Issue.record("\(status) \(location): \(String(describing: error))")
                continue
            }
        }
        let (error, _, _) = await Self.offer(
            ["a.example": { (_) in SignalingResponse(307, headers: ["location": "http://a.example/whip"]) }],
            url: "https://a.example/whip"
        )
        #expect(error == .redirected(status: 307, location: "http://a.example/whip"))
    }

    @Test("A refusal is an error with its status", arguments: [400, 401, 403, 404, 406, 409, 415, 422, 500, 502, 599])
    func refusals(status: Int) async {
        let (error, client, _) = await Self.offer(["a.example": { _ in SignalingResponse(status, text: "because") }])
        #expect(error == .refused(status: status, reason: "because"))
        await #expect(throws: WHIPClientError.invalidState) { try await client.publish([]) }
        var events: [WHIPClientEvent] = []
        for await event in client.events { events.append(event) }
        #expect(events.last == .ended(error))
    }

    @Test("Responses that are not of the protocol, and none at all")
    func badResponses() async {
        let cases: [SignalingResponse] = [
            SignalingResponse(201, headers: ["content-type": "application/sdp"], text: "v=0"),
            SignalingResponse(201, headers: ["content-type": "text/html", "location": "/s"], text: "v=0"),
            SignalingResponse(200),
        ]
        for response in cases {
            let (error, _, _) = await Self.offer(["a.example": { _ in response }])
            guard case .badResponse = error else {
                Issue.record("\(response): \(String(describing: error))")
                continue
            }
        }
        let sdp = SignalingResponse(201, headers: ["content-type": "application/sdp", "location": "/s"], text: "v=0")
        let (error, _, exchange) = await Self.offer(["a.example": { _ in sdp }])
        guard case .negotiation = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        // A session that cannot be used is not left behind.
        for await request in exchange.requests where request.method == "DELETE" {
            #expect(request.path == "/s")
            break
        }
        let (unreachable, _, _) = await Self.offer([:])
        guard case .unreachable = unreachable else {
            Issue.record("\(String(describing: unreachable))")
            return
        }
        let (invalid, _, _) = await Self.offer([:], url: "media.example/whip")
        #expect(invalid == .invalidURL("media.example/whip"))
    }

    @Test("An offer is sent again when the server asks for patience, as long as it says")
    func retries() async throws {
        let clock = ManualClock()
        let count = Mutex(0)
        let result = Task {
            await Self.offer([
                "a.example": { (_) -> SignalingResponse in
                    let number = count.withLock { count in
                        count += 1
                        return count
                    }
                    return SignalingResponse(503, headers: number == 1 ? ["retry-after": "7"] : [:])
                }
            ]) {
                $0.clock = clock
                // Shorter than every wait that is looked for.
                $0.requestTimeout = .milliseconds(1)
                $0.retries = 3
                $0.maximumRetryDelay = .seconds(10)
            }.error
        }
        for (wait, total) in [(7, 7), (2, 9), (4, 13)] {
            await clock.waitForSleeper(until: .seconds(total))
            clock.advance(by: .seconds(wait))
        }
        #expect(await result.value == .refused(status: 503, reason: ""))
        #expect(count.withLock { $0 } == 4)
    }

    @Test("A server that takes no PATCH serves all the same")
    func withoutPatch() async throws {
        let service = WHIPServiceTests.service(serve: { _ in await Latch().wait() })
        let (error, client, _) = await Self.offer([
            "a.example": { (request) -> SignalingResponse in
                guard request.method != "PATCH" else { return SignalingResponse(405) }
                var response = await service.respond(to: request)
                response.headers.set("etag", "")
                return response
            }
        ])
        #expect(error == nil)
        let connection = try #require(await client.connection)
        while connection.connectionState != .connected { try await Task.sleep(for: .milliseconds(5)) }
        await #expect(throws: WHIPClientError.refused(status: 405, reason: "")) { try await client.restartICE() }
        #expect(connection.signalingState == .stable && connection.connectionState == .connected)
        await client.stop()
        await service.close()
    }

    @Test("Servers for ICE come with the answer, unless the client has its own, or by OPTIONS")
    func servers() async throws {
        let service = WHIPServiceTests.service {
            $0.iceServers = { _ in [RTCIceServer(urls: ["turn:127.0.0.1:9"], username: "u", credential: "c")] }
        }
        let own = RTCIceServer(urls: ["stun:127.0.0.1:9"])
        for (asks, given) in [(false, []), (false, [own]), (true, [])] {
            let configured = Mutex<[RTCIceServer]>([])
            let (error, client, exchange) = await Self.offer(["a.example": { await service.respond(to: $0) }]) {
                $0.asksForServers = asks
                $0.connection.iceServers = given
                if asks { $0.candidates = .gathered }
                $0.gatheringTimeout = .milliseconds(100)
                $0.connect = { configuration throws(RTCError) in
                    configured.withLock { $0 = configuration.iceServers }
                    return try RTCPeerConnection(configuration: configuration, addressPolicy: Peers.loopback)
                }
            }
            #expect(error == nil)
            let now = try #require(await client.connection?.getConfiguration().iceServers)
            #expect(now.map(\.urls) == [given.first?.urls ?? ["turn:127.0.0.1:9"]])
            #expect(configured.withLock { $0.isEmpty } == (!asks && given.isEmpty))
            var requests = exchange.requests.makeAsyncIterator()
            #expect(await requests.next()?.method == (asks ? "OPTIONS" : "POST"))
            #expect(await client.links.count == 1)
            await client.stop()
        }
        await service.close()
    }

    @Test("A session that the server ends is over at the client")
    func lost() async throws {
        let service = WHIPServiceTests.service(serve: { _ in await Latch().wait() })
        let (error, client, _) = await Self.offer([
            "a.example": { request in
                request.method == "PATCH" ? SignalingResponse(404) : await service.respond(to: request)
            }
        ]) {
            $0.connection.timing.disconnectedTimeout = .milliseconds(200)
            $0.connection.timing.consentTimeout = .seconds(20)
        }
        #expect(error == nil)
        let connection = try #require(await client.connection)
        while connection.connectionState != .connected { try await Task.sleep(for: .milliseconds(5)) }
        await service.close()
        var last: WHIPClientEvent?
        for await event in client.events { last = event }
        #expect(last == .ended(.endedByServer))
    }
}
