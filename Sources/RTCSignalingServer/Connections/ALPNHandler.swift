import NIOCore
import NIOTLS

/// Makes a connection ready for the protocol that TLS's handshake chose, once it is done and not later than it has time.
final class ALPNHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let timeout: TimeAmount
    private let configure: (_ isHTTP2: Bool) throws -> Void
    private let timedOut: () -> Void
    private var deadline: Scheduled<Void>?

    init(
        timeout: TimeAmount,
        timedOut: @escaping () -> Void,
        configure: @escaping (_ isHTTP2: Bool) throws -> Void
    ) {
        self.timeout = timeout
        self.timedOut = timedOut
        self.configure = configure
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.deadline = context.eventLoop.assumeIsolated().scheduleTask(in: self.timeout) {
            self.timedOut()
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.deadline?.cancel() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let chosen)? = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        do {
            try self.configure(chosen == "h2")
        } catch {
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
