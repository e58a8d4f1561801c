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
    private let client: HTTPClient
    private let owner: ClientOwner?

    /// The largest body of a response, in bytes.
    private static let maximumBodySize = 1 << 20

    /// Exchanges by a client of the process's own, which trusts the system's certification authorities.
    public static let shared: AsyncHTTPExchange = {
        AsyncHTTPExchange(HTTPClient(eventLoopGroupProvider: .singleton, configuration: Self.configuration))
    }()

    /// Exchanges by a client, which follows no redirections and is shut down by its owner.
    public init(_ client: HTTPClient) {
        self.client = client
        self.owner = nil
    }

    /// Exchanges by a client of its own, which ends with it.
    ///
    /// - Parameter tls: TLS for `https:`: whom to trust (`trustRoots`), certificates of this side.
    public init(tls: TLSConfiguration) {
        var configuration = Self.configuration
        configuration.tlsConfiguration = tls
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.owner = ClientOwner(self.client)
    }

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
        let response = try await self.client.execute(request, timeout: TimeAmount(timeout))
        var fields = SignalingHeaders()
        for (name, value) in response.headers { fields.add(name, value) }
        let bytes = try await response.body.collect(upTo: Self.maximumBodySize)
        // To a cancelled task a body just ends.
        try Task.checkCancellation()
        return SignalingResponse(Int(response.status.code), headers: fields, body: bytes)
    }
}

/// Shuts a client down with the last exchange that goes by it.
private final class ClientOwner: Sendable {
    private let client: HTTPClient

    init(_ client: HTTPClient) { self.client = client }

    deinit { self.client.shutdown { _ in } }
}
