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
public final class WHIPClient: WHIPSessionClient {
    public let session: WHIPClientSession

    public init(url: String, configuration: WHIPClientConfiguration = WHIPClientConfiguration()) {
        self.session = WHIPClientSession(url: url, configuration: configuration)
    }

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
        try await self.session.client.open(.publishes(tracks, codecs: codecs, encodings))
    }
}
