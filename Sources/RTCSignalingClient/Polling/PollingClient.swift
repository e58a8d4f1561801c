public import RTCSignaling

/// A client of a ``RTCSignaling/PollingService``: plain HTTP requests, through whatever passes those.
///
/// Requests that fail are made again, and every message is taken once all the same. Everything may be called from anywhere, but
/// one task at a time receives; while nobody does, nothing more is asked for, and a server forgets a session that asks for nothing for a
/// while (``RTCSignaling/PollingConfiguration/sessionTimeout``), unless messages are sent. A client that is let go of is closed.
public final class PollingClient: SignalingChannel {
    private let channel: HTTPChannel

    private init(_ channel: HTTPChannel) { self.channel = channel }

    deinit {
        let channel = self.channel
        Task { await channel.close() }
    }

    /// Opens a session.
    ///
    /// With ``PollingClientConfiguration/Mode/eventStream`` the stream has begun, too: it is known to come through.
    ///
    /// - Parameter url: `http://…` or `https://…`, the path of the service.
    /// - Throws: ``SignalingChannelError``: `invalidArgument`, `connectionFailed`, `refused`, `protocolViolation`, `cancelled`.
    public static func connect(
        to url: String,
        configuration: PollingClientConfiguration = PollingClientConfiguration()
    ) async throws(SignalingChannelError) -> PollingClient {
        let url = try SignalingURL(url, schemes: [.http, .https])
        let requester = try configuration.http.makeRequester(for: url)
        let opened = Opening(within: configuration.http.connectTimeout)
        do throws(SignalingChannelError) {
            let session = try await PollingTransport.open(url, requester, configuration)
            let transport = PollingTransport(session, requester, configuration, opened: opened)
            let limits = configuration.http.limits(retrying: configuration.retryTimeout)
            let channel = HTTPChannel(transport, limits: limits) { error in
                switch error {
                // A session that was closed at once was one: whoever receives is told.
                case nil, .closed: opened.succeed()
                case let error?: opened.fail(error)
                }
            }
            channel.start()
            if configuration.mode != .eventStream { opened.succeed() }
            do throws(SignalingChannelError) {
                try await opened.wait()
            } catch {
                await channel.close()
                throw error
            }
            return PollingClient(channel)
        } catch {
            await requester.shutdown()
            throw error
        }
    }

    /// Sends a message; suspends while too much waits to be sent.
    public func send(_ text: String) async throws(SignalingChannelError) { try await self.channel.send(text) }

    /// The next message; nil after an orderly end: a close of this side, or of the server's with 1000 or 1001.
    public func receive() async throws(SignalingChannelError) -> String? { try await self.channel.receive() }

    /// Ends the session after what was sent, which may take the configuration's `closeTimeout`.
    public func close() async { await self.channel.close() }
}
