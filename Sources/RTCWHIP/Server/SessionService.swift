import NIOCore
import RTCBase
import RTCCore
import RTCSDP
import RTCSignaling
import Synchronization
import WebRTC

/// What ingestion and playback have in common: a resource for every session (RFC 9725; draft-ietf-wish-whep).
final class SessionService: Sendable {
    /// A session that is ready to be told of.
    struct Opened: Sendable {
        var connection: RTCPeerConnection
        /// The answer, or an offer of this side in its place.
        var description: RTCSessionDescription
        /// Serves the client once it is connected; the session ends when it returns.
        var serve: @Sendable (WHIPPeer) async -> Void
    }

    /// Makes a session of an offer, which was looked at.
    typealias Open = @Sendable (WHIPRequest, SDPSession, String) async throws(WHIPRefusal) -> Opened

    private struct Entry {
        var session: ServiceSession
        var task: Task<Void, Never>
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// Sessions that there are, or that are being opened.
        var count = 0
        var tokens: [BearerToken: Int] = [:]
        var bucket: RateBucket
        var isClosed = false
    }

    let paths: ServicePaths
    let configuration: WHIPServiceConfiguration
    private let isPlayback: Bool
    private let open: Open
    private let state: Mutex<State>
    private let stopwatch: Stopwatch

    init(
        path: String,
        isPlayback: Bool,
        configuration: WHIPServiceConfiguration,
        open: @escaping Open
    ) {
        self.paths = ServicePaths(path)
        self.isPlayback = isPlayback
        self.configuration = configuration
        self.open = open
        self.stopwatch = Stopwatch(configuration.clock)
        self.state = Mutex(State(bucket: RateBucket(configuration.limits.openings, now: self.stopwatch.now())))
    }

    var sessionCount: Int { self.state.withLock { $0.entries.count } }

    /// Ends all sessions, and opens no more. Returns when the connections are closed, whatever still serves them.
    func close() async {
        let entries = self.state.withLock { state in
            state.isClosed = true
            return Array(state.entries.values)
        }
        for entry in entries { entry.task.cancel() }
        for entry in entries { await entry.session.waitUntilClosed() }
    }

    /// Ends a session; false if there is none. Returns when the connection is closed, whatever still serves it.
    func end(_ id: String) async -> Bool {
        guard let entry = self.state.withLock({ $0.entries[id] }) else { return false }
        entry.task.cancel()
        await entry.session.waitUntilClosed()
        return true
    }

    // MARK: Requests

    func respond(to request: SignalingRequest) async -> SignalingResponse {
        var response = await self.dispatch(request)
        CrossOrigin.add(to: &response, request, allowed: self.configuration.allowedOrigins)
        return response
    }

    private func dispatch(_ http: SignalingRequest) async -> SignalingResponse {
        guard let request = self.paths.request(http) else { return WHIPRefusal.notFound.response }
        if http.method == "OPTIONS" { return await self.options(request) }
        guard Self.methods(of: request).contains(http.method) else {
            let allowed = Self.methods(of: request).joined(separator: ", ")
            let reason = "\(http.method.prefix(32)) is not one of: \(allowed)"
            return WHIPRefusal(405, reason, headers: ["allow": allowed]).response
        }
        if let refusal = await self.configuration.authorize(request) { return Self.response(to: request, refusal) }
        do throws(WHIPRefusal) {
            guard http.body.readableBytes <= self.configuration.limits.bodySize else {
                throw WHIPRefusal(413, "the body is larger than \(self.configuration.limits.bodySize) bytes")
            }
            guard let id = request.session else { return try await self.respondAtEndpoint(request) }
            guard let session = self.state.withLock({ $0.entries[id]?.session }), session.peer.name == request.name
            else { throw .notFound }
            switch http.method {
            case "PATCH": return await session.change(http)
            case "DELETE":
                guard await self.end(id) else { throw .notFound }
                return SignalingResponse(200)
            default: return SignalingResponse(204)
            }
        } catch {
            return Self.response(to: request, error)
        }
    }

    private func respondAtEndpoint(_ request: WHIPRequest) async throws(WHIPRefusal) -> SignalingResponse {
        if request.http.method == "POST" { return try await self.create(request) }
        // That way players recognise an endpoint (draft-ietf-wish-whep section 4.2).
        return self.isPlayback
            ? SignalingResponse(200, headers: ["content-type": MediaType.sdp]) : SignalingResponse(204)
    }

