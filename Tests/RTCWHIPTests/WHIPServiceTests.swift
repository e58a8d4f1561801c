import NIOCore
import RTCSignaling
import RTCTestKit
import Testing
import WebRTC

@testable import RTCWHIP

@Suite("A WHIP service", .timeLimit(.minutes(1)))
struct WHIPServiceTests {
    static func service(
        _ change: (inout WHIPServiceConfiguration) -> Void = { _ in },
        prepare: @escaping @Sendable (WHIPPeer) async throws -> Void = { _ in },
        serve: @escaping @Sendable (WHIPPeer) async -> Void = { _ in }
    ) -> WHIPService {
        var configuration = WHIPServiceConfiguration()
        change(&configuration)
        return WHIPService(
            path: "/whip",
            configuration: configuration,
            connect: { try Peers.connection() },
            prepare: prepare,
            serve: serve
        )
    }

    // MARK: Opening

    @Test("An offer is answered with 201, a session's URL, its entity-tag and all candidates")
    func created() async throws {
        let service = Self.service()
        let response = await service.respond(to: .post(try await Peers.offer()))
        #expect(response.status == 201, "\(response.text)")
        #expect(response.headers.first("content-type") == "application/sdp")
        #expect(response.headers.first("accept-patch") == "application/trickle-ice-sdpfrag")
        #expect(response.location.hasPrefix("/whip/stage/session/"))
        #expect(response.location.split(separator: "/").last?.count == 32)
        #expect(response.tag.hasPrefix("\"") && response.tag.count > 10)
        let lines = response.text.split(whereSeparator: \.isNewline)
        #expect(lines.count { $0 == "a=recvonly" } == 2)
        #expect(lines.count { $0 == "a=rtcp-mux-only" } == 2)
        #expect(lines.contains { $0.hasPrefix("a=candidate:") })
        #expect(lines.contains("a=end-of-candidates"))
        #expect(service.sessionCount == 1)
        await service.close()
        #expect(service.sessionCount == 0)
    }

    @Test(
        "What RFC 9725 does not take is refused",
        arguments: [
            ("a=sendonly", "a=recvonly", 422), ("a=sendonly", "a=inactive", 422), ("a=group:BUNDLE 0 1", "a=x:y", 422),
            ("a=rtcp-mux\r\n", "", 422), ("m=video", "m=audio", 422), ("v=0", "v=1", 400),
            ("a=fingerprint:", "a=y:", 422),
            ("a=ice-pwd:", "a=z:", 422), ("m=audio 9", "m=audio 0", 201),
            ("a=setup:actpass", "a=setup:active", 201), ("a=sendonly", "a=sendrecv", 201),
        ]
    )
    func offers(text: String, other: String, status: Int) async throws {
        let service = Self.service()
        let offer = try await Peers.offer().replacing(text, with: other)
        let response = await service.respond(to: .post(offer))
        // That a section without DTLS or credentials is a fault of syntax or of content is a matter of taste.
        let isExpected = response.status == status || (status == 422 && response.status == 400)
        #expect(isExpected, "\(response.status) \(response.text)")
        if status == 201 {
            #expect(!response.text.contains("a=sendrecv"))
        } else {
            #expect(response.headers.first("content-type") == "application/problem+json")
        }
        await service.close()
    }

    @Test("Sections of more than one stream, of data, or of codecs that nobody has are refused")
    func sections() async throws {
        let service = Self.service()
        let offer = try await Peers.offer()
        var count = 0
        let streams = offer.split(separator: "\r\n", omittingEmptySubsequences: false).map { line in
            guard line.hasPrefix("a=msid:") else { return String(line) }
            count += 1
            return "a=msid:stream\(count) track"
        }.joined(separator: "\r\n")
        #expect(await service.respond(to: .post(streams)).status == 422)
        let data =
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sctp-port:5000\r\n"
        #expect(await service.respond(to: .post(offer + data)).status == 422)
        let codecs = offer.replacing(
            try Regex("a=rtpmap:([0-9]+) [A-Za-z0-9-]+"),
            with: { "a=rtpmap:\($0.output[1].substring ?? "") X" }
        )
        #expect(await service.respond(to: .post(codecs)).status == 422)
        #expect(await service.respond(to: .post("")).status == 400)
        #expect(await service.respond(to: .post("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n")).status == 422)
        #expect(service.sessionCount == 0)
    }

