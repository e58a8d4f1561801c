public import WebRTC

/// Publishes tracks to a WHIP endpoint (RFC 9725).
///
/// ```swift
/// let client = WHIPClient(url: "https://media.example.org/whip/stage", token: "…")
/// try await client.publish([picture, sound])
/// for await event in client.events { … }
/// await client.stop()
/// ```
///
/// One client is for one session. A path that is lost is looked for anew, by ICE restarts; when the session is over all the same, ``events``
/// ends with ``WHIPClientEvent/ended(_:)``, and another client may begin.
public final class WHIPClient: Sendable {
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

    /// The links of the server's answer: servers for ICE, and extensions (RFC 9725 section 4.9).
    public var links: [HTTPLink] { get async { await self.session.links } }

    /// Publishes tracks, in one stream; returns when the server has answered.
    ///
    /// Keep the client as long as the session: its connection is closed when nobody has it any more, and the server is not told.
    ///
    /// - Parameters:
    ///   - tracks: At most one of sound and one of pictures.
    ///   - codecs: The names of the codecs to offer, `VP8` for example; all for a kind of which none is named.
    ///   - encodings: Those of the pictures; several for simulcast (RFC 9725 section 4.8). Default one.
    /// - Throws: ``WHIPClientError``; then there is no session.
    @discardableResult
    public func publish(
        _ tracks: [MediaStreamTrack],
        codecs: [String] = [],
        encodings: [RTCRtpEncodingParameters] = []
    ) async throws(WHIPClientError) -> RTCPeerConnection {
        try await self.session.open(.publishes(tracks, codecs: codecs, encodings))
    }

    /// Restarts ICE at both sides: for a network that is known to have changed.
    ///
    /// - Throws: ``WHIPClientError``; the session goes on as it was.
    public func restartICE() async throws(WHIPClientError) { try await self.session.restartICE() }

    /// Ends the session: the server is told, and the connection closed. Does nothing when it is over.
    public func stop() async { await self.session.stop() }
}
