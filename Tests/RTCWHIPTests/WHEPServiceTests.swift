import NIOCore
import RTCSignaling
import RTCTestKit
import Testing
import WebRTC

@testable import RTCWHIP

@Suite("A WHEP service", .timeLimit(.minutes(1)))
struct WHEPServiceTests {
    static func service(
        _ negotiation: WHEPService.Negotiation = .answers,
        kinds: [MediaKind] = [.audio, .video],
        codecs: [String] = ["VP8", "opus"],
        _ change: (inout WHIPServiceConfiguration) -> Void = { _ in }
    ) -> WHEPService {
        var configuration = WHIPServiceConfiguration()
        change(&configuration)
        let sources = kinds.map { MediaStreamTrackSource(kind: $0) }
        return WHEPService(
            path: "/whep",
            negotiation: negotiation,
            configuration: configuration,
            connect: { _ in try Peers.connection() },
            source: { $0.name == "stage" ? WHEPSource(sources: sources, codecs: codecs) { _ in } : nil }
        )
    }

    private static func post(_ sdp: String, to path: String = "/whep/stage") -> SignalingRequest {
        .post(sdp, to: path)
    }

    @Test("A viewer's offer is answered with what there is, in its codecs and one stream")
    func created() async throws {
        let service = Self.service()
        let response = await service.respond(to: Self.post(try await Peers.offer([.audio, .video], .recvonly)))
        #expect(response.status == 201, "\(response.text)")
        let lines = response.text.split(whereSeparator: \.isNewline)
        #expect(lines.count { $0 == "a=sendonly" } == 2)
        #expect(lines.contains { $0.hasSuffix(" VP8/90000") } && !lines.contains { $0.contains("VP9") })
        let streams = Set(lines.filter { $0.hasPrefix("a=msid:") }.map { $0.split(separator: " ")[0] })
        #expect(streams.count == 1 && lines.count { $0.hasPrefix("a=msid:") } == 2)
        await service.close()
    }

    @Test("Who wants more than there is gets what there is; who wants nothing of it gets 422")
    func partly() async throws {
        let service = Self.service(kinds: [.audio])
        let both = await service.respond(to: Self.post(try await Peers.offer([.audio, .video], .recvonly)))
        #expect(both.status == 201 && both.text.contains("a=inactive"))
        #expect(await service.respond(to: Self.post(try await Peers.offer([.video], .recvonly))).status == 422)
        let offer = try await Peers.offer([.audio], .recvonly).replacing("opus/48000", with: "copus/48000")
        #expect(await service.respond(to: Self.post(offer)).status == 422)
        #expect(await service.respond(to: Self.post(try await Peers.offer([.audio], .sendonly))).status == 422)
        #expect(service.sessionCount == 1)
        await service.close()
    }

    @Test("Where nobody publishes there is 409 with Retry-After")
    func conflict() async throws {
        let service = Self.service()
        let response = await service.respond(
            to: Self.post(try await Peers.offer([.audio], .recvonly), to: "/whep/other")
        )
        #expect(response.status == 409 && response.headers.first("retry-after") == "2")
        #expect(service.sessionCount == 0)
    }

    @Test("Who waits for a stream keeps nobody from opening sessions")
    func waiting() async throws {
        let clock = ManualClock()
        let service = Self.service {
            $0.limits.openings = WHIPRateLimit(burst: 1, perSecond: 1)
            $0.clock = clock
        }
        let offer = try await Peers.offer([.audio], .recvonly)
        for _ in 0..<3 {
            #expect(await service.respond(to: Self.post(offer, to: "/whep/other")).status == 409)
        }
        #expect(await service.respond(to: Self.post(offer)).status == 201)
        #expect(await service.respond(to: Self.post(offer)).status == 429)
        await service.close()
    }

    @Test("An endpoint says by GET and HEAD that it is one")
    func discovery() async {
        for method in ["GET", "HEAD"] {
            let response = await Self.service().respond(to: .init(method: method, target: "/whep/stage"))
            #expect(response.status == 200 && response.headers.first("content-type") == "application/sdp")
            #expect(response.body.readableBytes == 0)
        }
    }

    @Test("A counter-offer comes with 406 and how long it holds, and is answered once with PATCH")
    func counterOffer() async throws {
        let service = Self.service(.counterOffers)
        let response = await service.respond(to: Self.post(try await Peers.offer([.audio, .video], .recvonly)))
        #expect(response.status == 406, "\(response.text)")
        let type = try #require(response.headers.first("content-type"))
        let until = try #require(type.split(separator: "\"").dropFirst().first.flatMap { HTTPDate.parse(String($0)) })
        #expect(type.hasPrefix("application/sdp; valid-until=") && abs(until - HTTPDate.now - 15) <= 2)
        #expect(response.text.split(whereSeparator: \.isNewline).count { $0 == "a=sendonly" } == 2)
        func patch(_ body: String, _ type: String = "application/sdp", match: String? = nil) async -> SignalingResponse
        {
            await service.respond(to: .patch(body, to: response.location, match: match, type: type))
        }
        #expect(await patch("v=0").status == 400)
        let early = await patch("a=end-of-candidates\r\n", "application/trickle-ice-sdpfrag", match: response.tag)
        #expect(early.status == 409)
        let viewer = try Peers.connection()
        try await viewer.setRemoteDescription(RTCSessionDescription(type: .offer, sdp: response.text))
        try await viewer.setLocalDescription()
        let answer = try await viewer.gatheredDescription()
        let taken = await patch(answer.sdp)
        #expect(taken.status == 204, "\(taken.text)")
        #expect(await patch(answer.sdp).status == 415)
        for await event in viewer.events {
            if case .connectionStateChange(.connected) = event { break }
        }
        #expect(viewer.connectionState == .connected)
        await viewer.close()
        await service.close()
    }

    @Test("A counter-offer that nobody answers does not last")
    func expiry() async throws {
        let clock = ManualClock()
        let service = Self.service(.counterOffers) { $0.clock = clock }
        let response = await service.respond(to: Self.post(try await Peers.offer([.audio], .recvonly)))
        #expect(response.status == 406)
        await clock.waitForSleeper(until: .seconds(30))
        clock.advance(by: .seconds(30))
        try await eventually { service.sessionCount == 0 }
        #expect(await service.respond(to: .init(method: "DELETE", target: response.location)).status == 404)
    }
}
