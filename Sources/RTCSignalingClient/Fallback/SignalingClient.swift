public import NIOCore
public import RTCSignaling

/// Finds a way to a server that has a WebSocket and polling under one path, as ``RTCSignalingServer`` serves them.
public enum SignalingClient {
    /// A way to a server.
    public enum Transport: Sendable, Hashable, CaseIterable {
        /// ``WebSocketClient``.
        case webSocket
        /// ``PollingClient`` with a stream of events.
        case eventStream
        /// ``PollingClient`` with requests that are held.
        case longPolling
        /// ``PollingClient`` with requests that are not.
        case polling
    }

    /// A channel, and how it came about.
    public struct Connection: Sendable {
        /// The channel.
        public let channel: any SignalingChannel
        /// What it goes by.
        public let transport: Transport
        /// What was tried before, and why it did not work.
        public let failures: [(transport: Transport, error: SignalingChannelError)]
    }

    /// Connects, by the first of the transports that works.
    ///
    /// A server that refuses one of them may have another; so everything is tried, but for what the caller got wrong.
    ///
    /// - Parameters:
    ///   - url: `http`, `https`, `ws` or `wss`; the scheme is changed to that of each transport.
    ///   - transports: What is tried, in this order.
    ///   - settings: Headers, TLS and limits for all of them.
    ///   - attemptTimeout: How long one of them may take, by default 5 s. So all of them take a bounded time.
    /// - Throws: ``SignalingChannelError``, of the last that was tried.
    public static func connect(
        to url: String,
        transports: [Transport] = Transport.allCases,
        settings: HTTPClientSettings = HTTPClientSettings(),
        attemptTimeout: TimeAmount = .seconds(5)
    ) async throws(SignalingChannelError) -> Connection {
        let url = try SignalingURL(url, schemes: [.http, .https, .ws, .wss])
        var settings = settings
        settings.connectTimeout = attemptTimeout
        var failures: [(transport: Transport, error: SignalingChannelError)] = []
        for transport in transports {
            do throws(SignalingChannelError) {
                let channel = try await self.connect(url, transport, settings)
                return Connection(channel: channel, transport: transport, failures: failures)
            } catch {
                switch error {
                case .cancelled, .invalidArgument: throw error
                default: failures.append((transport, error))
                }
            }
        }
        throw failures.last?.error ?? .invalidArgument(reason: "no transport to try")
    }

    private static func connect(
        _ url: SignalingURL,
        _ transport: Transport,
        _ settings: HTTPClientSettings
    ) async throws(SignalingChannelError) -> any SignalingChannel {
        if transport == .webSocket {
            var configuration = WebSocketClientConfiguration()
            configuration.headers = settings.headers
            configuration.tls = settings.tls
            configuration.connectTimeout = settings.connectTimeout
            let target = url.with(url.scheme.isSecure ? .wss : .ws)
            return try await WebSocketClient.connect(to: target.description, configuration: configuration)
        }
        var configuration = PollingClientConfiguration()
        configuration.http = settings
        configuration.mode = transport == .eventStream ? .eventStream : transport == .polling ? .polling : .longPolling
        let target = url.with(url.scheme.isSecure ? .https : .http)
        return try await PollingClient.connect(to: target.description, configuration: configuration)
    }
}
