import RTCBase
import RTCCore
import RTCSDP
public import RTCSignaling
public import WebRTC

/// Takes media from publishers over HTTP: a WHIP endpoint with its sessions (RFC 9725).
///
/// It knows no server: whoever has one gives it requests, and sends its responses.
///
/// ```swift
/// let whip = WHIPService(path: "/whip", connect: { try endpoint.makePeerConnection() }) { publisher in
///     guard let receiver = publisher.transceiver(.video)?.receiver else { return }
///     for await frame in receiver.frames() { … }
/// }
/// routes.http(prefix: "/whip") { await whip.respond(to: $0) }
/// ```
///
/// `POST /whip/NAME` opens a session. A session ends with `DELETE`, with its connection, and when its handler returns.
public final class WHIPService: Sendable {
    private let sessions: SessionService

    /// A service.
    ///
    /// - Parameters:
    ///   - path: The path of the endpoint; names of streams follow it.
    ///   - configuration: Who may publish, and bounds.
    ///   - connect: Makes the connection of a session. What it throws is answered with 503.
    ///   - prepare: Makes a publisher ready that will be answered next: chooses codecs, sets handlers. It may throw a
    ///     ``WHIPRefusal``; an `RTCError` is answered with 422, anything else with 500.
    ///   - serve: Serves a publisher that is connected; the session ends when it returns. Its task is cancelled when the session ends.
    public init(
        path: String,
        configuration: WHIPServiceConfiguration = WHIPServiceConfiguration(),
        connect: @escaping @Sendable () async throws -> RTCPeerConnection,
        prepare: @escaping @Sendable (WHIPPeer) async throws -> Void = { _ in },
        serve: @escaping @Sendable (WHIPPeer) async -> Void
    ) {
        self.sessions = SessionService(path: path, isPlayback: false, configuration: configuration) {
            (request, offer, id) async throws(WHIPRefusal) in
            let connection = try await SessionService.connection(connect)
            do {
                let peer = WHIPPeer(session: id, request: request, connection: connection)
                try await SessionService.setOffer(request, on: connection)
                try await prepare(peer)
                try await connection.setLocalDescription()
                let answer = try await SessionService.answer(to: offer, on: connection, configuration)
                return SessionService.Opened(connection: connection, description: answer, serve: serve)
            } catch {
                await connection.close()
                throw SessionService.refusal(error)
            }
        }
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
