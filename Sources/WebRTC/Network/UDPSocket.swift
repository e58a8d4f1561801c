import NIOCore
import NIOPosix
import RTCBase
import RTCICE

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What takes the datagrams of a socket, on the socket's event loop.
protocol UDPSocketOwner: AnyObject {
    /// One datagram, or several of equal size (all but the last) that the kernel put together.
    func receive(_ datagrams: DatagramBatch, from remote: TransportAddress, on socket: UDPSocket)
    /// The kernel has no more for now.
    func receiveComplete(on socket: UDPSocket)
    /// Something could not be sent, and it is not known what; on a socket for one peer that peer is concerned. What is written at the time
    /// may be lost.
    func sendFailed(_ failure: ICESendFailure, on socket: UDPSocket)
}

/// One bound UDP socket. Confined to its event loop.
///
/// Linux cuts batches into datagrams on the way out and puts datagrams together on the way in (UDP segment offload), which
/// costs a tenth of single datagrams; where the kernel has neither, batches are cut here.
///
/// A socket of one connection begins with a small read buffer, for most connections are idle most of the time. When datagrams
/// come in bursts it gets a large one, and only then lets the kernel put datagrams together: what does not fit is lost.
final class UDPSocket {
    /// The address it is bound to.
    let address: TransportAddress
    private var handler: UDPSocketHandler
    private let use: Use
    private let remote: TransportAddress?
    private let sendsSegments: Bool
    private var hasUnflushed = false
    /// Datagrams since the kernel last had no more; counted only while the read buffer is small.
    private var burst = 0
    private var readsSingly: Bool
    private var isClosed = false
    /// How often another socket had to take its place.
    private(set) var replacements = 0

    private init(address: TransportAddress, handler: UDPSocketHandler, use: Use, remote: TransportAddress?) {
        self.address = address
        self.handler = handler
        self.use = use
        self.remote = remote
        self.readsSingly = use.isOnePeer
        self.sendsSegments = System.supportsUDPSegmentationOffload
    }

    /// Binds a socket on `eventLoop`, on which this is called.
    ///
    /// - Parameter remote: The one address that datagrams come from and go to, so that the kernel tells of its refusals; `nil` for any.
    static func bind(
        to address: TransportAddress,
        on eventLoop: any EventLoop,
        use: Use,
        remote: TransportAddress? = nil,
        owner: any UDPSocketOwner
    ) -> EventLoopFuture<NIOLoopBound<UDPSocket>> {
        let boundOwner = NIOLoopBound(owner, eventLoop: eventLoop)
        return Self.open(address, on: eventLoop, use, remote: remote).flatMapThrowing { handler in
            guard let local = handler.value.localAddress else { throw ChannelError.unknownLocalAddress }
            let socket = UDPSocket(address: local, handler: handler.value, use: use, remote: remote)
            handler.value.socket = socket
            handler.value.owner = boundOwner.value
            return NIOLoopBound(socket, eventLoop: eventLoop)
        }
    }

    private static func open(
        _ address: TransportAddress,
        on eventLoop: any EventLoop,
        _ use: Use,
        remote: TransportAddress?
    ) -> EventLoopFuture<NIOLoopBound<UDPSocketHandler>> {
        Self.bootstrap(on: eventLoop, use).bind(to: address.socketAddress).flatMap { channel in
            guard let remote else { return channel.eventLoop.makeSucceededFuture(channel) }
            return channel.connect(to: remote.socketAddress).map { channel }.flatMapErrorThrowing { error in
                channel.close(promise: nil)
                throw error
            }
        }.flatMap { channel in
            Self.tune(channel, use).flatMapThrowing { _ in
                let handler = UDPSocketHandler()
                try channel.pipeline.syncOperations.addHandler(handler)
                return NIOLoopBound(handler, eventLoop: eventLoop)
            }
        }
    }

