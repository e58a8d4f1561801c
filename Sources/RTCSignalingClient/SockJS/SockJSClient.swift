import Foundation
import NIOCore
import NIOHTTP1
public import RTCSignaling

/// A client of SockJS 0.3.3: by WebSocket where that comes through, otherwise by HTTP requests, whether it is refused, cut or held up.
///
/// Everything may be called from anywhere, but one task at a time receives. A client that is let go of is closed.
///
/// SockJS numbers no messages. So over HTTP a request that fails is the end of the session, as nobody can know what became of
/// it; ``PollingClient`` is for networks where that matters.
public final class SockJSClient: SignalingChannel {
    /// What carries the session.
    public let transport: SockJSClientConfiguration.Transport

    private enum Carrier: Sendable {
        case webSocket(SockJSWebSocket)
        case http(HTTPChannel)
    }

    private struct Info: Decodable {
        var websocket: Bool?
    }

    /// What the service said before the session.
    private struct Answer {
        var hasWebSocket: Bool
        var cookies: String
        /// How long the answer took, with connecting.
        var roundTrip: TimeAmount
    }

    private let carrier: Carrier

    private init(_ carrier: Carrier, _ transport: SockJSClientConfiguration.Transport) {
        self.carrier = carrier
        self.transport = transport
    }

    deinit {
        // A WebSocket closes itself.
        guard case .http(let channel) = self.carrier else { return }
        Task { await channel.close() }
    }

    /// Connects, by the first of the transports that works.
    ///
    /// - Parameter url: `http://…` or `https://…`, the base URL of the service.
    /// - Throws: ``SignalingChannelError``, of the last transport that was tried.
    public static func connect(
        to url: String,
        configuration: SockJSClientConfiguration = SockJSClientConfiguration()
    ) async throws(SignalingChannelError) -> SockJSClient {
        var base = try SignalingURL(url, schemes: [.http, .https])
        while base.path.hasSuffix("/") { base.path.removeLast() }
        let answer = try await Self.ask(base, configuration)
        let transports = configuration.transports.filter { $0 != .webSocket || answer.hasWebSocket }
        var last = SignalingChannelError.invalidArgument(reason: "no transport that the server has")
        for (index, transport) in transports.enumerated() {
            // Nothing is left to be tried after the last.
            let timeout =
                index < transports.count - 1
                ? configuration.transportTimeout(roundTrip: answer.roundTrip) : configuration.http.connectTimeout
            do throws(SignalingChannelError) {
                return try await Self.connect(base, transport, configuration, within: timeout, cookies: answer.cookies)
            } catch {
                if error == .cancelled { throw error }
                last = error
            }
        }
        throw last
    }

    /// Asks the service what it has (SockJS 0.3.3, `/info`), and takes the cookies of its load balancer.
    private static func ask(
        _ base: SignalingURL,
        _ configuration: SockJSClientConfiguration
    ) async throws(SignalingChannelError) -> Answer {
        let requester = try configuration.http.makeRequester(for: base)
        let start = NIODeadline.now()
        let result: Result<Answer, any Error>
        do {
            let (response, body) = try await requester.exchange(
                .GET,
                base.description + "/info",
                limit: 64 << 10,
                timeout: configuration.http.connectTimeout
            )
            guard response.status == 200 else { throw response.refusal }
            let info = try? JSONDecoder().decode(Info.self, from: Data(body.readableBytesView))
            result = .success(
                Answer(
                    hasWebSocket: info?.websocket ?? true,
                    cookies: requester.cookieHeader,
                    roundTrip: .now() - start
                )
            )
        } catch {
            result = .failure(error)
        }
        await requester.shutdown()
        do {
            return try result.get()
        } catch {
            throw HTTPRequester.failure(error)
        }
    }

    /// Opens a session.
    ///
    /// - Parameter timeout: How long that may take. The connections of later requests have the caller's own time.
    private static func connect(
        _ base: SignalingURL,
        _ transport: SockJSClientConfiguration.Transport,
        _ configuration: SockJSClientConfiguration,
        within timeout: TimeAmount,
        cookies: String
    ) async throws(SignalingChannelError) -> SockJSClient {
        let server = configuration.serverName ?? String(Int.random(in: 100...999))
        let session = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let url = base.description + "/\(server)/\(session)"
        var http = configuration.http
        if !cookies.isEmpty { http.headers.add("cookie", cookies) }
        guard transport != .webSocket else {
            var settings = WebSocketClientConfiguration()
            settings.headers = http.headers
            settings.tls = http.tls
            settings.connectTimeout = timeout
            settings.connection = configuration.webSocket
            let webSocketURL = "ws" + url.dropFirst("http".count) + "/websocket"
            let socket = try await SockJSWebSocket.connect(to: webSocketURL, configuration: settings)
            return SockJSClient(.webSocket(socket), transport)
        }
        let requester = try http.makeRequester(for: base)
        let opened = Opening(within: timeout)
        let channel = HTTPChannel(
            SockJSTransportRequests(url, transport, requester, http, opened: opened),
            limits: http.limits(retrying: .zero)
        ) { error in
            opened.fail(error ?? .closed(code: nil, reason: ""))
        }
        channel.start()
        do throws(SignalingChannelError) {
            try await opened.wait()
        } catch {
            await channel.close()
            throw error
        }
        return SockJSClient(.http(channel), transport)
    }

    /// Sends a message; suspends while too much waits to be sent.
    public func send(_ text: String) async throws(SignalingChannelError) {
        switch self.carrier {
        case .webSocket(let socket): try await socket.send(text)
        case .http(let channel): try await channel.send(text)
        }
    }

    /// The next message; nil after an orderly end: a close of this side, or of the server's with 1000 or 1001.
    public func receive() async throws(SignalingChannelError) -> String? {
        switch self.carrier {
        case .webSocket(let socket): return try await socket.receive()
        case .http(let channel): return try await channel.receive()
        }
    }

    /// Closes after what was sent.
    public func close() async {
        switch self.carrier {
        case .webSocket(let socket): await socket.close()
        case .http(let channel): await channel.close()
        }
    }
}

extension SockJSFrame {
    /// What a frame that closes tells the reader; nil for an orderly end.
    static func error(code: Int, reason: String) -> SignalingChannelError? {
        code == 1000 || code == 1001 ? nil : .closed(code: code, reason: reason)
    }
}
