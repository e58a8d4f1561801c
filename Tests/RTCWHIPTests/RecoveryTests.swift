import NIOCore
import RTCSignaling
import Synchronization
import Testing
import WebRTC

@testable import RTCWHIP

/// Sessions whose path is lost: what a client does of itself, and what becomes of it.
@Suite("Recovery of lost paths", .timeLimit(.minutes(2)))
struct RecoveryTests {
    /// What a client is for.
    enum Kind: CaseIterable, Sendable {
        case publishes, plays
    }

    @Test("A lost path is restored by a restart of ICE, which nobody has to ask for", arguments: Kind.allCases)
    func restored(kind: Kind) async throws {
        let stage = try await Stage(kind)
        let events = try await stage.loseThePath()
        #expect(events.contains(.connectionStateChange(.disconnected)))
        #expect(events.contains(.restarted) && !events.contains(.ended(.connectionFailed)), "\(events)")
        #expect(stage.restarts == 1)
        // The session is the one it was.
        #expect(stage.methods.count { $0 == "POST" } == 1)
        await stage.close()
        #expect(stage.methods.last == "DELETE")
    }

    @Test(
        "A server that does not know the session any more has ended it",
        arguments: Kind.allCases,
        [404, 410]
    )
    func gone(kind: Kind, status: Int) async throws {
        let stage = try await Stage(kind, refusals: [status])
        let events = try await stage.loseThePath()
        #expect(events.last == .ended(.endedByServer), "\(events)")
        #expect(stage.restarts == 1)
        // Nobody is there to be told.
        #expect(!stage.methods.contains("DELETE"))
        await stage.close()
    }

    @Test(
        "A restart that is refused for now is tried again",
        arguments: Kind.allCases,
        [412, 503]
    )
    func refusedOnce(kind: Kind, status: Int) async throws {
        let stage = try await Stage(kind, refusals: [status])
        let events = try await stage.loseThePath()
        #expect(events.contains(.restarted) && !events.contains(.ended(.connectionFailed)), "\(events)")
        #expect(stage.restarts == 2)
        await stage.close()
    }

    @Test(
        "Restarts that are refused again and again end the session when the path is given up",
        arguments: Kind.allCases
    )
    func refusedAlways(kind: Kind) async throws {
        let stage = try await Stage(kind, refusals: [412, 412, 412], attempts: 2)
        let events = try await stage.loseThePath()
        #expect(events.last == .ended(.connectionFailed), "\(events)")
        #expect(!events.contains(.restarted))
        #expect(stage.restarts == 2)
        #expect(stage.methods.last == "DELETE")
        await stage.close()
    }

    @Test("A client that shall not restart ICE does not", arguments: Kind.allCases)
    func withoutRestarts(kind: Kind) async throws {
        let stage = try await Stage(kind, attempts: nil)
        let events = try await stage.loseThePath()
        #expect(events.last == .ended(.connectionFailed), "\(events)")
        #expect(stage.restarts == 0)
        await stage.close()
    }
}

/// What both clients have in common.
private protocol Client: Sendable {
    var events: AsyncStream<WHIPClientEvent> { get }
    func stop() async
}

extension WHIPClient: Client {}
extension WHEPClient: Client {}

/// A client that is connected to a service of this process over a path that can be cut, and the requests that it sends.
private final class Stage: Sendable {
    private struct Requests {
        var methods: [String] = []
        /// Statuses that restarts get before the service is asked.
        var refusals: [Int]
        var restarts = 0
    }

    private let requests: Mutex<Requests>
    private let path: CuttablePath
    private let respond: @Sendable (SignalingRequest) async -> SignalingResponse
    private let closeService: @Sendable () async -> Void
    private let client: Mutex<(any Client)?>

    /// - Parameter attempts: How many restarts may be tried; nil for a client that makes none.
    init(_ kind: RecoveryTests.Kind, refusals: [Int] = [], attempts: Int? = 5) async throws {
        self.requests = Mutex(Requests(refusals: refusals))
        self.path = try await CuttablePath()
        self.client = Mutex(nil)
        switch kind {
        case .publishes:
            let service = WHIPServiceTests.service(serve: { _ in await Latch().wait() })
            self.respond = { await service.respond(to: $0) }
            self.closeService = { await service.close() }
        case .plays:
            let source = WHEPSource(sources: [MediaStreamTrackSource(kind: .audio)]) { _ in await Latch().wait() }
            let service = WHEPService(
                path: "/whip",
                connect: { _ in try Peers.connection() },
                source: { _ in source }
            )
            self.respond = { await service.respond(to: $0) }
            self.closeService = { await service.close() }
        }
        var configuration = WHIPClientConfiguration()
        configuration.exchange = ServiceExchange([
            "a.example": { [weak self] in
                try await self?.answer($0) ?? SignalingResponse(503)
            }
        ])
        configuration.addressPolicy = Peers.loopback
        configuration.connection.timing.disconnectedTimeout = .seconds(1)
        configuration.connection.timing.consentTimeout = .seconds(15)
        configuration.restartsICE = attempts != nil
        configuration.restartAttempts = attempts ?? 5
        let url = "http://a.example/whip/stage"
        switch kind {
        case .publishes:
            let client = WHIPClient(url: url, configuration: configuration)
            self.client.withLock { $0 = client }
            try await client.publish([MediaStreamTrack(source: MediaStreamTrackSource(kind: .audio))])
        case .plays:
            let client = WHEPClient(url: url, configuration: configuration)
            self.client.withLock { $0 = client }
            _ = try await client.play([.audio])
        }
    }

    var methods: [String] { self.requests.withLock { $0.methods } }
    var restarts: Int { self.requests.withLock { $0.restarts } }

    /// Cuts the path when it is there; gives what the client tells until it is connected again after a restart, or until its end.
    func loseThePath() async throws -> [WHIPClientEvent] {
        let client = try #require(self.client.withLock { $0 })
        let connected = WHIPClientEvent.connectionStateChange(.connected)
        var told: [WHIPClientEvent] = []
        for await event in client.events {
            told.append(event)
            let connections = told.count { $0 == connected }
            if event == connected, connections == 1 { self.path.cut() }
            // The way may be there before the restart is over.
            if connections == 2, told.contains(.restarted) { break }
        }
        return told
    }

    func close() async {
        await self.client.withLock { $0 }?.stop()
        await self.closeService()
        await self.path.close()
    }

    private func answer(_ request: SignalingRequest) async throws -> SignalingResponse {
        let isRestart = request.method == "PATCH" && request.headers.first("if-match") == "*"
        let refusal = self.requests.withLock { requests -> Int? in
            requests.methods.append(request.method)
            guard isRestart else { return nil }
            requests.restarts += 1
            return requests.refusals.isEmpty ? nil : requests.refusals.removeFirst()
        }
        if let refusal { return SignalingResponse(refusal) }
        // The service learns the client's addresses with a restart only, and finds it over the path before.
        if request.method == "PATCH", !isRestart { return SignalingResponse(204) }
        var response = await self.respond(request)
        if request.method == "POST", response.status == 201 {
            response.body = ByteBuffer(string: try self.path.leading(to: response.text))
        }
        return response
    }
}