    /// After some errors of sending (a broadcast address, a firewall, no route) NIO gives a socket up for all its peers. One peer named that
    /// address, and the others must not suffer: another socket takes its place. What is written meanwhile is lost, as datagrams may be.
    fileprivate func lost(on eventLoop: any EventLoop) {
        guard !self.isClosed else { return }
        self.replacements += 1
        self.handler.owner?.sendFailed(.other, on: self)
        guard !self.isClosed else { return }
        self.readsSingly = self.use.isOnePeer
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        Self.open(self.address, on: eventLoop, self.use, remote: self.remote).whenComplete { result in
            let socket = bound.value
            switch result {
            case .success(let handler) where socket.isClosed: handler.value.close()
            case .success(let handler):
                handler.value.owner = socket.handler.owner
                handler.value.socket = socket
                socket.handler = handler.value
            case .failure:
                // The address is gone, or for the moment taken.
                eventLoop.scheduleTask(in: Self.replacementDelay) { bound.value.lost(on: eventLoop) }
            }
        }
    }

    /// What a socket is for.
    enum Use {
        /// One connection: its datagrams come from one peer, and the kernel puts them together when there are many.
        case onePeer
        /// Many connections, whose datagrams only reading several at once brings together. With `isOnePortOfMany`, sockets on
        /// other event loops are bound to the same port.
        case manyPeers(isOnePortOfMany: Bool)

        var isOnePeer: Bool {
            if case .onePeer = self { return true }
            return false
        }
    }

    private static func bootstrap(on eventLoop: any EventLoop, _ use: Use) -> DatagramBootstrap {
        let bootstrap = DatagramBootstrap(group: eventLoop).channelOption(.writeSpin, value: 4)
        switch use {
        case .onePeer:
            return
                bootstrap
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.largestDatagram))
                .channelOption(.maxMessagesPerRead, value: 16)
        case .manyPeers(let isOnePortOfMany):
            let capacity = Self.largestRead * Self.vectorReadCount
            let vector =
                bootstrap
                .channelOption(.datagramVectorReadMessageCount, value: Self.vectorReadCount)
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: capacity))
                .channelOption(.maxMessagesPerRead, value: 8)
            guard isOnePortOfMany else { return vector }
            return vector.channelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: 1)
        }
    }

    private static let vectorReadCount = 4
    /// A jumbo frame: no path carries larger datagrams, and peers do not send them in fragments.
    private static let largestDatagram = 9_216
    /// So many datagrams at once are a flow.
    private static let flowBurst = 8
    /// What the kernel hands over at most when it puts datagrams together.
    private static let largestRead = 65_536
    private static let kernelBufferBytes = 4 << 20
    private static let replacementDelay = TimeAmount.seconds(1)

    /// Asks the kernel for what it can give; what it cannot is done without.
    private static func tune(_ channel: any Channel, _ use: Use) -> EventLoopFuture<Void> {
        let buffers = SocketOptionValue(Self.kernelBufferBytes)
        var steps: [EventLoopFuture<Void>] = [
            channel.setOption(.socketOption(.so_rcvbuf), value: buffers),
            channel.setOption(.socketOption(.so_sndbuf), value: buffers),
        ]
        if System.supportsUDPReceiveOffload, !use.isOnePeer {
            steps.append(channel.setOption(.datagramReceiveOffload, value: true))
            steps.append(channel.setOption(.datagramReceiveSegmentSize, value: true))
        }
        return EventLoopFuture.whenAllComplete(steps, on: channel.eventLoop).map { _ in }
    }

    /// Takes note of a datagram, and of the end of a burst.
    fileprivate func noteDatagram() {
        guard self.readsSingly else { return }
        self.burst += 1
        if self.burst >= Self.flowBurst { self.readTogether() }
    }

    fileprivate func noteEndOfBurst() { self.burst = 0 }

    /// Takes what the kernel puts together from now on, in a buffer that has room for it.
    private func readTogether() {
        self.readsSingly = false
        guard System.supportsUDPReceiveOffload, let options = self.handler.context?.channel.syncOptions else { return }
        let buffer = FixedSizeRecvByteBufferAllocator(capacity: Self.largestRead)
        // Without the segment size the kernel's bundles could not be told from datagrams.
        guard (try? options.setOption(.recvAllocator, value: buffer)) != nil,
            (try? options.setOption(.datagramReceiveSegmentSize, value: true)) != nil
        else { return }
        try? options.setOption(.datagramReceiveOffload, value: true)
    }

    /// Queues a datagram; ``flush()`` sends it. `failed` is called if that could not be done, not before this has returned.
    func write(
        _ datagram: ByteBuffer,
        to destination: SocketAddress,
        failed: @escaping (ICESendFailure) -> Void
    ) {
        guard let context = self.handler.context else { return }
        self.hasUnflushed = true
        let promise = context.eventLoop.makePromise(of: Void.self)
        let report = NIOLoopBound(failed, eventLoop: context.eventLoop)
        promise.futureResult.whenFailure { error in
            report.eventLoop.execute { report.value(ICESendFailure(error)) }
        }
        context.write(Self.wrap(AddressedEnvelope(remoteAddress: destination, data: datagram)), promise: promise)
    }

    /// Queues datagrams; ``flush()`` sends them.
    func write(_ batch: DatagramBatch, to destination: SocketAddress) {
        guard let context = self.handler.context else { return }
        self.hasUnflushed = true
        if batch.bytes.readableBytes <= batch.segmentSize {
            context.write(Self.wrap(AddressedEnvelope(remoteAddress: destination, data: batch.bytes)), promise: nil)
        } else if self.sendsSegments {
            let metadata = AddressedEnvelope<ByteBuffer>.Metadata(
                ecnState: .transportNotCapable,
                packetInfo: nil,
                segmentSize: batch.segmentSize
            )
            let envelope = AddressedEnvelope(remoteAddress: destination, data: batch.bytes, metadata: metadata)
            context.write(Self.wrap(envelope), promise: nil)
        } else {
            batch.forEachDatagram { datagram in
                context.write(Self.wrap(AddressedEnvelope(remoteAddress: destination, data: datagram)), promise: nil)
            }
        }
    }

    private static func wrap(_ envelope: AddressedEnvelope<ByteBuffer>) -> NIOAny { NIOAny(envelope) }

    /// Sends what was written since the last flush.
    func flush() {
        guard self.hasUnflushed else { return }
        self.hasUnflushed = false
        self.handler.context?.flush()
    }

    /// Sends what was written and closes the socket.
    func close() {
        self.flush()
        self.isClosed = true
        self.handler.close()
    }
}

