public import NIOCore
import NIOHTTP1
public import NIOPosix
import RTCSignaling
import Synchronization

/// An HTTP/1.1 server that speaks signalling protocols: WebSocket, SockJS, STOMP and Socket.IO.
///
/// ``run()`` serves until ``shutdown()`` or until its task is cancelled. All connections of a server are on one event loop:
/// messages of signalling are few and small, and sessions that go from connection to connection need no lock.
public final class SignalingServer: Sendable {
    /// Serves one client, and ends its session.
    typealias NewSession = @Sendable () async -> Void

    /// The address it listens on, with the real port.
    public let address: SocketAddress
    /// The addresses of the routes that have a TCP port of their own, in their order.
    public let tcpAddresses: [SocketAddress]

    private let channels: [any Channel]
    private let eventLoop: any EventLoop
    private let core: NIOLoopBound<ServerCore>
    private let newSessions: AsyncStream<NewSession>
    private let newSessionsContinuation: AsyncStream<NewSession>.Continuation

    private init(
        channels: [any Channel],
        eventLoop: any EventLoop,
        addresses: [SocketAddress],
        core: NIOLoopBound<ServerCore>,
        newSessions: (stream: AsyncStream<NewSession>, continuation: AsyncStream<NewSession>.Continuation)
    ) {
        self.channels = channels
        self.eventLoop = eventLoop
        self.address = addresses[0]
        self.tcpAddresses = Array(addresses.dropFirst())
        self.core = core
        self.newSessions = newSessions.stream
        self.newSessionsContinuation = newSessions.continuation
    }

    /// Listens; ``run()`` serves.
    ///
    /// - Parameters:
    ///   - eventLoop: The loop for everything; one of the process's own by default.
    /// - Throws: What the system says if it cannot listen there.
    public static func bind(
        _ routes: SignalingRoutes,
        configuration: SignalingServerConfiguration = SignalingServerConfiguration(),
        eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any()
    ) async throws -> SignalingServer {
        // As many as there are connections at most.
        let newSessions = AsyncStream.makeStream(of: NewSession.self)
        let core = try await eventLoop.submit {
            let core = ServerCore(routes, configuration, eventLoop: eventLoop) {
                newSessions.continuation.yield($0)
            }
            return NIOLoopBound(core, eventLoop: eventLoop)
        }.get()
        var channels: [any Channel] = []
        do {
            channels.append(
                try await Self.listen(eventLoop, configuration.host, configuration.port) { try core.value.accept($0) }
            )
            for (service, host, port) in routes.stompListeners {
                channels.append(
                    try await Self.listen(eventLoop, host, port) { try core.value.acceptSTOMP($0, service) }
                )
            }
        } catch {
            for channel in channels { try? await channel.close() }
            throw error
        }
        let addresses = channels.compactMap(\.localAddress)
        guard addresses.count == channels.count else { throw ChannelError.unknownLocalAddress }
        return SignalingServer(
            channels: channels,
            eventLoop: eventLoop,
            addresses: addresses,
            core: core,
            newSessions: newSessions
        )
    }

    private static func listen(
        _ eventLoop: any EventLoop,
        _ host: String,
        _ port: Int,
        accept: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> any Channel {
        try await ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel) }
            }
            .bind(host: host, port: port)
            .get()
    }

    /// Serves until ``shutdown()``; then all sessions are closed with 1001, and their handlers have returned.
    public func run() async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await new in self.newSessions {
                    group.addTask { await new() }
                }
            }
        } onCancel: {
            self.shutdown()
        }
    }

    /// Stops to listen and closes all sessions.
    public func shutdown() {
        let core = self.core
        let sessions = self.newSessionsContinuation
        self.eventLoop.execute {
            core.value.shutdown()
            sessions.finish()
        }
        for channel in self.channels { channel.close(promise: nil) }
    }
}
