import NIOCore
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
    /// The request that opened the session, without its body: sessions last, and the offer is the connection's remote description.
    public let request: WHIPRequest
    /// The connection. Its events are the service's; its transceivers, statistics and states are for everybody.
    public let connection: RTCPeerConnection

    init(session: String, request: WHIPRequest, connection: RTCPeerConnection) {
        var request = request
        request.http.body = ByteBuffer()
        self.session = session
        self.request = request
        self.connection = connection
    }

    /// The name of the stream.
    public var name: String { self.request.name }

    /// The transceiver of a kind that the session uses; nil if there is none.
    public func transceiver(_ kind: MediaKind) -> RTCRtpTransceiver? {
        self.connection.getTransceivers().first { $0.kind == kind && $0.direction != .stopped }
    }
}

// Requests carry tokens and keys, in fields and in queries; who knows a session's identifier may change it.

extension WHIPRequest: CustomStringConvertible, CustomDebugStringConvertible {
    /// The method and the name of the stream: nothing that is secret.
    public var description: String {
        let target = self.session == nil ? "" : ", session of"
        return "WHIPRequest(\(self.http.method.prefix(16))\(target) \(self.name.debugDescription))"
    }

    /// The same as ``description``.
    public var debugDescription: String { self.description }
}

extension WHIPPeer: CustomStringConvertible, CustomDebugStringConvertible {
    /// The name of the stream: nothing that is secret.
    public var description: String { "WHIPPeer(\(self.name.debugDescription))" }

    /// The same as ``description``.
    public var debugDescription: String { self.description }
}