/// The end of a socket's pipeline.
private final class UDPSocketHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private(set) var context: ChannelHandlerContext?
    var socket: UDPSocket?
    weak var owner: (any UDPSocketOwner)?

    var localAddress: TransportAddress? { self.context?.channel.localAddress.flatMap { TransportAddress($0) } }

    func close() { self.context?.channel.close(promise: nil) }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelInactive(context: ChannelHandlerContext) { self.socket?.lost(on: context.eventLoop) }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.socket = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = self.unwrapInboundIn(data)
        guard let socket = self.socket, let remote = TransportAddress(envelope.remoteAddress) else { return }
        socket.noteDatagram()
        let size = envelope.metadata?.segmentSize ?? envelope.data.readableBytes
        self.owner?.receive(DatagramBatch(bytes: envelope.data, segmentSize: max(size, 1)), from: remote, on: socket)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard let socket = self.socket else { return }
        socket.noteEndOfBurst()
        self.owner?.receiveComplete(on: socket)
    }

    /// A datagram that could not be sent or an ICMP error concerns one peer, never the socket.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let socket = self.socket else { return }
        self.owner?.sendFailed(ICESendFailure(error), on: socket)
    }
}

extension ICESendFailure {
    /// What the system or SwiftNIO says of a datagram that did not leave.
    init(_ error: any Error) {
        switch error {
        case ChannelError.writeMessageTooLarge: self = .tooLarge
        case ChannelError.writeHostUnreachable: self = .unreachable
        case let error as IOError: self.init(errorNumber: error.errnoCode)
        default: self = .other
        }
    }

    private init(errorNumber: CInt) {
        switch errorNumber {
        case EMSGSIZE: self = .tooLarge
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN: self = .unreachable
        case ECONNREFUSED: self = .refused
        default: self = .other
        }
    }
}
