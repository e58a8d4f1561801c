import NIOCore
import RTCBase
import RTCSignaling

/// Drives a client's handshake and then its ``WebSocketConnection`` on a channel.
final class WebSocketClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    let configuration: WebSocketConfiguration
    let inbox = Inbox<WebSocketMessage>()
    let outbox: Outbox<WebSocketMessage>

    private let eventLoop: any EventLoop
    private let timer: LoopTimer
    /// Fulfilled by the handshake, and then let go of: it would keep the client.
    private var opened: EventLoopPromise<WebSocketClient>?
    /// Fulfilled at the end of a connection that was opened.
    private var closed: EventLoopPromise<WebSocketClosure>?
    /// The one or the other is there, and neither after the end.
    private var handshake: WebSocketClientHandshake?
    private var connection: WebSocketConnection?
    private var context: ChannelHandlerContext?
    /// What went wrong below.
    private var failure = "the connection ended without a close"
    private var reads = ReadGate()
    private var isPumping = false

    init(
        _ handshake: WebSocketClientHandshake,
        _ configuration: WebSocketConfiguration,
        opened: EventLoopPromise<WebSocketClient>
    ) {
        self.handshake = handshake
        self.configuration = configuration
        self.outbox = Outbox(limit: configuration.sendLimit)
        self.opened = opened
        self.eventLoop = opened.futureResult.eventLoop
        self.timer = LoopTimer(eventLoop: opened.futureResult.eventLoop)
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard context.channel.isActive, let handshake = self.handshake else {
            return self.failOpening(.connectionFailed(reason: "the server closed the connection"))
        }
        context.writeAndFlush(Self.wrapOutboundOut(handshake.request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        if let progress = self.handshake?.receive(bytes) {
            self.proceed(progress)
        } else {
            self.connection?.receive(bytes, now: .now())
            self.pump()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.failOpening(.connectionFailed(reason: "the server closed the connection"))
        self.connection?.receiveEnd(now: .now())
        self.pump()
        // Messages that are not wanted yet keep the connection; nothing can be sent any more.
        if self.connection != nil { self.outbox.finish(.connectionFailed(reason: self.failure)) }
        self.context = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.failure = Dialer.describe(error)
        self.failOpening(.connectionFailed(reason: self.failure))
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if self.reads.admitsRead() { context.read() }
    }

    private func proceed(_ progress: WebSocketClientHandshake.Progress) {
        switch progress {
        case .needsMore: break
        case .failed(let error): self.failOpening(error)
        case .opened(let opening):
            self.handshake = nil
            var connection = WebSocketConnection(
                role: .client,
                configuration: self.configuration,
                deflate: opening.deflate,
                now: .now()
            )
            if opening.remainder.readableBytes > 0 { connection.receive(opening.remainder, now: .now()) }
            self.connection = connection
            let closed = self.eventLoop.makePromise(of: WebSocketClosure.self)
            self.closed = closed
            let client = WebSocketClient(opening, self, eventLoop: self.eventLoop, closed: closed.futureResult)
            self.opened?.succeed(client)
            self.opened = nil
            self.pump()
        }
    }

    private func failOpening(_ error: SignalingChannelError) {
        self.handshake = nil
        self.opened?.fail(error)
        self.opened = nil
    }

    // MARK: The client

    /// Sends what the client has in its outbox.
    func flush() {
        guard self.connection != nil else { return }
        for message in self.outbox.take() { self.connection?.send(message) }
        self.pump()
        self.settleOutbox()
    }

    func setReading(_ isReading: Bool) {
        guard isReading != self.reads.isOpen else { return }
        self.reads.isOpen = isReading
        self.connection?.setReading(isReading, now: .now())
        self.pump()
        if self.reads.releasesRead() { self.context?.read() }
    }

    func close(code: WebSocketCloseCode, reason: String) {
        self.outbox.finish(.closed(code: nil, reason: "here"))
        self.flush()
        self.connection?.close(code: code, reason: reason, now: .now())
        self.pump()
        // What still comes is dropped, but for the answer.
        self.setReading(true)
    }

    // MARK: Driving

    private func pump() {
        guard !self.isPumping else { return }
        self.isPumping = true
        var hasWritten = false
        while let output = self.connection?.poll() {
            switch output {
            case .transmit(let bytes):
                hasWritten = true
                self.write(bytes)
            case .message(let message): if !self.inbox.add(message) { self.setReading(false) }
            case .closed(let closure): self.end(closure)
            }
        }
        self.isPumping = false
        if hasWritten { self.context?.flush() }
        self.timer.set(self.connection?.nextTimeout) { [weak self] in
            self?.connection?.handleTimeout(now: .now())
            self?.pump()
        }
    }

    private func write(_ bytes: ByteBuffer) {
        guard let context = self.context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            self.connection?.didTransmit(bytes.readableBytes)
            self.settleOutbox()
        }
        context.write(Self.wrapOutboundOut(bytes), promise: written)
    }

    /// Lets senders in, as far as there is room.
    private func settleOutbox() {
        guard let connection = self.connection else { return }
        if self.outbox.setInFlight(connection.unsentBytes) { self.flush() }
    }

    /// The connection is over: the last bytes go out, then the server has some time to close.
    private func end(_ closure: WebSocketClosure) {
        var closure = closure
        if closure.origin == .peer, closure.code == .abnormal { closure.reason = self.failure }
        self.connection = nil
        self.timer.cancel()
        self.inbox.finish(closure.error)
        self.outbox.finish(.closed(code: Int(closure.code.rawValue), reason: closure.reason))
        self.closed?.succeed(closure)
        guard let context = self.context else { return }
        guard closure.code != .abnormal else { return context.close(promise: nil) }
        context.flush()
        self.setReading(true)
        context.eventLoop.assumeIsolated().scheduleTask(in: self.configuration.closeTimeout) {
            context.close(promise: nil)
        }
    }
}

extension WebSocketConfiguration {
    /// The bytes of messages that may wait before senders do.
    var sendLimit: Int { self.maximumUnsentBytes / 2 }
}

extension WebSocketClosure {
    /// What a reader is told; nil for an orderly end.
    var error: SignalingChannelError? {
        switch (self.origin, self.code) {
        case (.local, _), (.peer, .normal), (.peer, .goingAway), (.peer, .noStatus): return nil
        case (.failure, .messageTooBig): return .protocolViolation(reason: "a message is too large")
        case (.failure, .abnormal), (.peer, .abnormal): return .connectionFailed(reason: self.reason)
        case (.failure, let code): return .protocolViolation(reason: "closed with \(code.rawValue)")
        case (.peer, let code): return .closed(code: Int(code.rawValue), reason: self.reason)
        }
    }
}
