import NIOCore
import RTCBase
import RTCSignaling

/// Drives a ``WebSocketConnection`` on a channel.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private var connection: WebSocketConnection
    private let acceptance: WebSocketAcceptance
    private let core: ServerCore
    private let timer: LoopTimer
    private var context: ChannelHandlerContext?
    private var receiver: (any SessionReceiver)?
    private var reads = ReadGate()
    private var isPumping = false

    init(_ acceptance: WebSocketAcceptance, core: ServerCore) {
        self.acceptance = acceptance
        self.core = core
        self.timer = LoopTimer(eventLoop: core.eventLoop)
        self.connection = WebSocketConnection(
            configuration: acceptance.configuration,
            deflate: acceptance.handshake.deflate,
            now: .now()
        )
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.core.webSockets[ObjectIdentifier(self)] = self
        self.receiver = self.core.open(self.acceptance.opening, link: self, serving: self.acceptance.serving)
        if self.acceptance.isSockJS { self.connection.send(.text(SockJSFrame.open.text)) }
        self.pump()
    }

    /// Bytes that wait for the client.
    var unsentBytes: Int { self.connection.unsentBytes }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.connection.receive(Self.unwrapInboundIn(data), now: .now())
        self.pump()
    }

    func channelInactive(context: ChannelHandlerContext) {
        // What came before and was not wanted yet is still handed out.
        self.connection.receiveEnd(now: .now())
        self.pump()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            self.connection.receiveEnd(now: .now())
            self.pump()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func read(context: ChannelHandlerContext) {
        if self.reads.admitsRead() { context.read() }
    }

    /// Writes and reports what the connection has to say, and sets the timer.
    private func pump() {
        // What is told to others makes them send and close; the outer loop takes it.
        guard !self.isPumping else { return }
        self.isPumping = true
        defer { self.isPumping = false }
        var hasWritten = false
        while let output = self.connection.poll() {
            switch output {
            case .transmit(let bytes):
                hasWritten = self.write(bytes) || hasWritten
            case .message(let message): self.received(message)
            case .closed(let closure): self.finish(closure)
            }
        }
        if hasWritten { self.context?.flush() }
        self.timer.set(self.connection.nextTimeout) { [weak self] in
            self?.connection.handleTimeout(now: .now())
            self?.pump()
        }
    }

    private func write(_ bytes: ByteBuffer) -> Bool {
        guard let context = self.context else { return false }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            self.connection.didTransmit(bytes.readableBytes)
        }
        context.write(Self.wrapOutboundOut(bytes), promise: written)
        return true
    }

    private func received(_ message: WebSocketMessage) {
        guard self.acceptance.isSockJS else {
            self.receiver?.received(message)
            return
        }
        guard case .text(let text) = message, let messages = SockJSFrame.messages(from: text) else {
            return self.connection.close(code: .invalidPayload, reason: "Broken JSON encoding.", now: .now())
        }
        for message in messages { self.receiver?.received(.text(message)) }
    }

    private func finish(_ closure: WebSocketClosure) {
        if self.connection.unsentBytes > self.connection.configuration.maximumUnsentBytes {
            self.core.counters.slowClients += 1
        }
        self.end()
        guard let context = self.context else { return }
        // Who reads nothing or says nothing would not take the last bytes either.
        guard closure.code != .abnormal else { return context.close(promise: nil) }
        let last = context.eventLoop.makePromise(of: Void.self)
        // Only this half: with bytes of the peer unread, closing both would take the last frame away from it.
        last.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: .output, promise: nil) }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: last)
        context.eventLoop.assumeIsolated().scheduleTask(in: self.connection.configuration.closeTimeout) {
            context.close(promise: nil)
        }
    }

    private func end() {
        self.core.webSockets[ObjectIdentifier(self)] = nil
        self.timer.cancel()
        self.receiver?.ended()
        self.receiver = nil
    }
}

extension WebSocketHandler: SessionLink {
    func send(_ message: WebSocketMessage) {
        if self.acceptance.isSockJS {
            guard case .text(let text) = message else { return }
            self.connection.send(.text(SockJSFrame.messages([text]).text))
        } else {
            self.connection.send(message)
        }
        self.pump()
    }

    func close(code: Int, reason: String) {
        if self.acceptance.isSockJS {
            self.connection.send(.text(SockJSFrame.close(code: code, reason: reason).text))
            self.connection.close(code: .normal, now: .now())
        } else {
            let code = UInt16(exactly: code).map(WebSocketCloseCode.init(rawValue:)) ?? .normal
            self.connection.close(code: code, reason: reason, now: .now())
        }
        self.pump()
    }

    var canPause: Bool { true }

    func setReading(_ isReading: Bool) {
        self.reads.isOpen = isReading
        self.connection.setReading(isReading, now: .now())
        guard isReading else { return }
        self.pump()
        if self.reads.releasesRead() { self.context?.read() }
    }
}
