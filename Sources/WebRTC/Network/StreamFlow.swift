import NIOCore
import NIOPosix
import NIOTLS
import RTCBase
import RTCCore
import RTCTLS

/// A TCP or TLS connection to one server.
final class StreamFlow: ServerFlow {
    private let id: ServerFlowID
    private let target: ServerFlowTarget
    /// `nil` without TLS.
    private let trust: RTCIceServerTrust?
    private unowned let flows: ServerFlows
    /// There from the beginning, so that it can be closed while it is being connected.
    private var channel: (any Channel)?
    private var isOpen = false
    private var isClosed = false
    /// Bytes of data that were dropped because the server reads too slowly.
    private(set) var droppedBytes: UInt64 = 0

    /// So much waits for a slow server before data is dropped, as a full queue on the way would.
    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 128 << 10, high: 512 << 10)
    private static let connectTimeout = TimeAmount.seconds(8)

    init(id: ServerFlowID, target: ServerFlowTarget, trust: RTCIceServerTrust?, flows: ServerFlows) {
        self.id = id
        self.target = target
        self.trust = trust
        self.flows = flows
    }

    func open(from local: TransportAddress, on eventLoop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let context: TLSClientContext?
        do {
            context = try self.trust.map { try TLSClientContexts.context(for: $0) }
        } catch {
            eventLoop.execute { bound.value.finish("The certificates to trust cannot be used: \(error)") }
            return
        }
        let host = self.target.host
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: Self.waterMark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try bound.value.begin(channel)
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(context.makeHandler(host: host))
                    }
                    let handler = StreamFlowHandler(flow: bound.value, isSecure: context != nil)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        if !local.isUnspecified { bootstrap = bootstrap.bind(to: local.socketAddress) }
        bootstrap.connect(to: self.target.address.socketAddress).whenFailure { error in
            bound.value.finish("No connection could be made: \(error)")
        }
    }

    func write(_ batch: DatagramBatch) {
        guard self.isOpen, let channel = self.channel else { return }
        // Requests are few, and nothing repeats them here.
        guard channel.isWritable || Self.isRequest(batch.bytes) else {
            self.droppedBytes += UInt64(batch.bytes.readableBytes)
            return
        }
        channel.write(batch.bytes, promise: nil)
    }

    /// Whether these bytes begin with a STUN request; indications carry data (RFC 8489 section 5).
    static func isRequest(_ bytes: ByteBuffer) -> Bool {
        bytes.getInteger(at: bytes.readerIndex, as: UInt16.self).map { $0 & 0xC110 == 0 } ?? false
    }

    func flush() { self.channel?.flush() }

    func close() {
        self.isClosed = true
        self.channel?.flush()
        self.channel?.close(promise: nil)
        self.channel = nil
    }

    private func begin(_ channel: any Channel) throws {
        guard !self.isClosed else { throw ChannelError.ioOnClosedChannel }
        self.channel = channel
    }

    fileprivate func opened(_ channel: any Channel) {
        guard !self.isClosed else { return channel.close(promise: nil) }
        self.isOpen = true
        let local = channel.localAddress.flatMap { TransportAddress($0) }
        self.flows.opened(self.id, local: local?.over(.tcp))
    }

    fileprivate func receive(_ bytes: ByteBuffer) {
        guard !self.isClosed else { return }
        self.flows.receive(DatagramBatch(bytes), on: self.id)
    }

    fileprivate func receiveComplete() {
        guard !self.isClosed else { return }
        self.flows.receiveComplete()
    }

    fileprivate func finish(_ reason: String) {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.channel?.close(promise: nil)
        self.channel = nil
        self.flows.closed(self.id, reason)
    }
}

/// The end of a stream's pipeline.
private final class StreamFlowHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let flow: StreamFlow
    private let isSecure: Bool

    init(flow: StreamFlow, isSecure: Bool) {
        self.flow = flow
        self.isSecure = isSecure
    }

    func channelActive(context: ChannelHandlerContext) {
        if !self.isSecure { self.flow.opened(context.channel) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { self.flow.opened(context.channel) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { self.flow.receive(self.unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) { self.flow.receiveComplete() }

    func channelInactive(context: ChannelHandlerContext) { self.flow.finish("The server closed the connection.") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.flow.finish(self.isSecure ? "TLS failed: \(error)" : "The connection failed: \(error)")
        context.close(promise: nil)
    }
}
