public import AsyncHTTPClient
public import NIOCore
import NIOHTTP1
public import NIOSSL
public import RTCSignaling

/// Sends HTTP requests for a ``WHIPClient`` or ``WHEPClient``. Redirections are theirs to follow.
public protocol WHIPExchange: Sendable {
    /// Sends a request, and gives the whole response.
    ///
    /// The task is cancelled when there is none within `timeout`, and the request must end then.
    ///
    /// - Throws: Anything, when there is no response.
    func send(
        _ method: String,
        to url: String,
        headers: SignalingHeaders,
        body: ByteBuffer,
        timeout: Duration
    ) async throws -> SignalingResponse
}

/// Exchanges by AsyncHTTPClient: HTTP/1.1 and HTTP/2, over TLS where the URL says `https`.
public struct AsyncHTTPExchange: WHIPExchange {
    private enum Clients {
        case own(HTTPClients)
        case given(HTTPClient)
    }

    private let clients: Clients

    /// The largest body of a response, in bytes.
    private static let maximumBodySize = 1 << 20

    /// Exchanges by clients of the process's own, which trust the system's certification authorities.
    public static let shared = AsyncHTTPExchange(clients: .own(HTTPClients(Self.configuration)))

    /// Exchanges by a client, which follows no redirections and is shut down by its owner.
    ///
    /// Such a client takes a certificate for the address that a host's name leads to as one for the name, unless it checks its connections
    /// itself; ``shared`` and ``init(tls:)`` do not.
    public init(_ client: HTTPClient) { self.init(clients: .given(client)) }

    /// Exchanges by clients of its own, which end with it.
    ///
    /// - Parameter tls: TLS for `https:`: whom to trust (`trustRoots`), certificates of this side. With `fullVerification`, the default, a
    ///   certificate must be for the URL's host: a name by its names, an address by its addresses (RFC 9525).
    public init(tls: TLSConfiguration) {
        var configuration = Self.configuration
        configuration.tlsConfiguration = tls
        self.init(clients: .own(HTTPClients(configuration)))
    }

    private init(clients: Clients) { self.clients = clients }

    private static var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        // Who cannot be reached is told of at once, with the reason.
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    public func send(
        _ method: String,
        to url: String,
        headers: SignalingHeaders,
        body: ByteBuffer,
        timeout: Duration
    ) async throws -> SignalingResponse {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        for field in headers.fields { request.headers.add(name: field.name, value: field.value) }
        if body.readableBytes > 0 { request.body = .bytes(body) }
        switch self.clients {
        case .given(let client): return try await Self.send(request, timeout, by: client)
        case .own(let clients):
            return try await clients.withClient(for: url) { [request] in try await Self.send(request, timeout, by: $0) }
        }
    }

    private static func send(
        _ request: HTTPClientRequest,
        _ timeout: Duration,
        by client: HTTPClient
    ) async throws -> SignalingResponse {
        let response = try await client.execute(request, timeout: TimeAmount(timeout))
        var fields = SignalingHeaders()
        for (name, value) in response.headers { fields.add(name, value) }
        let bytes = try await response.body.collect(upTo: Self.maximumBodySize)
        // To a cancelled task a body just ends.
        try Task.checkCancellation()
        return SignalingResponse(Int(response.status.code), headers: fields, body: bytes)
    }
}
