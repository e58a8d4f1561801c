import RTCBase
import RTCCore
import RTCSDP
public import RTCSignaling
public import WebRTC

/// Gives media to viewers over HTTP: a WHEP endpoint with its sessions (draft-ietf-wish-whep).
///
/// ```swift
/// let whep = WHEPService(path: "/whep", connect: { try endpoint.makePeerConnection(near: $0) }) { request in
///     guard request.name == "clip" else { return nil }
///     return WHEPSource(sources: [picture, sound], codecs: ["VP8", "opus"]) { viewer in … }
/// }
/// routes.http(prefix: "/whep") { await whep.respond(to: $0) }
/// ```
public final class WHEPService: Sendable {
    /// Who makes the offer that holds (draft-ietf-wish-whep section 4.3).
    public enum Negotiation: Sendable, Hashable {
        /// The viewer's offer is answered, with 201.
        case answers
        /// The viewer's offer is met with one of this side, with 406, which the viewer answers with `PATCH`.
        case counterOffers
    }

    private let sessions: SessionService

    /// A service.
    ///
    /// - Parameters:
    ///   - path: The path of the endpoint; names of streams follow it.
    ///   - negotiation: Who makes the offer.
    ///   - configuration: Who may watch, and bounds.
    ///   - connect: Makes the connection of a session, near another one if there is one given. What it throws is answered with 503.
    ///   - source: What there is to be watched; nil is answered with 409, and the viewer may try again.
    public init(
        path: String,
        negotiation: Negotiation = .answers,
        configuration: WHIPServiceConfiguration = WHIPServiceConfiguration(),
        connect: @escaping @Sendable (RTCPeerConnection?) async throws -> RTCPeerConnection,
        source: @escaping @Sendable (WHIPRequest) async -> WHEPSource?
    ) {
        self.sessions = SessionService(path: path, isPlayback: true, configuration: configuration) {
            (request, offer, _) async throws(WHIPRefusal) in
            guard let source = await source(request) else {
                throw .conflict("nothing is being published", retryAfter: Self.retryDelay)
            }
            let connection = try await SessionService.connection { try await connect(source.neighbour) }
            do {
                let description =
                    switch negotiation {
                    case .answers: try await Self.answer(request, offer, source, connection, configuration)
                    case .counterOffers: try await Self.offer(source, connection, configuration)
                    }
                return SessionService.Opened(connection: connection, description: description, serve: source.serve)
            } catch {
                await connection.close()
                throw SessionService.refusal(error)
            }
        }
    }

    /// When a viewer of a stream that nobody publishes may try again.
    private static let retryDelay = Duration.seconds(2)

    private static func answer(
        _ request: WHIPRequest,
        _ offer: SDPSession,
        _ source: WHEPSource,
        _ connection: RTCPeerConnection,
        _ configuration: WHIPServiceConfiguration
    ) async throws -> RTCSessionDescription {
        try await SessionService.setOffer(request, on: connection)
        let stream = MediaStream()
        var hasTrack = false
        for transceiver in connection.getTransceivers() {
            if try await source.attach(to: transceiver, stream) { hasTrack = true }
        }
        guard hasTrack else { throw WHIPRefusal(422, "the stream has nothing of the kinds that are asked for") }
        try await connection.setLocalDescription()
        return try await SessionService.answer(to: offer, on: connection, configuration)
    }

    private static func offer(
        _ source: WHEPSource,
        _ connection: RTCPeerConnection,
        _ configuration: WHIPServiceConfiguration
    ) async throws -> RTCSessionDescription {
        let stream = MediaStream()
        for feed in source.sources {
            let transceiver = try await connection.addTransceiver(feed.kind)
            _ = try await source.attach(to: transceiver, stream)
        }
        try await connection.setLocalDescription()
        let offer = try await SessionService.description(of: connection, configuration)
        return RTCSessionDescription(type: .offer, sdp: offer.withExclusiveRTCPMultiplexing.description)
    }

    /// Answers a request to a path under the service's own; 404 for others.
    public func respond(to request: SignalingRequest) async -> SignalingResponse {
        await self.sessions.respond(to: request)
    }

    /// How many sessions there are.
    public var sessionCount: Int { self.sessions.sessionCount }

    /// Ends a session; false if there is none with that identifier.
    ///
    /// Returns when its connection is closed. The handler's task is cancelled and not waited for, so a handler may end its own session.
    @discardableResult
    public func endSession(_ id: String) async -> Bool { await self.sessions.end(id) }

    /// Ends all sessions, and opens no more. Returns when their connections are closed; handlers are not waited for.
    public func close() async { await self.sessions.close() }
}
