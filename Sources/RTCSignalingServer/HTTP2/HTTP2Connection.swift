import NIOCore
import NIOHTTP2
import RTCBase

/// What a connection of HTTP/2 is beside its streams: closed when it has had none for long, and told when the server stops.
final class HTTP2Connection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let core: ServerCore
    private let timer: LoopTimer
    private var context: ChannelHandlerContext?
    private var streams = 0
    private var lastStream = HTTP2StreamID.rootStream
    private var isDraining = false
    private var idleSince: NIODeadline?
    /// What waits for the client, on all streams.
    let meter: UnsentMeter
    private var webSocketBytes = 0
    let bodies: RequestBodyRoom

    init(core: ServerCore) {
        self.core = core
        self.meter = UnsentMeter(
            limit: core.configuration.http2.maximumUnsentBytes,
            heldLimit: core.configuration.http2.maximumHeldBytes
        )
        self.bodies = RequestBodyRoom(size: core.configuration.http2.maximumRequestBytes)
        self.timer = LoopTimer(eventLoop: core.eventLoop)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.core.http2Connections[ObjectIdentifier(self)] = self
        self.meter.whenExceeded = { [weak self] in self?.isTooSlow() }
        self.becameIdle()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.core.http2Connections[ObjectIdentifier(self)] = nil
        self.timer.cancel()
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What concerns one stream only ends that stream.
        if !(error is NIOHTTP2Errors.StreamError) { context.close(promise: nil) }
    }

    /// Bytes of responses that wait for the client.
    var unsentResponseBytes: Int { self.meter.bytes - self.webSocketBytes }

    func webSocketWrites(_ count: Int) {
        self.webSocketBytes += count
        self.meter.add(count)
    }

    func webSocketWrote(_ count: Int) {
        self.webSocketBytes -= count
        self.meter.remove(count)
    }

    func streamBegan(_ id: HTTP2StreamID) {
        self.streams += 1
        self.lastStream = max(self.lastStream, id)
        self.idleSince = nil
        self.timer.cancel()
    }

    func streamEnded() {
        self.streams -= 1
        guard self.streams == 0 else { return }
        if self.isDraining { self.context?.close(promise: nil) } else { self.becameIdle() }
    }

    /// Tells the client to open no more streams, and closes when there are none (RFC 9113 section 6.8).
    func drain() {
        guard !self.isDraining else { return }
        self.isDraining = true
        self.sendGoAway(.noError)
        if self.streams == 0 { self.context?.close(promise: nil) }
    }

    private func isTooSlow() {
        self.core.counters.slowClients += 1
        // Not in the middle of what writes to it.
        self.context?.eventLoop.assumeIsolated().execute {
            self.sendGoAway(.enhanceYourCalm)
            self.context?.close(promise: nil)
        }
    }

    private func sendGoAway(_ code: HTTP2ErrorCode) {
        guard let context = self.context else { return }
        let frame = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: self.lastStream, errorCode: code, opaqueData: nil)
        )
        context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
    }

    private func becameIdle() {
        self.idleSince = .now()
        self.timer.set(.now() + self.core.configuration.idleTimeout) { [weak self] in self?.wasIdle() }
    }

    private func wasIdle() {
        guard let since = self.idleSince else { return }
        let deadline = since + self.core.configuration.idleTimeout
        guard deadline <= .now() else { return self.timer.set(deadline) { [weak self] in self?.wasIdle() } }
        self.drain()
    }
}

/// Tells a connection of its streams.
struct HTTP2StreamCounter: NIOHTTP2StreamDelegate {
    let connection: NIOLoopBound<HTTP2Connection>

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { self.connection.value.streamBegan(id) }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { self.connection.value.streamEnded() }
}
