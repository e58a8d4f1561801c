import RTCBase
import RTCCore
import RTCSDP
import RTCSignaling
import WebRTC

/// What publishing and playing have in common: one session at a server (RFC 9725; draft-ietf-wish-whep).
actor SessionClient {
    /// What the session is for.
    enum Role: Sendable {
        case publishes([MediaStreamTrack], codecs: [String], [RTCRtpEncodingParameters])
        case plays([MediaKind])

        /// Whether the server may make an offer of its own.
        var takesOffers: Bool {
            switch self {
            case .publishes: false
            case .plays: true
            }
        }

        /// The statuses after which an offer is sent again.
        var patience: Set<Int> {
            switch self {
            case .publishes: [503, 429]
            case .plays: [503, 429, 409]
            }
        }
    }

    enum Phase: Sendable {
        case idle, opening, open, ended
    }

    let configuration: WHIPClientConfiguration
    let http: ResourceClient
    nonisolated let events: AsyncStream<WHIPClientEvent>
    private let continuation: AsyncStream<WHIPClientEvent>.Continuation
    private let url: URLReference

    var phase = Phase.idle
    private(set) var connection: RTCPeerConnection?
    /// The session's own URL.
    private(set) var resource: URLReference?
    /// The links of the server's response, among them those of extensions.
    private(set) var links: [HTTPLink] = []
    private var follower: Task<Void, Never>?

    /// The entity-tag of the ICE session; nil where the server knows none.
    var tag: EntityTag?
    /// Candidates that the server does not know yet.
    var candidates = CandidateQueue()
    var isTrickling = false
    var isRestarting = false
    /// Restarts since there was a connection.
    var restarts = 0
    var isRecovering = false

    init(url: String, configuration: WHIPClientConfiguration) {
        self.url = URLReference(url)
        self.configuration = configuration
        self.http = ResourceClient(configuration: configuration)
        (self.events, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(64))
    }

    // MARK: Beginning

    /// Opens the session: returns when the descriptions are exchanged.
    func open(_ role: Role) async throws(WHIPClientError) -> RTCPeerConnection {
        guard self.url.isHTTP else { throw .invalidURL(self.url.text) }
        guard self.phase == .idle else { throw .invalidState }
        self.phase = .opening
        do throws(WHIPClientError) {
            let connection = try await self.exchange(role)
            guard self.phase == .opening else { throw .invalidState }
            self.phase = .open
            self.flushCandidates()
            return connection
        } catch {
            let wasStopped = self.phase == .ended
            await self.finish(error, tellsServer: true)
            // Stopped while the server was making the session: it goes too.
            if wasStopped { await self.leave() }
            throw error
        }
    }

    private func exchange(_ role: Role) async throws(WHIPClientError) -> RTCPeerConnection {
        var connections = self.configuration.connection
        if self.configuration.asksForServers, connections.iceServers.isEmpty {
            connections.iceServers = try await self.http.send("OPTIONS", to: self.url).links.compactMap(\.server)
        }
        let connection = try await self.makeConnection(connections)
        let offer = try await self.offer(role, connection)
        let reply = try await self.http.offer(offer.exclusivelyMultiplexed, to: self.url, patience: role.patience) {
            await self.phase == .opening
        }
        try self.adopt(reply, role)
        if reply.status == 406 { return try await self.answer(reply, connections) }
        if self.configuration.candidates == .trickled {
            // Gathering has not begun, so the servers come in time (RFC 9725 section 4.6).
            if connections.iceServers.isEmpty { connections.iceServers = self.links.compactMap(\.server) }
            try await Self.negotiate {
                try await connection.setConfiguration(connections)
                try await connection.setLocalDescription(offer)
            }
        }
        try await Self.negotiate {
            try await connection.setRemoteDescription(RTCSessionDescription(type: .answer, sdp: reply.text))
        }
        return connection
    }

    /// Takes note of what a response says of the session.
    private func adopt(_ reply: ResourceClient.Reply, _ role: Role) throws(WHIPClientError) {
        let isCounterOffer = reply.status == 406 && role.takesOffers && reply.type == MediaType.sdp
        let location = reply.response.headers.first("location")
        if let location, reply.isSuccess || isCounterOffer {
            let resource = reply.url.resolving(location)
            if reply.url.mayLead(to: resource) { self.resource = resource }
        }
        self.tag = reply.tag
        self.links = reply.links
        guard reply.isSuccess || isCounterOffer else { throw reply.error }
        guard reply.type == MediaType.sdp else { throw .badResponse(reason: "the body is no \(MediaType.sdp)") }
        guard self.resource != nil else { throw .badResponse(reason: "there is no Location with the session's URL") }
    }

    private func makeConnection(_ configuration: RTCConfiguration) async throws(WHIPClientError) -> RTCPeerConnection {
        let made: RTCPeerConnection
        do throws(RTCError) {
            if let connect = self.configuration.connect {
                made = try connect(configuration)
            } else {
                made = try RTCPeerConnection(
                    configuration: configuration,
                    addressPolicy: self.configuration.addressPolicy,
                    logger: self.configuration.logger
                )
            }
        } catch {
            throw .negotiation(error)
        }
        let before = self.connection
        self.connection = made
        self.follower?.cancel()
        self.follower = Task { [weak self] in
            for await event in made.events { await self?.handle(event, of: made) }
        }
        await before?.close()
        return made
    }

    private func offer(
        _ role: Role,
        _ connection: RTCPeerConnection
    ) async throws(WHIPClientError)
        -> RTCSessionDescription
    {
        let isGathered = self.configuration.candidates == .gathered
        let offer = try await Self.negotiate {
            switch role {
            case .publishes(let tracks, let codecs, let encodings):
                let stream = MediaStream(tracks)
                for track in tracks {
                    let options = RTCRtpTransceiverInit(
                        direction: .sendonly,
                        streams: [stream],
                        sendEncodings: track.kind == .video ? encodings : []
                    )
                    try await connection.addTransceiver(track, options).prefer(codecs)
                }
            case .plays(let kinds):
                for kind in kinds {
                    try await connection.addTransceiver(kind, RTCRtpTransceiverInit(direction: .recvonly))
                }
            }
            let offer = try await connection.createOffer()
            if isGathered { try await connection.setLocalDescription(offer) }
            return offer
        }
        guard isGathered else { return offer }
        let gathered = await connection.gatheredDescription(
            within: self.configuration.gatheringTimeout,
            self.configuration.clock
        )
        self.candidates.note(gathered?.trickle)
        return gathered ?? offer
    }

    /// Answers the offer that the server has made in place of an answer (draft-ietf-wish-whep section 4.3.2).
    private func answer(
        _ reply: ResourceClient.Reply,
        _ configuration: RTCConfiguration
    ) async throws(WHIPClientError) -> RTCPeerConnection {
        var configuration = configuration
        if configuration.iceServers.isEmpty { configuration.iceServers = self.links.compactMap(\.server) }
        let connection = try await self.makeConnection(configuration)
        try await Self.negotiate {
            try await connection.setRemoteDescription(RTCSessionDescription(type: .offer, sdp: reply.text))
            try await connection.setLocalDescription()
        }
        let answer = await connection.gatheredDescription(
            within: self.configuration.gatheringTimeout,
            self.configuration.clock
        )
        guard let answer, let resource = self.resource else { throw .invalidState }
        self.candidates.note(answer.trickle)
        let patched = try await self.http.send(
            "PATCH",
            to: resource,
            headers: ["content-type": MediaType.sdp],
            body: answer.exclusivelyMultiplexed
        )
        guard patched.isSuccess else { throw patched.error }
        if let tag = patched.tag { self.tag = tag }
        return connection
    }

    static func negotiate<Value>(_ body: () async throws -> Value) async throws(WHIPClientError) -> Value {
        do {
            return try await body()
        } catch let error as RTCError {
            throw .negotiation(error)
        } catch {
            throw .badResponse(reason: String(describing: error))
        }
    }

    // MARK: Events

    private func handle(_ event: RTCPeerConnection.Event, of connection: RTCPeerConnection) async {
        guard connection === self.connection, self.phase != .ended else { return }
        switch event {
        case .iceCandidate(let candidate):
            self.candidates.add(candidate)
            self.flushCandidates()
        case .connectionStateChange(let state):
            self.tell(.connectionStateChange(state))
            switch state {
            case .connected: self.restarts = 0
            case .disconnected, .failed: self.recover()
            case .new, .connecting, .closed: break
            }
        case .dtlsTransportStateChange(.closed):
            await self.finish(.endedByServer, tellsServer: false)
        case .dtlsTransportStateChange(.failed):
            await self.finish(.connectionFailed, tellsServer: true)
        default: break
        }
    }

    func tell(_ event: WHIPClientEvent) { self.continuation.yield(event) }

    // MARK: Ending

    /// Ends the session: the server hears of it, then the connection is closed.
    func stop() async { await self.finish(nil, tellsServer: true) }

    func finish(_ error: WHIPClientError?, tellsServer: Bool) async {
        guard self.phase != .ended else { return }
        self.phase = .ended
        self.follower?.cancel()
        if tellsServer { await self.leave() } else { await self.connection?.close() }
        self.tell(.ended(error))
        self.continuation.finish()
    }

    /// Tells the server, and closes the connection.
    private func leave() async {
        if let resource = self.resource {
            self.resource = nil
            // No entity-tag: it does not matter which ICE session there is (RFC 9725 section 4.3.1). By a task of its own, because whoever
            // ends a session is often cancelled, and a request of a cancelled task does not get far.
            await Task { [http] in _ = try? await http.send("DELETE", to: resource) }.value
        }
        await self.connection?.close()
    }

    deinit {
        self.follower?.cancel()
        guard let connection = self.connection else { return }
        Task { await connection.close() }
    }
}

extension RTCSessionDescription {
    /// What the description says of ICE.
    var trickle: TrickleFragment? { (try? SDPSession(parsing: self.sdp))?.trickle }

    /// The text with `rtcp-mux-only` in every section (RFC 9725 section 4.4.1).
    var exclusivelyMultiplexed: String {
        (try? SDPSession(parsing: self.sdp))?.withExclusiveRTCPMultiplexing.description ?? self.sdp
    }
}
