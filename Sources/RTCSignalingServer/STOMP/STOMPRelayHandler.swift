import NIOCore
import NIOTLS
import RTCBase
import RTCSignaling

/// One connection to an external broker.
final class STOMPRelayHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private let driver: STOMPRelayDriver
    private let id: STOMPRelayLinkID
    private var context: ChannelHandlerContext?
    private var reads = ReadGate()
    /// How long TLS's handshake may take, before which the broker cannot be spoken to; nil without TLS.
    private let handshakeTimeout: TimeAmount?

    init(_ driver: STOMPRelayDriver, _ id: STOMPRelayLinkID, handshakeTimeout: TimeAmount?) {
        self.driver = driver
        self.id = id
        self.handshakeTimeout = handshakeTimeout
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        guard let timeout = self.handshakeTimeout else { return self.opened(context) }
        context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            if self.context == nil { context.close(promise: nil) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { self.opened(context) }
        context.fireUserInboundEventTriggered(event)
    }

    private func opened(_ context: ChannelHandlerContext) {
        self.context = context
        if !self.driver.opened(self.id, self) { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.driver.receive(Self.unwrapInboundIn(data), fromBroker: self.id)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        self.driver.ended(self.id)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.driver.failed(self.id, error)
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if self.reads.admitsRead() { context.read() }
    }

    func setReading(_ isReading: Bool) {
        self.reads.isOpen = isReading
        if self.reads.releasesRead() { self.context?.read() }
    }

    func transmit(_ bytes: ByteBuffer, whenDone: @escaping () -> Void) {
        self.context?.write(bytes, whenDone: whenDone)
    }

    /// Closes after what was written.
    func close() { self.context?.closeAfterWriting() }
}
