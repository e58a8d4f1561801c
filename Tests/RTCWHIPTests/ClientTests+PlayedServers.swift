import NIOCore
import RTCSignaling
import RTCTestKit
import Synchronization
import Testing
import WebRTC

@testable import RTCWHIP

// Clients against servers that are played by hand.
extension ClientTests {
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
        await client.waitUntilConnected()
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
        await client.waitUntilConnected()
        await service.close()
        var last: WHIPClientEvent?
        for await event in client.events { last = event }
        #expect(last == .ended(.endedByServer))
    }
}
