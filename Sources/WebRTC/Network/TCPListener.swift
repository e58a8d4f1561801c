import NIOCore
import NIOPosix
import RTCBase

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What takes the connections of a listener, on the listener's event loop.
protocol TCPListenerOwner: AnyObject {
    /// A datagram came.
    func receive(_ frame: ByteBuffer, over accepted: TCPListener.Accepted)
    /// There is no more for now.
    func receiveComplete(on accepted: TCPListener.Accepted)
    /// The connection has ended.
    func closed(_ accepted: TCPListener.Accepted)
}

/// A listening TCP socket for passive candidates (RFC 6544). Confined to its event loop.
///
/// A connection that no connectivity check has validated after ten seconds is closed, and there are only so many of them.
final class TCPListener {
    /// A connection that a peer made.
    final class Accepted {
        let connection: TCPConnection
        /// Which shard of an endpoint the peer belongs to, once its first check told.
        var shard: Int?
        var isValidated = false
        var isClosed = false

        init(_ connection: TCPConnection) { self.connection = connection }
    }

    /// The address it is bound to.
    let address: TransportAddress
    private let eventLoop: any EventLoop
    private let channel: any Channel
    private weak var owner: (any TCPListenerOwner)?
    private var pending = 0
    private static let maximumPending = 1_024
    private static let timeToValidate = TimeAmount.seconds(10)

    private init(address: TransportAddress, channel: any Channel, owner: any TCPListenerOwner) {
        self.address = address
        self.eventLoop = channel.eventLoop
        self.channel = channel
        self.owner = owner
    }

    /// Binds a listener on `eventLoop`, on which this is called. With `isOnePortOfMany`, listeners on other event loops are
    /// bound to the same port.
    static func bind(
        to address: TransportAddress,
        on eventLoop: any EventLoop,
        isOnePortOfMany: Bool,
        owner: any TCPListenerOwner
    ) -> EventLoopFuture<NIOLoopBound<TCPListener>> {
        let listener = NIOLoopBoundBox<TCPListener?>(nil, eventLoop: eventLoop)
        let boundOwner = NIOLoopBound(owner, eventLoop: eventLoop)
        var bootstrap = ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: TCPConnection.waterMark)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let listener = listener.value else { throw ChannelError.inappropriateOperationForState }
                    try listener.accept(channel)
                }
            }
        if isOnePortOfMany {
            bootstrap = bootstrap.serverChannelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: 1)
        }
        return bootstrap.bind(to: address.socketAddress).flatMapThrowing { channel in
            guard let local = channel.localAddress.flatMap({ TransportAddress($0) }) else {
                throw ChannelError.unknownLocalAddress
            }
            let made = TCPListener(address: local.over(.tcp), channel: channel, owner: boundOwner.value)
            listener.value = made
            return NIOLoopBound(made, eventLoop: eventLoop)
        }
    }

    private func accept(_ channel: any Channel) throws {
        guard self.pending < Self.maximumPending,
            let remote = channel.remoteAddress.flatMap({ TransportAddress($0) })
        else { throw ChannelError.operationUnsupported }
        let connection = TCPConnection(base: self.address, remote: remote.over(.tcp), channel: channel)
        let accepted = Accepted(connection)
        self.pending += 1
        let handler = TCPConnectionHandler { [weak self] happening in self?.handle(happening, of: accepted) }
        try channel.pipeline.syncOperations.addHandler(handler)
        let bound = NIOLoopBound((listener: self, accepted: accepted), eventLoop: self.eventLoop)
        self.eventLoop.scheduleTask(in: Self.timeToValidate) {
            bound.value.listener.closeUnlessValidated(bound.value.accepted)
        }
    }

    private func closeUnlessValidated(_ accepted: Accepted) {
        self.pending -= 1
        if !accepted.isValidated, !accepted.isClosed { accepted.connection.close() }
    }

    private func handle(_ happening: TCPConnectionHandler.Happening, of accepted: Accepted) {
        guard let owner = self.owner else { return accepted.connection.close() }
        switch happening {
        case .frame(let frame): owner.receive(frame, over: accepted)
        case .readComplete: owner.receiveComplete(on: accepted)
        case .closed:
            accepted.isClosed = true
            owner.closed(accepted)
        }
    }

    func close() { self.channel.close(promise: nil) }
}
