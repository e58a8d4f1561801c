import NIOCore
import RTCSignaling
import RTCTestKit
import Testing
import WebRTC

@testable import RTCWHIP

/// PATCH in all its forms, at a session whose client is played by hand.
@Suite("Changes of a session", .timeLimit(.minutes(1)))
struct SessionChangeTests {
    static let candidate = "a=candidate:1 1 udp 2122260223 127.0.0.1 9 typ host ufrag old\r\n"

    /// A session, and the credentials of its client.
    private struct Opened {
        var service: WHIPService
        var connection: RTCPeerConnection
        var location: String
        var tag: String
        var ufrag: String
        var password: String

        func patch(
            _ fragment: String,
            match: String? = nil,
            type: String = "application/trickle-ice-sdpfrag"
        ) async
            -> SignalingResponse
        {
            await self.service.respond(to: .patch(fragment, to: self.location, match: match, type: type))
        }

        func fragment(_ lines: String = "", ufrag: String? = nil) -> String {
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:\(ufrag ?? self.ufrag)\r\na=ice-pwd:\(self.password)\r\n\(lines)"
        }
    }

    private static func open(_ change: (inout WHIPServiceConfiguration) -> Void = { _ in }) async throws -> Opened {
        let (connections, continuation) = AsyncStream.makeStream(of: RTCPeerConnection.self)
        let service = WHIPServiceTests.service(change, prepare: { continuation.yield($0.connection) })
        let offer = try await Peers.offer()
        let response = await service.respond(to: .post(offer))
        var iterator = connections.makeAsyncIterator()
        let credentials = try #require(RTCSessionDescription(type: .offer, sdp: offer).trickle?.credentials)
        return Opened(
            service: service,
            connection: try #require(await iterator.next()),
            location: response.location,
            tag: response.tag,
            ufrag: credentials.ufrag,
            password: credentials.password
        )
    }

    @Test("Candidates are taken with 204 and no entity-tag, whatever section or ufrag they name")
    func trickle() async throws {
        let session = try await Self.open()
        for (number, match) in [session.tag, "*", #""x", \#(session.tag)"#, #""*""#].enumerated() {
            let candidate = Self.candidate.replacing(" 9 typ", with: " \(1000 + number) typ")
            let response = await session.patch(session.fragment(candidate), match: match)
            #expect(response.status == 204 && response.headers.first("etag") == nil, "\(match): \(response.text)")
            #expect(response.body.readableBytes == 0)
            #expect(session.connection.remoteDescription?.sdp.contains(" \(1000 + number) typ host") == true)
        }
        let bare =
            "m=video 9 RTP/AVP 0\r\na=mid:unknown\r\na=candidate:1 1 udp 1 127.0.0.1 2000 typ host\r\na=end-of-candidates\r\n"
        #expect(await session.patch(bare, match: session.tag).status == 204)
        let remote = session.connection.remoteDescription?.sdp ?? ""
        #expect(remote.contains(" 2000 typ host") && remote.contains("a=end-of-candidates"))
        await session.service.close()
    }

    @Test("Candidates that are of no use here are dropped without a word")
    func strangers() async throws {
        let session = try await Self.open()
        let lines =
            "a=candidate:1 1 sctp 1 127.0.0.1 9 typ host\r\na=candidate:1 1 udp 1 no.such.host 9 typ host\r\n"
            + "a=candidate:1 2 udp 1 127.0.0.1 9 typ host\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ strange\r\n"
        #expect(await session.patch(session.fragment(lines), match: session.tag).status == 204)
        await session.service.close()
    }

    @Test("Conditions: 428 without one, 412 where it fails")
    func conditions() async throws {
        let session = try await Self.open()
        #expect(await session.patch(session.fragment(Self.candidate)).status == 428)
        for match in [#""other""#, "", "W/" + session.tag, "other"] {
            #expect(await session.patch(session.fragment(Self.candidate), match: match).status == 412, "\(match)")
        }
        #expect(await session.patch(session.fragment(ufrag: "brandnew")).status == 428)
        await session.service.close()
    }

    @Test("Bodies: 415 of another type, 400 where they are malformed")
    func bodies() async throws {
        let session = try await Self.open()
        for type in ["application/json", "application/sdp", ""] {
            let response = await session.patch(session.fragment(), match: "*", type: type)
            #expect(response.status == 415)
            #expect(response.headers.first("accept-patch") == "application/trickle-ice-sdpfrag")
        }
        for fragment in ["", "x", "v=0\r\n", session.fragment("a=candidate:broken\r\n"), "a=ice-ufrag:abcd\r\n"] {
            let response = await session.patch(fragment, match: "*")
            #expect(response.status == 400, "\(fragment)")
            #expect(response.headers.first("content-type") == "application/problem+json")
        }
        #expect(await session.patch(session.fragment(), match: session.tag).status == 204)
        await session.service.close()
    }

    @Test("New credentials restart ICE: 200, a fragment with all candidates, and another entity-tag")
    func restart() async throws {
        let session = try await Self.open()
        let before = try #require(session.connection.localDescription?.trickle?.credentials)
        let response = await session.patch(session.fragment(Self.candidate, ufrag: "brandnew"), match: "*")
        #expect(response.status == 200, "\(response.text)")
        #expect(response.headers.first("content-type") == "application/trickle-ice-sdpfrag")
        #expect(!response.tag.isEmpty && response.tag != session.tag)
        let fresh = try TrickleFragment(parsing: response.text)
        #expect(fresh.credentials != nil && fresh.credentials != before)
        #expect(!fresh.candidates.isEmpty && fresh.isComplete)
        #expect(session.connection.signalingState == .stable)
        let remote = try #require(session.connection.remoteDescription?.trickle)
        #expect(remote.credentials?.ufrag == "brandnew" && remote.candidates.count == 1)
        // What was for the session before comes too late.
        #expect(await session.patch(session.fragment(Self.candidate), match: session.tag).status == 412)
        #expect(
            await session.patch(session.fragment(Self.candidate, ufrag: "brandnew"), match: response.tag).status == 204
        )
        await session.service.close()
    }

    @Test("Overlapping changes are made one after the other; restarts have different entity-tags")
    func overlapping() async throws {
        let session = try await Self.open()
        let tags = await withTaskGroup(of: String.self) { group in
            for number in 0..<8 {
                group.addTask { await session.patch(session.fragment(ufrag: "restart\(number)"), match: "*").tag }
            }
            return await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(tags.count == 8 && !tags.contains(""))
        #expect(session.connection.signalingState == .stable)
        await session.service.close()
    }

    @Test("A restart that cannot be made leaves the session as it was")
    func failedRestart() async throws {
        let session = try await Self.open()
        // A password of a length that only the description's check knows.
        let before = session.connection.localDescription?.trickle
        await session.connection.close()
        let response = await session.patch(session.fragment(ufrag: "brandnew"), match: "*")
        #expect(response.status == 422 || response.status == 404)
        #expect(session.connection.localDescription?.trickle?.credentials == before?.credentials)
        await session.service.close()
    }

    @Test("Who changes too often has to wait")
    func rate() async throws {
        let clock = ManualClock()
        let session = try await Self.open {
            $0.clock = clock
            $0.limits.changes = WHIPRateLimit(burst: 2, perSecond: 1)
        }
        var statuses: [Int] = []
        for _ in 0..<3 { statuses.append(await session.patch(session.fragment(), match: "*").status) }
        #expect(statuses == [204, 204, 429])
        clock.advance(by: .seconds(1))
        #expect(await session.patch(session.fragment(), match: "*").status == 204)
        await session.service.close()
    }
}
