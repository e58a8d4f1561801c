internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import RTCBase
internal import RTCTURN
internal import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Everything over TCP: clients' connections, TLS among them, and relays for TCP. Runs on NIO's event loops; any thread may
/// call.
final class StreamServices: Sendable {
    private let group: any EventLoopGroup
    private let mailboxes: [ShardMailbox]
    private let places: ConnectionPlaces
    private let claims = RelayClaims()
    private let next = Atomic(0)

    init(group: any EventLoopGroup, mailboxes: [ShardMailbox], places: ConnectionPlaces) {
        self.group = group
        self.mailboxes = mailboxes
        self.places = places
    }

    func nextMailbox() -> ShardMailbox {
        let (number, _) = self.next.wrappingAdd(1, ordering: .relaxed)
        return self.mailboxes[Int(truncatingIfNeeded: UInt(bitPattern: number) % UInt(self.mailboxes.count))]
    }

    func mailbox(at index: Int) -> ShardMailbox? {
        index < self.mailboxes.count ? self.mailboxes[index] : nil
    }

    // MARK: Clients

    /// Listens for clients.
    func listen(
        on address: TransportAddress,
        _ transport: TURNTransport,
        tls: NIOSSLContext?
    ) async throws -> any Channel {
        try await ServerBootstrap(group: self.group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // A connection that was reset already has no address.
                    guard let remote = channel.remoteAddress.flatMap({ TransportAddress($0) }),
                        self.places.take(for: remote)
                    else { throw ChannelError.ioOnClosedChannel }
                    // Not every connection becomes active; each is closed.
                    channel.closeFuture.whenComplete { _ in self.places.giveBack(of: remote) }
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    let handler = StreamClientHandler(transport: transport, services: self)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(to: address.socketAddress)
            .get()
    }

    // MARK: Relays

    /// Listens for peers on a port of the range, the same that connections to peers come from.
    func openRelay(
        _ id: TURNRelayID,
        on address: TransportAddress,
        _ ports: ClosedRange<UInt16>,
        start: UInt64,
        _ mailbox: ShardMailbox,
        _ done: @escaping @Sendable (Result<any Channel, any Error>) -> Void
    ) {
        let loop = self.group.next()
        self.bindRelay(id, on: address, ports, start: start, attempts: 32, loop, mailbox).whenComplete(done)
    }

    private func bindRelay(
        _ id: TURNRelayID,
        on address: TransportAddress,
        _ ports: ClosedRange<UInt16>,
        start: UInt64,
        attempts: Int,
        _ loop: any EventLoop,
        _ mailbox: ShardMailbox
    ) -> EventLoopFuture<any Channel> {
        let port = UInt16(UInt64(ports.lowerBound) + start % UInt64(ports.count))
        return self.bindRelay(id, on: address.withPort(port), loop, mailbox).flatMapError { error in
            guard attempts > 1 else { return loop.makeFailedFuture(error) }
            let next = start &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return self.bindRelay(
                id,
                on: address,
                ports,
                start: next,
                attempts: attempts - 1,
                loop,
                mailbox
            )
        }
    }

    private func bindRelay(
        _ id: TURNRelayID,
        on address: TransportAddress,
        _ loop: any EventLoop,
        _ mailbox: ShardMailbox
    ) -> EventLoopFuture<any Channel> {
        guard self.claims.claim(address) else { return loop.makeFailedFuture(RelayClaims.Taken()) }
        let bound = ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                Self.prepare(channel).map { stream in
                    guard let remote = channel.remoteAddress.flatMap({ TransportAddress($0) }),
                        mailbox.post(.peerAccepted(id, remote, stream))
                    else { return channel.close(promise: nil) }
                }
            }
            .bind(to: address.socketAddress)
        bound.whenComplete { result in
            switch result {
            case .success(let channel): channel.closeFuture.whenComplete { _ in self.claims.release(address) }
            case .failure: self.claims.release(address)
            }
        }
        return bound
    }

    /// Connects to a peer from a relay's address.
    func connect(
        _ connection: UInt32,
        from local: SocketAddress,
        to peer: TransportAddress,
        _ mailbox: ShardMailbox,
        _ done: @escaping @Sendable (Result<PeerStream, any Error>) -> Void
    ) {
        let promise = self.group.next().makePromise(of: PeerStream.self)
        ClientBootstrap(group: promise.futureResult.eventLoop)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: 1)
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // The core gives up first.
            .connectTimeout(.seconds(35))
            .bind(to: local)
            .channelInitializer { channel in
                Self.prepare(channel).map { stream in
                    stream.setConnection(connection, mailbox)
                    mailbox.post(.peerConnecting(connection, stream))
                    promise.succeed(stream)
                }
            }
            .connect(to: peer.socketAddress)
            .flatMap { _ in promise.futureResult }
            .whenComplete { result in
                if case .failure(let error) = result { promise.fail(error) }
                done(result)
            }
    }

    private static func prepare(_ channel: any Channel) -> EventLoopFuture<PeerStream> {
        channel.eventLoop.makeCompletedFuture {
            let handler = PeerStreamHandler(channel: channel)
            try channel.pipeline.syncOperations.addHandler(handler)
            return PeerStream(channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }
    }
}
