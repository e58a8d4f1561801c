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
public final class WHEPClient: WHIPSessionClient {
    public let session: WHIPClientSession

    public init(url: String, configuration: WHIPClientConfiguration = WHIPClientConfiguration()) {
        self.session = WHIPClientSession(url: url, configuration: configuration)
    }

    /// Begins to play; returns when the descriptions are exchanged. Keep the client as long as the session, as with ``WHIPClient``.
    ///
    /// - Parameter kinds: What is wanted.
    /// - Returns: What receives the tracks that the server sends.
    /// - Throws: ``WHIPClientError``; then there is no session.
    @discardableResult
    public func play(_ kinds: [MediaKind] = [.audio, .video]) async throws(WHIPClientError) -> [RTCRtpReceiver] {
        let connection = try await self.session.client.open(.plays(kinds))
        return connection.getTransceivers().filter { $0.currentDirection == .recvonly }.map(\.receiver)
    }
}
