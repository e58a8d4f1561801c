import NIOCore
import RTCSignaling
import RTCWHIP
import Testing
import WebRTC

/// Connections on loopback, and what stands in their descriptions.
enum Peers {
    static let loopback: RTCAddressPolicy = {
        var policy = RTCAddressPolicy()
        policy.addresses = ["127.0.0.1"]
        return policy
    }()

    static func connection() throws -> RTCPeerConnection { try RTCPeerConnection(addressPolicy: Self.loopback) }

    /// An offer with a section of each kind.
    static func offer(
        _ kinds: [MediaKind] = [.audio, .video],
        _ direction: RTCRtpTransceiverDirection = .sendonly
    ) async throws -> String {
        let connection = try RTCPeerConnection(
            configuration: RTCConfiguration(bundlePolicy: .maxBundle),
            addressPolicy: Self.loopback
        )
        let stream = MediaStream()
        for kind in kinds {
            let options = RTCRtpTransceiverInit(direction: direction, streams: [stream])
            try await connection.addTransceiver(kind, options)
        }
        let offer = try await connection.createOffer()
        await connection.close()
        return offer.sdp
    }
}

extension WHIPSessionClient {
    /// Takes the client's events up to that of its connection.
    func waitUntilConnected() async {
        for await event in self.events where event == .connectionStateChange(.connected) { return }
        Issue.record("the session ended before there was a connection")
    }
}

extension SignalingRequest {
    static func post(
        _ sdp: String,
        to path: String = "/whip/stage",
        token: String? = nil,
        type: String = "application/sdp"
    ) -> SignalingRequest {
        var headers: SignalingHeaders = ["content-type": type]
        if let token { headers.add("authorization", "Bearer \(token)") }
        return SignalingRequest(method: "POST", target: path, headers: headers, body: ByteBuffer(string: sdp))
    }

    static func patch(
        _ fragment: String,
        to path: String,
        match: String? = nil,
        type: String = "application/trickle-ice-sdpfrag"
    ) -> SignalingRequest {
        var headers: SignalingHeaders = ["content-type": type]
        if let match { headers.add("if-match", match) }
        return SignalingRequest(method: "PATCH", target: path, headers: headers, body: ByteBuffer(string: fragment))
    }
}

extension SignalingResponse {
    var text: String { String(buffer: self.body) }
    var location: String { self.headers.first("location") ?? "" }
    var tag: String { self.headers.first("etag") ?? "" }
}

/// Hands a client's requests to services of this process, by host name; tells of each.
final class ServiceExchange: WHIPExchange {
    typealias Handler = @Sendable (SignalingRequest) async throws -> SignalingResponse

    let requests: AsyncStream<SignalingRequest>
    private let continuation: AsyncStream<SignalingRequest>.Continuation
    private let hosts: [String: Handler]

    init(_ hosts: [String: Handler]) {
        self.hosts = hosts
        (self.requests, self.continuation) = AsyncStream.makeStream()
    }

    func send(
        _ method: String,
        to url: String,
        headers: SignalingHeaders,
        body: ByteBuffer,
        timeout: Duration
    ) async throws -> SignalingResponse {
        let rest = try #require(url.split(separator: "://", maxSplits: 1).last)
        let host = rest.prefix { $0 != "/" }
        var headers = headers
        headers.add("host", String(host))
        let request = SignalingRequest(
            method: method,
            target: String(rest[host.endIndex...]),
            headers: headers,
            body: body
        )
        self.continuation.yield(request)
        guard let handler = self.hosts[String(host)] else { throw NoSuchHost() }
        return try await handler(request)
    }

    struct NoSuchHost: Error {}
}
