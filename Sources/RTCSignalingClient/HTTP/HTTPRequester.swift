import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import RTCSignaling
import RTCTLS
import Synchronization

/// Makes HTTP requests for one channel, over connections of its own: requests that are held open must not take the place of others.
final class HTTPRequester: Sendable {
    private let client: HTTPClient
    private let headers: SignalingHeaders
    private let timeout: TimeAmount
    /// Cookies by their names: what load balancers keep a client on one server by.
    private let cookies = Mutex<[String: String]>([:])

    /// - Parameters:
    ///   - host: The server of all requests.
    ///   - headers: Header fields of all requests; `host` and those of framing are not allowed.
    init(
        host: String,
        headers: SignalingHeaders,
        tls: TLSConfiguration,
        connectTimeout: TimeAmount,
        idleTimeout: TimeAmount,
        timeout: TimeAmount
    ) throws(SignalingChannelError) {
        try headers.validate(reserved: ["host", "content-length", "transfer-encoding", "connection"])
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = tls
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = connectTimeout
        configuration.timeout.read = idleTimeout
        configuration.httpVersion = .http1Only
        if tls.isVerifyingNames {
            configuration.http1_1ConnectionDebugInitializer = { ServerIdentity(host: host).verify($0) }
        }
        configuration.connectionPool.idleTimeout = .seconds(30)
        // Who retries knows what may be sent again.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.maximumUsesPerConnection = nil
        self.client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
        self.headers = headers
        self.timeout = timeout
    }

    /// Ends everything that is under way.
    func shutdown() async { try? await self.client.shutdown() }

    /// What an error of the client below means to a channel.
    static func failure(_ error: any Error) -> SignalingChannelError {
        if let error = error as? SignalingChannelError { return error }
        if error is CancellationError || error as? HTTPClientError == .cancelled { return .cancelled }
        if error is NIOTooManyBytesError { return .protocolViolation(reason: "a response is too large") }
        return .connectionFailed(reason: Dialer.describe(error))
    }

    /// A response whose body is on its way.
    struct Response {
        let status: Int
        let headers: HTTPHeaders
        let body: HTTPClientResponse.Body
    }

    /// Makes a request; gives the response once its head is there.
    ///
    /// - Parameter timeout: How long all of it may take, the body too; nil for the usual.
    func request(
        _ method: HTTPMethod,
        _ url: String,
        headers: [(String, String)] = [],
        body: ByteBuffer? = nil,
        timeout: TimeAmount? = nil
    ) async throws -> Response {
        var request = HTTPClientRequest(url: url)
        request.method = method
        for field in self.headers.fields { request.headers.add(name: field.name, value: field.value) }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        let cookies = self.cookieHeader
        if !cookies.isEmpty { request.headers.add(name: "cookie", value: cookies) }
        if let body { request.body = .bytes(body) }
        let response = try await self.client.execute(request, timeout: timeout ?? self.timeout)
        self.keepCookies(of: response.headers)
        return Response(status: Int(response.status.code), headers: response.headers, body: response.body)
    }

    /// The cookies that the server set so far, as requests have them (RFC 6265 section 4.2).
    var cookieHeader: String {
        self.cookies.withLock { $0.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "; ") }
    }

    /// All requests go to one server and end with the channel, so a cookie's attributes make no difference.
    private func keepCookies(of headers: HTTPHeaders) {
        for cookie in headers["set-cookie"] where cookie.utf8.count <= 4096 {
            let pair = cookie.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            self.cookies.withLock { cookies in
                if cookies.count < 32 || cookies[String(pair[0])] != nil { cookies[String(pair[0])] = String(pair[1]) }
            }
        }
    }

    /// Makes a request and takes its whole body, up to a limit of bytes.
    func exchange(
        _ method: HTTPMethod,
        _ url: String,
        headers: [(String, String)] = [],
        body: ByteBuffer? = nil,
        limit: Int,
        timeout: TimeAmount? = nil
    ) async throws -> (response: Response, body: ByteBuffer) {
        let response = try await self.request(method, url, headers: headers, body: body, timeout: timeout)
        return (response, try await response.body.collect(upTo: limit))
    }
}

extension HTTPRequester.Response {
    /// How long the server wants to be left alone, where it says so in seconds.
    var retryAfter: TimeAmount? {
        self.headers.first(name: "retry-after").flatMap(Int64.init).map { .seconds(min(max($0, 0), 60)) }
    }

    /// Whether the same request may succeed later (RFC 9110 section 15.6; RFC 6585 section 4).
    var isTemporary: Bool { [408, 429, 500, 502, 503, 504].contains(self.status) }
}
