import NIOCore
import NIOHTTP1
import RTCBase
import RTCSignaling

/// One HTTP/1.1 connection: whole requests in, responses out, whole or in pieces.
final class HTTPConnection: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// What is awaited from the client.
    private enum Phase {
        /// The first byte of a request.
        case idle
        /// The rest of its head.
        case head
        /// The rest of its body.
        case body
        /// Nothing: the response is due.
        case response
    }

    private let core: ServerCore
    private let limits: RequestLimits
    private var context: ChannelHandlerContext?
    private var phase = Phase.head
    private var request: HTTPRequestHead?
    private var body = ByteBuffer()
    /// Bytes since the last request was whole.
    private var headBytes = 0
    /// The exchange that a response is due for.
    private var exchange: ExchangeID?
    private weak var streamer: (any ExchangeStreamer)?
    /// What gives the body of the response that is due.
    private var feed: ResponseFeed?
    private let meter = UnsentMeter()
    private var isKeptAlive = false
    private var isVersion1_0 = false
    /// Whether the response has a head only.
    private var isHeadRequest = false
    private var isDraining = false
    /// Whether the end of a response is due that was not written yet.
    private var isEndPending = false
    /// Ends of responses that are on their way.
    private var unwrittenEnds = 0
    private let timer: LoopTimer
    private var deadline: NIODeadline?

    init(core: ServerCore) {
        self.core = core
        self.limits = RequestLimits(core.configuration)
        self.timer = LoopTimer(eventLoop: core.eventLoop)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.core.httpConnections[ObjectIdentifier(self)] = self
        // The first head has no time of idleness before it.
        self.setDeadline(in: self.core.configuration.headTimeout)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.core.httpConnections[ObjectIdentifier(self)] = nil
        self.timer.cancel()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): self.began(head, context)
        case .body(let bytes):
            guard self.request != nil else { return }
            guard self.body.readableBytes + bytes.readableBytes <= self.limits.bodySize else {
                return self.refuse(.bodyTooLarge)
            }
            self.body.writeImmutableBuffer(bytes)
        case .end:
            guard let head = self.request else { return }
            self.request = nil
            self.phase = .response
            self.setDeadline(in: nil)
            let exchange = self.core.makeExchange(self)
            self.exchange = exchange
            self.core.receive(SignalingRequest(head, body: self.body), exchange: exchange)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let exchange = self.exchange {
            self.exchange = nil
            self.core.exchanges[exchange] = nil
            self.streamer?.exchangeEnded(exchange)
        }
        self.feed?.cancel()
        self.feed = nil
        self.timer.cancel()
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let exchange = self.exchange { self.streamer?.setWritable(exchange, context.channel.isWritable) }
        if context.channel.isWritable { self.feed?.resume() }
        if self.isEndPending { self.finishSoon() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A handshake that was refused is answered as a request.
        if !(error is WebSocketHandshake.Refusal) { context.close(promise: nil) }
    }

    /// Bytes of responses that wait for the client.
    var unsentBytes: Int { self.meter.bytes }

    /// Bytes came, perhaps the first of a request.
    func bytesCame(_ count: Int) {
        guard self.context != nil else { return }
        self.headBytes += count
        guard self.phase == .idle else { return }
        self.phase = .head
        self.setDeadline(in: self.core.configuration.headTimeout)
    }

    /// Whether a head that is not done is too large already.
    var hasTooLargeHead: Bool {
        self.context != nil && self.phase == .head && self.headBytes > self.limits.headSize
    }

    /// Whether a response is due, or on its way.
    var owesResponse: Bool { self.phase == .response }

    private func began(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        self.body = ByteBuffer()
        self.phase = .body
        // NIO reads no more HTTP after a request to upgrade.
        self.isKeptAlive = head.isKeepAlive && head.headers["upgrade"].isEmpty && !self.isDraining
        self.isVersion1_0 = head.version == .http1_0
        self.isHeadRequest = head.method == .HEAD
        self.setDeadline(in: self.core.configuration.bodyTimeout)
        self.request = head
        let size = head.headers.reduce(head.uri.utf8.count) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        let length = head.headers.first(name: "content-length")
        if let refusal = self.limits.refusal(target: head.uri, headSize: size, contentLength: length) {
            return self.refuse(refusal)
        }
        if head.headers[canonicalForm: "expect"].contains("100-continue") {
            let part = HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .continue))
            context.writeAndFlush(Self.wrapOutboundOut(part), promise: nil)
        }
    }

    /// Refuses a request, and the connection with it.
    private func refuse(_ refusal: ServerRefusal) {
        self.core.refused(refusal)
        self.request = nil
        self.phase = .response
        self.isKeptAlive = false
        self.exchange = self.core.makeExchange(self)
        self.respond(refusal.response)
    }

    /// Lets the response that is due be the last; closes at once if none is.
    func drain() {
        self.isDraining = true
        self.isKeptAlive = false
        self.closeIfDrained()
    }

    private func closeIfDrained() {
        guard self.isDraining, self.phase == .idle || self.phase == .head, self.unwrittenEnds == 0 else { return }
        self.context?.close(promise: nil)
    }

    private func setDeadline(in time: TimeAmount?) {
        let deadline = time.map { NIODeadline.now() + $0 }
        self.deadline = deadline
        self.timer.set(deadline) { [weak self] in self?.timeIsUp() }
    }

    private func timeIsUp() {
        guard let deadline = self.deadline else { return }
        guard deadline <= .now() else { return self.timer.set(deadline) { [weak self] in self?.timeIsUp() } }
        switch self.phase {
        case .head: self.core.refused(.headTimeout)
        case .body: self.core.refused(.bodyTimeout)
        case .idle, .response:
            if self.feed != nil || self.isEndPending || self.unwrittenEnds > 0 { self.core.counters.slowClients += 1 }
        }
        self.context?.close(promise: nil)
    }
}

