import NIOCore
import RTCBase
import RTCCore
import RTCSDP
import RTCSignaling
import WebRTC

/// One session of a service: its connection, and the changes that its client asks for, one after the other.
actor ServiceSession {
    nonisolated let peer: WHIPPeer
    private let configuration: WHIPServiceConfiguration
    private var tag: EntityTag
    /// The client's description, with the ICE session that it is in; nil until a counter-offer is answered.
    private var remote: SDPSession?
    /// Whether the client's description is of a type whose role in DTLS is settled.
    private var remoteIsAnswer = false
    private var bucket: RateBucket
    private let stopwatch: Stopwatch
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// A session.
    ///
    /// - Parameter remote: The client's offer; nil if it has yet to answer one.
    init(_ peer: WHIPPeer, tag: EntityTag, remote: SDPSession?, configuration: WHIPServiceConfiguration) {
        self.peer = peer
        self.configuration = configuration
        self.tag = tag
        self.remote = remote
        self.stopwatch = Stopwatch(configuration.clock)
        self.bucket = RateBucket(configuration.limits.changes, now: self.stopwatch.now())
    }

    private nonisolated let isClosed = Latch()
    private nonisolated var connection: RTCPeerConnection { self.peer.connection }

    // MARK: Life

    /// Serves until the connection is over, `serve` returns, or the task is cancelled; then the connection is closed.
    ///
    /// - Parameter onClose: Called once, when the connection is closed; `serve` may not have returned then.
    nonisolated func run(
        serve: @escaping @Sendable (WHIPPeer) async -> Void,
        onClose: @Sendable () -> Void
    ) async {
        await withTaskGroup(of: Bool.self) { group in
            let isConnected = Latch()
            group.addTask {
                for await event in self.connection.events {
                    if case .connectionStateChange(.connected) = event { isConnected.open() }
                    if event.endsConnection { break }
                }
                return true
            }
            group.addTask {
                let isDue = (try? await self.configuration.clock.sleep(for: self.configuration.connectTimeout)) != nil
                return isDue && !isConnected.isOpen
            }
            group.addTask {
                await isConnected.wait()
                guard !Task.isCancelled else { return true }
                await serve(self.peer)
                return true
            }
            for await isOver in group where isOver { break }
            group.cancelAll()
            // Before `serve` has returned: what it reads ends thereby.
            await self.connection.close()
            onClose()
            self.isClosed.open()
        }
    }

    /// Waits until the connection is closed, in a cancelled task too; not until `serve` has returned, which may be what waits.
    nonisolated func waitUntilClosed() async { await Task { [isClosed] in await isClosed.wait() }.value }

    // MARK: Changes

    /// Answers a `PATCH` (RFC 9725 section 4.3.1).
    func change(_ request: SignalingRequest) async -> SignalingResponse {
        do throws(WHIPRefusal) {
            guard self.bucket.take(self.configuration.limits.changes, now: self.stopwatch.now()) else {
                throw .tooMany("too many changes of one session", retryAfter: .seconds(1))
            }
            switch MediaType.essence(request.headers.first("content-type")) {
            case MediaType.fragment: return try await self.changeICE(request)
            case MediaType.sdp: return try await self.takeAnswer(request)
            default:
                let headers: SignalingHeaders = ["accept-patch": MediaType.fragment]
                throw WHIPRefusal(415, "the body is no \(MediaType.fragment)", headers: headers)
            }
        } catch {
            return error.response
        }
    }

    private func changeICE(_ request: SignalingRequest) async throws(WHIPRefusal) -> SignalingResponse {
        guard let match = EntityTagMatch(fields: request.headers.all("if-match")) else {
            throw WHIPRefusal(428, "If-Match must name the ICE session that this is for")
        }
        let text = try request.text()
        let trickle: TrickleFragment
        do throws(SDPError) {
            trickle = try TrickleFragment(parsing: text)
        } catch {
            throw WHIPRefusal(400, "the fragment is malformed, line \(error.line): \(error.reason)")
        }
        try await self.enter()
        defer { self.leave() }
        guard match.matches(self.tag) else { throw WHIPRefusal(412, "the ICE session is another one by now") }
        guard let remote = self.remote, let index = remote.transportIndex else {
            throw .conflict("the offer was not answered yet")
        }
        let current = remote.trickle?.credentials
        if let credentials = trickle.credentials, credentials != current {
            return try await self.restart(remote, trickle)
        }
        await self.connection.add(trickle, section: index, mid: remote.media[index].mid, ufrag: current?.ufrag)
        return SignalingResponse(204)
    }

    /// A new ICE session: the rest stays as it was negotiated (RFC 9725 section 4.3.3).
    private func restart(
        _ remote: SDPSession,
        _ trickle: TrickleFragment
    ) async throws(WHIPRefusal) -> SignalingResponse {
        var offer = remote.restarted(with: trickle)
        if self.remoteIsAnswer { offer = offer.with(setup: .actpass) }
        do throws(RTCError) {
            try await self.connection.setRemoteDescription(RTCSessionDescription(type: .offer, sdp: offer.description))
            try await self.connection.setLocalDescription()
        } catch {
            if self.connection.signalingState == .haveRemoteOffer {
                // What there was before goes on.
                try? await self.connection.setRemoteDescription(RTCSessionDescription(type: .rollback))
            }
            throw WHIPRefusal(422, "ICE cannot be restarted: \(error.message)")
        }
        self.remote = offer
        self.remoteIsAnswer = false
        var random = RandomSource.system
        self.tag = EntityTag(opaque: random.hexadecimal(bytes: 8))
        let local = await self.connection.gatheredDescription(
            within: self.configuration.gatheringTimeout,
            self.configuration.clock
        )
        guard let local, let answer = try? SDPSession(parsing: local.sdp), let fresh = answer.trickle else {
            throw .notFound
        }
        return SignalingResponse(
            200,
            headers: ["content-type": MediaType.fragment, "etag": self.tag.text],
            body: .init(string: answer.fragment(with: fresh))
        )
    }

    /// The answer to a counter-offer (draft-ietf-wish-whep section 4.3.2).
    private func takeAnswer(_ request: SignalingRequest) async throws(WHIPRefusal) -> SignalingResponse {
        let text = try request.text()
        try await self.enter()
        defer { self.leave() }
        guard self.remote == nil else {
            let headers: SignalingHeaders = ["accept-patch": MediaType.fragment]
            throw WHIPRefusal(415, "no answer is awaited: descriptions do not change", headers: headers)
        }
        let answer: SDPSession
        do {
            answer = try SDPSession(parsing: text)
            try await self.connection.setRemoteDescription(RTCSessionDescription(type: .answer, sdp: text))
        } catch {
            throw WHIPRefusal(400, "the answer cannot be used: \(error)")
        }
        self.remote = answer
        self.remoteIsAnswer = true
        return SignalingResponse(204)
    }

    // MARK: One after the other

    private func enter() async throws(WHIPRefusal) {
        guard self.isBusy else {
            self.isBusy = true
            return
        }
        guard self.waiting.count < self.configuration.limits.waitingChanges else {
            throw .tooMany("too many changes of one session at once", retryAfter: .seconds(1))
        }
        await withCheckedContinuation { self.waiting.append($0) }
    }

    private func leave() {
        if self.waiting.isEmpty { self.isBusy = false } else { self.waiting.removeFirst().resume() }
    }
}

extension SignalingRequest {
    /// The body as text.
    func text() throws(WHIPRefusal) -> String {
        guard let text = String(validating: self.body.readableBytesView, as: UTF8.self) else {
            throw WHIPRefusal(400, "the body is not UTF-8")
        }
        return text
    }
}

extension RandomSource {
    /// Random bytes as hexadecimal digits.
    mutating func hexadecimal(bytes count: Int) -> String {
        self.bytes(count: count).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
