public import WebRTC

/// What a ``WHIPClient`` and a ``WHEPClient`` have in common: one session at a server.
///
/// One client is for one session. A path that is lost is looked for anew, by ICE restarts; when the session is over all the same, ``events``
/// ends with ``WHIPClientEvent/ended(_:)``, and another client may begin.
public protocol WHIPSessionClient: Sendable {
    /// A client.
    ///
    /// - Parameter url: The URL of the endpoint.
    init(url: String, configuration: WHIPClientConfiguration)

    /// The session, which shows what it does by the client.
    var session: WHIPClientSession { get }
}

/// The session of a ``WHIPSessionClient``.
public struct WHIPClientSession: Sendable {
    let client: SessionClient

    init(url: String, configuration: WHIPClientConfiguration) {
        self.client = SessionClient(url: url, configuration: configuration)
    }
}

extension WHIPSessionClient {
    /// A client with a bearer token.
    public init(url: String, token: String) {
        var configuration = WHIPClientConfiguration()
        configuration.token = token
        self.init(url: url, configuration: configuration)
    }

    /// What happens to the session, the last 64 events that were not read. To be read by one task.
    public var events: AsyncStream<WHIPClientEvent> { self.session.client.events }

    /// The connection, once there is one. Its events are the client's.
    public var connection: RTCPeerConnection? { get async { await self.session.client.connection } }

    /// The links of the server's answer: servers for ICE, and extensions (RFC 9725 section 4.9).
    public var links: [HTTPLink] { get async { await self.session.client.links } }

    /// Restarts ICE at both sides: for a network that is known to have changed.
    ///
    /// - Throws: ``WHIPClientError``; the session goes on as it was.
    public func restartICE() async throws(WHIPClientError) { try await self.session.client.restartICE() }

    /// Ends the session: the server is told, and the connection closed. Does nothing when it is over.
    public func stop() async { await self.session.client.stop() }
}
