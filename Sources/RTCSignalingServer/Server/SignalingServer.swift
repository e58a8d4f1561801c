public import NIOCore
import NIOHTTP1
public import NIOPosix
import RTCSignaling
import Synchronization

/// A server of HTTP/1.1 and HTTP/2 that speaks signalling protocols: WebSocket, SockJS, STOMP and Socket.IO.
///
/// ``run()`` serves until ``shutdown()`` or until its task is cancelled. All connections of a server are on one event loop:
/// messages of signalling are few and small, and sessions that go from connection to connection need no lock.
public final class SignalingServer: Sendable {
    /// What ``run()`` is told by the event loop.
    enum Event: Sendable {
        case began(@Sendable () async -> Void)
        /// The time to take leave is over.
        case cutOff
    }

    /// The address it listens on, with the real port.
    public let address: SocketAddress
    /// The addresses of the routes that have a TCP port of their own, in their order.
    public let tcpAddresses: [SocketAddress]

    private let channels: [any Channel]
    private let eventLoop: any EventLoop
    private let core: NIOLoopBound<ServerCore>
    private let events: AsyncStream<Event>
    private let eventsContinuation: AsyncStream<Event>.Continuation
    private let metrics: ServerMetricsTimer

    private init(
        channels: [any Channel],
        eventLoop: any EventLoop,
        addresses: [SocketAddress],
        core: NIOLoopBound<ServerCore>,
        events: (stream: AsyncStream<Event>, continuation: AsyncStream<Event>.Continuation)
    ) {
        self.channels = channels
        self.eventLoop = eventLoop
        self.address = addresses[0]
        self.tcpAddresses = Array(addresses.dropFirst())
        self.core = core
        self.events = events.stream
        self.eventsContinuation = events.continuation
        self.metrics = ServerMetricsTimer(core, eventLoop: eventLoop)
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
        let events = AsyncStream.makeStream(of: Event.self)
        let core = try await eventLoop.submit {
            let core = ServerCore(routes, configuration, eventLoop: eventLoop) {
                events.continuation.yield(.began($0))
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
            events: events
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
    ///
    /// Handlers that do not return within ``SignalingServerConfiguration/drainTimeout`` are cancelled.
    public func run() async {
        let core = self.core
        let eventLoop = self.eventLoop
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await event in self.events {
                    switch event {
                    case .cutOff: group.cancelAll()
                    case .began(let work):
                        group.addTask {
                            await work()
                            eventLoop.execute { core.value.handlerEnded() }
                        }
                    }
                }
            }
        } onCancel: {
            self.shutdown()
        }
    }

    /// Stops to listen and lets all take their leave: sessions are closed with 1001, SockJS's with its frame, clients of STOMP get
    /// an `ERROR`, connections of HTTP/2 a GOAWAY, and requests their responses.
    ///
    /// It returns at once; ``run()`` returns when all are gone, at the latest after ``SignalingServerConfiguration/drainTimeout``,
    /// when those that are left are cut off.
    public func shutdown() {
        let core = self.core
        let events = self.eventsContinuation
        self.eventLoop.execute {
            core.value.drain { wasCutOff in
                if wasCutOff { events.yield(.cutOff) }
                events.finish()
            }
        }
        self.metrics.stop()
        for channel in self.channels { channel.close(promise: nil) }
    }

    /// What was counted so far.
    public var counters: SignalingServerCounters {
        get async {
            let core = self.core
            return (try? await self.eventLoop.submit { core.value.currentCounters }.get()) ?? SignalingServerCounters()
        }
    }
}
