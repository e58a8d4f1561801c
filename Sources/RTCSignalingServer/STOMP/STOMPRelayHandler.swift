import NIOCore
import RTCSignaling

/// One connection to an external broker.
final class STOMPRelayHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private let driver: STOMPRelayDriver
    private let id: STOMPRelayLinkID
    private var context: ChannelHandlerContext?
    private var isReading = true
    private var isReadPending = false

    init(_ driver: STOMPRelayDriver, _ id: STOMPRelayLinkID) {
        self.driver = driver
        self.id = id
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        if !self.driver.opened(self.id, self) { context.close(promise: nil) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.driver.receive(Self.unwrapInboundIn(data), fromBroker: self.id)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        self.driver.ended(self.id)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func read(context: ChannelHandlerContext) {
        self.isReadPending = !self.isReading
        if self.isReading { context.read() }
    }

    func setReading(_ isReading: Bool) {
        self.isReading = isReading
        guard isReading, self.isReadPending else { return }
        self.isReadPending = false
        self.context?.read()
    }

    func transmit(_ bytes: ByteBuffer, whenDone: @escaping () -> Void) {
        self.context?.write(bytes, whenDone: whenDone)
    }

    /// Closes after what was written.
    func close() { self.context?.closeAfterWriting() }
}
