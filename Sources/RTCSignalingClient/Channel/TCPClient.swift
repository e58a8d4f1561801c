import NIOCore
import NIOPosix
import RTCBase
import RTCSignaling

/// A TCP or TLS connection as bytes both ways.
final class TCPClient: ByteCarrier {
    private let eventLoop: any EventLoop
    private let handler: NIOLoopBound<TCPClientHandler>
    private let inbox: Inbox<ByteBuffer>
    private let outbox: Outbox<ByteBuffer>

    fileprivate init(_ handler: TCPClientHandler, eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.handler = NIOLoopBound(handler, eventLoop: eventLoop)
        self.inbox = handler.inbox
        self.outbox = handler.outbox
    }

    deinit {
        let handler = self.handler
        self.eventLoop.execute { handler.value.close() }
    }

    static func connect(_ dialer: Dialer, sendBuffer: Int) async throws(SignalingChannelError) -> TCPClient {
        try await dialer.dial { (channel, opened: EventLoopPromise<TCPClient>) in
            let handler = TCPClientHandler(sendBuffer: sendBuffer)
            try channel.pipeline.syncOperations.addHandler(handler)
            opened.succeed(TCPClient(handler, eventLoop: channel.eventLoop))
        }
    }

    func send(_ bytes: ByteBuffer) async throws(SignalingChannelError) {
        try await self.outbox.send(bytes, size: bytes.readableBytes) {
            self.eventLoop.execute { self.handler.value.flush() }
        }
    }

    func receiveBytes() async throws(SignalingChannelError) -> ByteBuffer? {
        try await self.inbox.next {
            self.eventLoop.execute { self.handler.value.setReading(true) }
        }
    }

    func close() async {
        self.outbox.finish(.closed(code: nil, reason: "here"))
        self.eventLoop.execute { self.handler.value.close() }
    }
}

/// Hands bytes between a channel and tasks.
private final class TCPClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    let inbox = Inbox<ByteBuffer>()
    let outbox: Outbox<ByteBuffer>
    private var context: ChannelHandlerContext?
    private var failure: SignalingChannelError?
    private var inFlight = 0
    private var reads = ReadGate()
    private var isClosing = false

    init(sendBuffer: Int) { self.outbox = Outbox(limit: sendBuffer) }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if !context.channel.isActive { self.finish() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !self.inbox.add(Self.unwrapInboundIn(data)) { self.reads.isOpen = false }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.finish()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.failure = .connectionFailed(reason: Dialer.describe(error))
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if self.reads.admitsRead() { context.read() }
    }

    func setReading(_ isReading: Bool) {
        self.reads.isOpen = isReading
        if self.reads.releasesRead() { self.context?.read() }
    }

    func flush() {
        guard let context = self.context else { return }
        for bytes in self.outbox.take() {
            self.inFlight += bytes.readableBytes
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { _ in
                self.inFlight -= bytes.readableBytes
                if self.outbox.setInFlight(self.inFlight) { self.flush() }
            }
            context.write(Self.wrapOutboundOut(bytes), promise: written)
        }
        context.flush()
    }

    func close() {
        guard !self.isClosing, let context = self.context else { return }
        self.isClosing = true
        self.flush()
        context.closeAfterWriting()
    }

    private func finish() {
        self.context = nil
        self.inbox.finish(self.failure)
        self.outbox.finish(self.failure ?? .closed(code: nil, reason: ""))
    }
}
