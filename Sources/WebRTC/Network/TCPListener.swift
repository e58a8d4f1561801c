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
        var isValidated = false {
            didSet { if self.isValidated { self.settle() } }
        }
        var isClosed = false {
            didSet { if self.isClosed { self.settle() } }
        }
        /// What ends its time among those that nobody has validated yet; once.
        fileprivate var settled: (() -> Void)?

        init(_ connection: TCPConnection) { self.connection = connection }

        private func settle() {
            let settled = self.settled
            self.settled = nil
            settled?()
        }
    }

    /// The address it is bound to.
    let address: TransportAddress
    private let eventLoop: any EventLoop
    private let channel: any Channel
    private weak var owner: (any TCPListenerOwner)?
    /// How many connections of each address nobody has validated yet.
    private var pending: [TransportAddress: Int] = [:]
    private(set) var pendingCount = 0
    private static let maximumPending = 1_024
    private static let maximumPendingOfOneAddress = 128
    /// A connectivity check is smaller, and so is what may follow it at once.
    private static let largestFrameOfPending = 4_096
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
        guard let remote = channel.remoteAddress.flatMap({ TransportAddress($0) }), self.hasRoom(for: remote)
        else { throw ChannelError.operationUnsupported }
        let connection = TCPConnection(base: self.address, remote: remote.over(.tcp), channel: channel)
        let accepted = Accepted(connection)
        let handler = TCPConnectionHandler(
            limit: { accepted.isValidated ? .max : Self.largestFrameOfPending },
            report: { [weak self] happening in self?.handle(happening, of: accepted) }
        )
        try channel.pipeline.syncOperations.addHandler(handler)
        self.pending[remote.withPort(0), default: 0] += 1
        self.pendingCount += 1
        let timer = self.eventLoop.scheduleTask(in: Self.timeToValidate) { connection.close() }
        accepted.settled = { [weak self] in
            timer.cancel()
            self?.noteSettled(remote.withPort(0))
        }
    }

    /// A listener that many peers share is not one address's alone.
    private func hasRoom(for remote: TransportAddress) -> Bool {
        self.pendingCount < Self.maximumPending
            && self.pending[remote.withPort(0), default: 0] < Self.maximumPendingOfOneAddress
    }

    private func noteSettled(_ ip: TransportAddress) {
        self.pendingCount -= 1
        self.pending[ip] = self.pending[ip].flatMap { $0 > 1 ? $0 - 1 : nil }
    }

    private func handle(_ happening: TCPConnectionHandler.Happening, of accepted: Accepted) {
        if case .closed = happening { accepted.isClosed = true }
        guard let owner = self.owner else { return accepted.connection.close() }
        switch happening {
        case .frame(let frame): owner.receive(frame, over: accepted)
        case .readComplete: owner.receiveComplete(on: accepted)
        case .closed: owner.closed(accepted)
        }
    }

    func close() { self.channel.close(promise: nil) }
}