// MARK: Responses

extension HTTPConnection: HTTPExchange {
    func hold(for streamer: any ExchangeStreamer) { self.streamer = streamer }

    func respond(_ response: SignalingResponse, body: ResponseBody) {
        guard self.exchange != nil, self.context != nil else { return }
        self.writeHead(response.withLength(of: body))
        self.settle()
        guard !self.isHeadRequest, body.size > 0 else { return self.finish() }
        self.setDeadline(in: self.core.configuration.idleTimeout)
        let feed = ResponseFeed(body, to: self, meter: self.meter, eventLoop: self.core.eventLoop)
        self.feed = feed
        feed.resume()
    }

    func begin(_ response: SignalingResponse, streamedBy streamer: any ExchangeStreamer) {
        self.streamer = streamer
        // There the end of the body is the end of the connection.
        if self.isVersion1_0 { self.isKeptAlive = false }
        self.writeHead(response)
        self.context?.flush()
        if self.context?.channel.isWritable == false, let exchange = self.exchange {
            streamer.setWritable(exchange, false)
        }
    }

    func write(_ bytes: ByteBuffer) {
        guard !self.isHeadRequest, self.exchange != nil else { return }
        self.meter.add(bytes.readableBytes)
        for piece in bytes.responsePieces { self.writePiece(piece) }
        self.context?.flush()
    }

    func end() {
        guard self.exchange != nil, self.context != nil else { return }
        self.settle()
        self.finish()
    }

    /// No other response is taken for the request.
    private func settle() {
        if let exchange = self.exchange { self.core.exchanges[exchange] = nil }
        self.exchange = nil
        self.streamer = nil
    }

    private func finish() {
        self.isEndPending = true
        self.setDeadline(in: self.core.configuration.idleTimeout)
        self.finishSoon()
    }

    /// Not at once: the end of a response brings the next request, which may have its answer at once, and so on, call within call.
    private func finishSoon() {
        self.context?.eventLoop.assumeIsolated().execute { self.finishIfWritable() }
    }

    /// Ends the response once the client takes it: until then no request that was sent ahead comes.
    private func finishIfWritable() {
        guard self.isEndPending, let context = self.context, context.channel.isWritable else { return }
        self.isEndPending = false
        self.headBytes = 0
        self.phase = .idle
        self.setDeadline(in: self.core.configuration.idleTimeout)
        self.unwrittenEnds += 1
        let isKeptAlive = self.isKeptAlive
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            self.unwrittenEnds -= 1
            if isKeptAlive { self.closeIfDrained() } else { context.close(promise: nil) }
        }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: written)
    }

    /// Who takes a response slowly is not idle.
    private func pieceWritten() {
        if self.feed != nil || self.isEndPending || self.phase == .idle {
            self.setDeadline(in: self.core.configuration.idleTimeout)
        }
    }

    private func writeHead(_ response: SignalingResponse) {
        guard self.exchange != nil, let context = self.context else { return }
        var headers = HTTPHeaders()
        for field in response.headers.fields { headers.add(name: field.name, value: field.value) }
        if !self.isKeptAlive { headers.replaceOrAdd(name: "connection", value: "close") }
        let head = HTTPResponseHead(
            version: self.isVersion1_0 ? .http1_0 : .http1_1,
            status: HTTPResponseStatus(statusCode: response.status),
            headers: headers
        )
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
    }
}

extension HTTPConnection: ResponseSink {
    var isWritable: Bool { self.context?.channel.isWritable ?? false }

    func writePiece(_ piece: ByteBuffer) {
        guard let context = self.context else { return self.meter.remove(piece.readableBytes) }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in
            self.meter.remove(piece.readableBytes)
            if case .success = result { self.pieceWritten() }
        }
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(piece))), promise: written)
    }

    func flush() { self.context?.flush() }

    func feedEnded(isWhole: Bool) {
        self.feed = nil
        // The length that was said cannot be kept.
        if isWhole { self.finish() } else { self.context?.close(promise: nil) }
    }
}

extension SignalingRequest {
    init(_ head: HTTPRequestHead, body: ByteBuffer) {
        var headers = SignalingHeaders()
        for (name, value) in head.headers { headers.add(name, value) }
        self.init(method: head.method.rawValue, target: head.uri, headers: headers, body: body)
    }
}