    /// What a request without credentials, or with wrong ones, is told (RFC 6750 section 3).
    private static func response(to request: WHIPRequest, _ refusal: WHIPRefusal) -> SignalingResponse {
        var response = refusal.response
        if refusal.status == 401, response.headers.first("www-authenticate") == nil {
            response.headers.add("www-authenticate", request.token == nil ? "Bearer" : #"Bearer error="invalid_token""#)
        }
        return response
    }

    private static func methods(of request: WHIPRequest) -> [String] {
        ["OPTIONS", "GET", "HEAD"] + (request.session == nil ? ["POST"] : ["PATCH", "DELETE"])
    }

    private func options(_ request: WHIPRequest) async -> SignalingResponse {
        var headers: SignalingHeaders = ["allow": Self.methods(of: request).joined(separator: ", ")]
        if request.session == nil {
            headers.add("accept-post", MediaType.sdp)
        } else {
            headers.add("accept-patch", MediaType.fragment)
        }
        // A preflight comes without a token and must cost nothing (RFC 9725 section 4.6).
        if request.session == nil, !CrossOrigin.isPreflight(request.http),
            await self.configuration.authorize(request) == nil
        {
            // Credentials may be made for each.
            let (limit, now) = (self.configuration.limits.openings, self.stopwatch.now())
            guard self.state.withLock({ $0.bucket.take(limit, now: now) }) else {
                return Self.tooManyOpenings.response
            }
            await self.addServers(to: &headers, request)
        }
        return SignalingResponse(200, headers: headers)
    }

    private func addServers(to headers: inout SignalingHeaders, _ request: WHIPRequest) async {
        for link in HTTPLink.fields(of: await self.configuration.iceServers(request)) { headers.add("link", link) }
    }

    // MARK: Opening sessions

    private func create(_ request: WHIPRequest) async throws(WHIPRefusal) -> SignalingResponse {
        guard MediaType.essence(request.http.headers.first("content-type")) == MediaType.sdp else {
            throw WHIPRefusal(415, "the body is no \(MediaType.sdp)", headers: ["accept-post": MediaType.sdp])
        }
        // Before anything is done with the offer: that is what is limited.
        try self.reserve(request.token)
        var random = RandomSource.system
        let id = random.hexadecimal(bytes: 16)
        let (offer, opened): (SDPSession, Opened)
        do throws(WHIPRefusal) {
            offer = try self.offer(request)
            opened = try await self.open(request, offer, id)
        } catch {
            self.release(request.token, givesBack: error.status == 409)
            throw error
        }
        let tag = EntityTag(opaque: random.hexadecimal(bytes: 8))
        let isCounterOffer = opened.description.type == .offer
        let session = ServiceSession(
            WHIPPeer(session: id, request: request, connection: opened.connection),
            tag: tag,
            remote: isCounterOffer ? nil : offer,
            configuration: self.configuration
        )
        guard self.begin(session, serve: opened.serve) else {
            await opened.connection.close()
            throw .unavailable("the service is closing")
        }
        var headers: SignalingHeaders = [
            "content-type": isCounterOffer ? self.counterOfferType : MediaType.sdp,
            "location": self.configuration.baseURL + self.paths.location(of: id, request),
            "etag": tag.text,
            "accept-patch": MediaType.fragment,
        ]
        await self.addServers(to: &headers, request)
        return SignalingResponse(
            isCounterOffer ? 406 : 201,
            headers: headers,
            body: .init(string: opened.description.sdp)
        )
    }

    private func offer(_ request: WHIPRequest) throws(WHIPRefusal) -> SDPSession {
        let text = try request.http.text()
        let offer: SDPSession
        do throws(SDPError) {
            offer = try SDPSession(parsing: text)
        } catch {
            throw WHIPRefusal(400, "the offer is malformed, line \(error.line): \(error.reason)")
        }
        try OfferRules.check(offer, clientSends: !self.isPlayback)
        return offer
    }

    /// The type of a counter-offer, and how long it holds (draft-ietf-wish-whep section 4.3.2): who answers at the last moment still has
    /// half of the time to connect.
    private var counterOfferType: String {
        let end = HTTPDate.now + Int((self.configuration.connectTimeout / 2).components.seconds)
        return "\(MediaType.sdp); valid-until=\"\(HTTPDate.text(end))\""
    }

    private static let tooManyOpenings = WHIPRefusal.tooMany(
        "too many sessions are being opened",
        retryAfter: .seconds(1)
    )

    private func reserve(_ token: BearerToken?) throws(WHIPRefusal) {
        let limits = self.configuration.limits
        let now = self.stopwatch.now()
        let refusal = self.state.withLock { state -> WHIPRefusal? in
            guard !state.isClosed else { return .unavailable("the service is closing") }
            guard state.bucket.take(limits.openings, now: now) else {
                return Self.tooManyOpenings
            }
            guard state.count < limits.sessions else {
                return .unavailable("there are as many sessions as the service takes", retryAfter: .seconds(10))
            }
            if let token {
                guard state.tokens[token, default: 0] < limits.sessionsPerToken ?? .max else {
                    return .tooMany("the token has as many sessions as it may", retryAfter: .seconds(10))
                }
                state.tokens[token, default: 0] += 1
            }
            state.count += 1
            return nil
        }
        if let refusal { throw refusal }
    }

    /// Takes back a reservation.
    ///
    /// - Parameter givesBack: Whether it does not count as an opening either: who waits for a stream asks again and again, and must not
    ///   keep others from opening sessions.
    private func release(_ token: BearerToken?, givesBack: Bool) {
        self.state.withLock { [burst = self.configuration.limits.openings.burst] state in
            Self.release(token, in: &state)
            if givesBack { state.bucket.giveBack(1, burst: burst) }
        }
    }

    private static func release(_ token: BearerToken?, in state: inout State) {
        state.count -= 1
        guard let token, let count = state.tokens[token] else { return }
        state.tokens[token] = count == 1 ? nil : count - 1
    }

    /// Follows a session until it is over; false if the service was closed meanwhile.
    private func begin(_ session: ServiceSession, serve: @escaping @Sendable (WHIPPeer) async -> Void) -> Bool {
        let (id, token) = (session.peer.session, session.peer.request.token)
        return self.state.withLock { state in
            guard !state.isClosed else {
                Self.release(token, in: &state)
                return false
            }
            let task = Task {
                await session.run(serve: serve) {
                    self.state.withLock { state in
                        state.entries[id] = nil
                        Self.release(token, in: &state)
                    }
                }
            }
            state.entries[id] = Entry(session: session, task: task)
            return true
        }
    }
}
