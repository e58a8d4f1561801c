import RTCCore
public import RTCSignaling
public import WebRTC

/// A request to a ``WHIPService`` or ``WHEPService``, for those who decide on it.
public struct WHIPRequest: Sendable, Hashable {
    /// The request as it came.
    public var http: SignalingRequest
    /// The name of the stream: the component behind the service's path, decoded; empty for the path itself.
    public var name: String
    /// The identifier of the session that the request is for; nil for one to the endpoint.
    public var session: String?

    /// The bearer token; nil if there is none.
    public var token: BearerToken? {
        self.http.headers.first("authorization").flatMap { BearerToken(authorization: $0) }
    }

    /// Whether the request asks for a new session.
    public var opensSession: Bool { self.session == nil && self.http.method == "POST" }
}

/// A publisher or a viewer with its session.
public struct WHIPPeer: Sendable {
    /// The identifier of the session: 32 hexadecimal digits, which nobody can guess.
    public let session: String
    /// The request that opened the session.
    public let request: WHIPRequest
    /// The connection. Its events are the service's; its transceivers, statistics and states are for everybody.
    public let connection: RTCPeerConnection

    /// The name of the stream.
    public var name: String { self.request.name }

    /// The transceiver of a kind that the session uses; nil if there is none.
    public func transceiver(_ kind: MediaKind) -> RTCRtpTransceiver? {
        self.connection.getTransceivers().first { $0.kind == kind && $0.direction != .stopped }
    }
}
