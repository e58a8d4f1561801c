public import RTCRTP
public import WebRTC

/// Receives what a WHEP endpoint plays (draft-ietf-wish-whep).
///
/// ```swift
/// let client = WHEPClient(url: "https://media.example.org/whep/stage")
/// for receiver in try await client.play() where receiver.track.kind == .video {
///     for await frame in receiver.frames() { … }
/// }
/// ```
///
/// One client is for one session, as with ``WHIPClient``. Servers that answer the offer and servers that make one of their own are served
/// alike.
public final class WHEPClient: Sendable {
    private let session: SessionClient

    /// A client.
    ///
    /// - Parameter url: The URL of the endpoint.
    public init(url: String, configuration: WHIPClientConfiguration = WHIPClientConfiguration()) {
        self.session = SessionClient(url: url, configuration: configuration)
    }

    /// A client with a bearer token.
    public convenience init(url: String, token: String) {
        var configuration = WHIPClientConfiguration()
        configuration.token = token
        self.init(url: url, configuration: configuration)
    }

    /// What happens to the session, the last 64 events that were not read. To be read by one task.
    public var events: AsyncStream<WHIPClientEvent> { self.session.events }

    /// The connection, once there is one. Its events are the client's.
    public var connection: RTCPeerConnection? { get async { await self.session.connection } }

    /// The links of the server's answer: servers for ICE, and extensions.
    public var links: [HTTPLink] { get async { await self.session.links } }

    /// Begins to play; returns when the descriptions are exchanged. Keep the client as long as the session, as with ``WHIPClient``.
    ///
    /// - Parameter kinds: What is wanted.
    /// - Returns: What receives the tracks that the server sends.
    /// - Throws: ``WHIPClientError``; then there is no session.
    @discardableResult
    public func play(_ kinds: [MediaKind] = [.audio, .video]) async throws(WHIPClientError) -> [RTCRtpReceiver] {
        let connection = try await self.session.open(.plays(kinds))
        return connection.getTransceivers().filter { $0.currentDirection == .recvonly }.map(\.receiver)
    }

    /// Restarts ICE at both sides: for a network that is known to have changed.
    ///
    /// - Throws: ``WHIPClientError``; the session goes on as it was.
    public func restartICE() async throws(WHIPClientError) { try await self.session.restartICE() }

    /// Ends the session: the server is told, and the connection closed. Does nothing when it is over.
    public func stop() async { await self.session.stop() }
}