    @Test("A body of another type, too large or without text is refused")
    func bodies() async throws {
        let service = Self.service { $0.limits.bodySize = 100 }
        let typed = await service.respond(to: .post("v=0", type: "application/json"))
        #expect(typed.status == 415 && typed.headers.first("accept-post") == "application/sdp")
        #expect(await service.respond(to: .post(String(repeating: "x", count: 101))).status == 413)
        var request = SignalingRequest.post("")
        request.body = ByteBuffer(bytes: [0xFF, 0xFE])
        #expect(await service.respond(to: request).status == 400)
        let parameters = await service.respond(to: .post("x", type: "Application/SDP; charset=utf-8"))
        #expect(parameters.status == 400)
    }

    @Test("What `prepare` throws is what the publisher hears")
    func prepare() async throws {
        struct Unexpected: Error {}
        let errors: [(any Error & Sendable, Int)] = [
            (WHIPRefusal.conflict("taken", retryAfter: .seconds(5)), 409), (RTCError(.operation, "no"), 422),
            (Unexpected(), 500),
        ]
        let offer = try await Peers.offer()
        for (error, status) in errors {
            let service = Self.service(prepare: { _ in throw error })
            let response = await service.respond(to: .post(offer))
            #expect(response.status == status)
            if status == 409 { #expect(response.headers.first("retry-after") == "5") }
            #expect(service.sessionCount == 0)
        }
        let full = WHIPService(path: "/whip", connect: { throw Unexpected() }, serve: { _ in })
        let response = await full.respond(to: .post(offer))
        #expect(response.status == 503 && response.headers.first("retry-after") != nil)
    }

    @Test("Peers keep no offer, and what is printed of requests and peers has no secrets")
    func descriptions() async throws {
        let (peers, continuation) = AsyncStream.makeStream(of: WHIPPeer.self)
        let (requests, requested) = AsyncStream.makeStream(of: WHIPRequest.self)
        let service = Self.service(
            { configuration in
                configuration.authorize = { request in
                    requested.yield(request)
                    return nil
                }
            },
            prepare: { continuation.yield($0) }
        )
        let post = SignalingRequest.post(try await Peers.offer(), to: "/whip/a%0Ab?key=hidden", token: "secret")
        let location = await service.respond(to: post).location
        #expect(await service.respond(to: .init(method: "GET", target: location)).status == 204)
        var iterator = requests.makeAsyncIterator()
        let (first, second) = (try #require(await iterator.next()), try #require(await iterator.next()))
        #expect("\(first)" == #"WHIPRequest(POST "a\nb")"#)
        #expect("\([second])" == #"[WHIPRequest(GET, session of "a\nb")]"#)
        for await peer in peers {
            #expect("\(peer) \(String(reflecting: peer))" == #"WHIPPeer("a\nb") WHIPPeer("a\nb")"#)
            #expect(peer.request.http.body.readableBytes == 0 && peer.request.token?.matches("secret") == true)
            #expect(peer.connection.remoteDescription?.type == .offer)
            break
        }
        await service.close()
    }

    // MARK: Methods

    @Test("Methods that a resource does not have get 405, and those it has are named")
    func methods() async throws {
        let service = Self.service()
        for method in ["PUT", "DELETE", "PATCH", "TRACE"] {
            let response = await service.respond(to: .init(method: method, target: "/whip/stage"))
            #expect(response.status == 405 && response.headers.first("allow") == "OPTIONS, GET, HEAD, POST")
        }
        let location = await service.respond(to: .post(try await Peers.offer())).location
        for method in ["PUT", "POST"] {
            let response = await service.respond(to: .init(method: method, target: location))
            #expect(response.status == 405 && response.headers.first("allow") == "OPTIONS, GET, HEAD, PATCH, DELETE")
        }
        for path in ["/whip/stage", location] {
            for method in ["GET", "HEAD"] {
                let response = await service.respond(to: .init(method: method, target: path))
                #expect(response.status == 204 && response.body.readableBytes == 0)
            }
        }
        #expect(await service.respond(to: .init(method: "GET", target: "/other")).status == 404)
        #expect(await service.respond(to: .init(method: "GET", target: "/whip/stage/session/0")).status == 404)
        await service.close()
    }

    @Test("DELETE ends a session, whatever entity-tag it names, and once")
    func delete() async throws {
        let (ended, continuation) = AsyncStream.makeStream(of: RTCPeerConnection.self)
        let service = Self.service(prepare: { continuation.yield($0.connection) })
        let location = await service.respond(to: .post(try await Peers.offer())).location
        let foreign = location.replacing("/stage/", with: "/other/")
        #expect(await service.respond(to: .init(method: "DELETE", target: foreign)).status == 404)
        let request = SignalingRequest(method: "DELETE", target: location, headers: ["if-match": "\"none\""])
        #expect(await service.respond(to: request).status == 200)
        #expect(service.sessionCount == 0)
        for await connection in ended {
            #expect(connection.signalingState == .closed)
            break
        }
        #expect(await service.respond(to: request).status == 404)
        #expect(await service.respond(to: .patch("", to: location, match: "*")).status == 404)
    }

    // MARK: Origins and servers

    @Test("A preflight is answered for every page, costs nothing and names no servers")
    func preflight() async throws {
        let service = Self.service {
            $0.authorize = { _ in .unauthorized }
            $0.iceServers = { _ in [RTCIceServer(urls: ["stun:a.example"])] }
        }
        let headers: SignalingHeaders = ["origin": "https://page.example", "access-control-request-method": "POST"]
        let response = await service.respond(to: .init(method: "OPTIONS", target: "/whip/stage", headers: headers))
        #expect(response.status == 200)
        #expect(response.headers.first("access-control-allow-origin") == "*")
        #expect(response.headers.list("access-control-allow-methods").contains("PATCH"))
        #expect(response.headers.list("access-control-allow-headers").contains("if-match"))
        for name in ["location", "link", "etag", "accept-patch"] {
            #expect(response.headers.list("access-control-expose-headers").contains(name))
        }
        #expect(response.headers.first("accept-post") == "application/sdp")
        #expect(response.headers.first("link") == nil)
    }

    @Test("Servers are named to who may publish, by OPTIONS and with the answer")
    func servers() async throws {
        let service = Self.service {
            $0.authorize = { $0.token?.matches("secret") == true ? nil : .unauthorized }
            $0.iceServers = { request in
                [RTCIceServer(urls: ["turn:a.example"], username: request.name, credential: "c")]
            }
        }
        func options(_ headers: SignalingHeaders) async -> String? {
            await service.respond(to: .init(method: "OPTIONS", target: "/whip/stage", headers: headers)).headers.first(
                "link"
            )
        }
        #expect(await options([:]) == nil)
        let link = await options(["authorization": "Bearer secret"])
        #expect(
            link == #"<turn:a.example>; rel="ice-server"; username="stage"; credential="c"; credential-type="password""#
        )
        let response = await service.respond(to: .post(try await Peers.offer(), token: "secret"))
        #expect(response.headers.first("link") == link)
        let session = await service.respond(to: .init(method: "OPTIONS", target: response.location))
        #expect(session.headers.first("accept-patch") == "application/trickle-ice-sdpfrag")
        await service.close()
    }

    @Test("Only pages of allowed origins read responses where there is a list")
    func origins() async {
        let service = Self.service { $0.allowedOrigins = ["https://a.example"] }
        func origin(_ text: String) async -> SignalingResponse {
            await service.respond(to: .init(method: "GET", target: "/whip/stage", headers: ["origin": text]))
        }
        #expect(await origin("https://a.example").headers.first("access-control-allow-origin") == "https://a.example")
        let other = await origin("https://b.example")
        #expect(other.headers.first("access-control-allow-origin") == nil && other.headers.first("vary") == "origin")
    }

    // MARK: Who may

    @Test("Every request but OPTIONS is decided on")
    func authorization() async throws {
        let service = Self.service { configuration in
            configuration.authorize = { request in
                guard let token = request.token else { return .unauthorized }
                if token.matches("busy") { return .unavailable("busy", retryAfter: .milliseconds(1500)) }
                if token.matches("else") { return .redirect(to: "https://b.example/whip") }
                if token.matches("weak") { return .forbidden }
                if token.matches("none") { return .notFound }
                return token.matches("right") ? nil : .unauthorized
            }
        }
        let offer = try await Peers.offer()
        let none = await service.respond(to: .post(offer))
        #expect(none.status == 401 && none.headers.first("www-authenticate") == "Bearer")
        let wrong = await service.respond(to: .post(offer, token: "wrong"))
        #expect(wrong.status == 401 && wrong.headers.first("www-authenticate") == #"Bearer error="invalid_token""#)
        #expect(await service.respond(to: .post(offer, token: "weak")).status == 403)
        #expect(await service.respond(to: .post(offer, token: "none")).status == 404)
        let busy = await service.respond(to: .post(offer, token: "busy"))
        #expect(busy.status == 503 && busy.headers.first("retry-after") == "2")
        let elsewhere = await service.respond(to: .post(offer, token: "else"))
        #expect(elsewhere.status == 307 && elsewhere.location == "https://b.example/whip")
        #expect(elsewhere.body.readableBytes == 0)
        let location = await service.respond(to: .post(offer, token: "right")).location
        for method in ["GET", "PATCH", "DELETE"] {
            #expect(await service.respond(to: .init(method: method, target: location)).status == 401)
        }
        #expect(service.sessionCount == 1)
        await service.close()
    }

    @Test("There are as many sessions as allowed, in all and for each token, and no more at once than the rate allows")
    func limits() async throws {
        let clock = ManualClock()
        let service = Self.service {
            $0.limits.sessions = 3
            $0.limits.sessionsPerToken = 1
            $0.limits.openings = WHIPRateLimit(burst: 6, perSecond: 1)
            $0.clock = clock
        }
        let offer = try await Peers.offer([.audio])
        let first = await service.respond(to: .post(offer, token: "a"))
        #expect(first.status == 201)
        #expect(await service.respond(to: .post(offer, token: "a")).status == 429)
        #expect(await service.respond(to: .post(offer, token: "b")).status == 201)
        #expect(await service.respond(to: .post(offer)).status == 201)
        let full = await service.respond(to: .post(offer))
        #expect(full.status == 503 && full.headers.first("retry-after") != nil)
        #expect(await service.respond(to: .init(method: "DELETE", target: first.location)).status == 200)
        #expect(await service.respond(to: .post(offer, token: "a")).status == 201)
        // Six were taken: the next second brings one.
        #expect(await service.respond(to: .post(offer)).status == 429)
        clock.advance(by: .seconds(1))
        #expect(await service.respond(to: .post(offer)).status == 503)
        await service.close()
        #expect(await service.respond(to: .post(offer)).status == 503)
    }

    @Test("What counts as an opening: offers however bad, and OPTIONS that name servers; no preflights")
    func openings() async throws {
        let clock = ManualClock()
        let service = Self.service {
            $0.limits.openings = WHIPRateLimit(burst: 2, perSecond: 1)
            $0.iceServers = { _ in [RTCIceServer(urls: ["stun:a.example"])] }
            $0.clock = clock
        }
        #expect(await service.respond(to: .post("v=0")).status == 400)
        let options = SignalingRequest(method: "OPTIONS", target: "/whip/stage")
        let named = await service.respond(to: options)
        #expect(named.status == 200 && named.headers.first("link") != nil)
        let unnamed = await service.respond(to: options)
        #expect(unnamed.status == 429 && unnamed.headers.first("retry-after") == "1")
        #expect(await service.respond(to: .post("v=0")).status == 429)
        var preflight = options
        preflight.headers = ["origin": "https://a.example", "access-control-request-method": "POST"]
        #expect(await service.respond(to: preflight).status == 200)
        clock.advance(by: .seconds(1))
        #expect(await service.respond(to: .post(try await Peers.offer())).status == 201)
        await service.close()
    }

    @Test("A session that never connects is deleted")
    func vanished() async throws {
        let clock = ManualClock()
        let (ended, continuation) = AsyncStream.makeStream(of: RTCPeerConnection.self)
        let service = Self.service({ $0.clock = clock }, prepare: { continuation.yield($0.connection) })
        let location = await service.respond(to: .post(try await Peers.offer())).location
        await clock.waitForSleeper(until: .seconds(30))
        clock.advance(by: .seconds(29))
        #expect(await service.respond(to: .init(method: "GET", target: location)).status == 204)
        clock.advance(by: .seconds(1))
        for await connection in ended {
            try await eventually { connection.signalingState == .closed }
            break
        }
        try await eventually { service.sessionCount == 0 }
        #expect(await service.respond(to: .init(method: "GET", target: location)).status == 404)
    }

    @Test("A base URL and the query of the endpoint's URL stand in Location")
    func location() async throws {
        let service = Self.service { $0.baseURL = "https://media.example" }
        let response = await service.respond(to: .post(try await Peers.offer([.video]), to: "/whip?key=1"))
        #expect(response.location.hasPrefix("https://media.example/whip/session/"))
        #expect(response.location.hasSuffix("?key=1"))
        await service.close()
    }
}
