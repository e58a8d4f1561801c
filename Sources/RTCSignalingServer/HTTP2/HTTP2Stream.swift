import NIOCore
import NIOHPACK
import NIOHTTP2
import RTCBase
import RTCSignaling

/// One stream of HTTP/2: one request and its response (RFC 9113 section 8.1), or a WebSocket (RFC 8441).
final class HTTP2Stream: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let core: ServerCore
    private let connection: HTTP2Connection
    private let limits: RequestLimits
    private let timer: LoopTimer
    /// When a response that the client does not take is given up.
    private var deadline: NIODeadline?
    private var context: ChannelHandlerContext?
    private var request: SignalingRequest?
    private var body: RequestBody?
    private var isReadPending = false
    private var hasBegun = false
    /// Whether the request has come as a whole.
    private var isWhole = false
    private var isHeadRequest = false
    private var exchange: ExchangeID?
    private weak var streamer: (any ExchangeStreamer)?
    private var feed: ResponseFeed?

    init(core: ServerCore, connection: HTTP2Connection) {
        self.core = core
        self.connection = connection
        self.limits = RequestLimits(core.configuration)
        self.timer = LoopTimer(eventLoop: core.eventLoop)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.timer.cancel()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .headers(let frame):
            // What comes behind the body has nothing for us.
            if !self.hasBegun { self.began(frame, context) }
            if frame.endStream { self.ended() }
        case .data(let frame):
            if case .byteBuffer(let bytes) = frame.data, self.request != nil, let body = self.body {
                guard body.append(bytes) else { return self.refuse(.bodyTooLarge) }
            }
            if frame.endStream { self.ended() }
        default: break
        }
    }

    func read(context: ChannelHandlerContext) {
        // What is not read has its place in the stream's window.
        self.isReadPending = self.body?.isWaiting == true
        if !self.isReadPending { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.timer.cancel()
        self.request = nil
        self.body?.release()
        self.feed?.cancel()
        self.feed = nil
        if let exchange = self.exchange {
            self.exchange = nil
            self.core.exchanges[exchange] = nil
            self.streamer?.exchangeEnded(exchange)
        }
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let exchange = self.exchange { self.streamer?.setWritable(exchange, context.channel.isWritable) }
        if context.channel.isWritable { self.feed?.resume() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: The request

    private func began(_ frame: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        self.hasBegun = true
        let request = SignalingRequest(frame.headers)
        self.isHeadRequest = request.method == "HEAD"
        let size = frame.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        let target = frame.headers.first(name: ":path") ?? ""
        let length = request.headers.first("content-length")
        if let refusal = self.limits.refusal(target: target, headSize: size, contentLength: length) {
            return self.refuse(refusal)
        }
        if request.method == "CONNECT" { return self.connect(request, frame.headers.first(name: ":protocol")) }
        self.request = request
        guard !frame.endStream else { return }
        self.body = RequestBody(
            room: self.connection.bodies,
            length: length.flatMap { Int($0) },
            maximumSize: self.limits.bodySize,
            admit: { [weak self] in self?.bodyAdmitted() }
        )
        if self.body?.isWaiting == false { self.setBodyDeadline() }
    }

    /// The client's time begins when its body is read.
    private func setBodyDeadline() {
        self.timer.set(.now() + self.core.configuration.bodyTimeout) { [weak self] in
            guard let self, self.request != nil else { return }
            self.refuse(.bodyTimeout)
        }
    }

    private func ended() {
        self.isWhole = true
        guard var request = self.request else { return }
        self.request = nil
        if let body = self.body { request.body = body.finish() }
        self.timer.cancel()
        let exchange = self.core.makeExchange(self)
        self.exchange = exchange
        self.core.receive(request, exchange: exchange)
    }

    /// There is room for the body now.
    private func bodyAdmitted() {
        self.setBodyDeadline()
        guard self.isReadPending else { return }
        self.isReadPending = false
        self.context?.read()
    }

    private func refuse(_ refusal: ServerRefusal) {
        self.timer.cancel()
        self.core.refused(refusal)
        self.request = nil
        self.exchange = self.core.makeExchange(self)
        self.respond(refusal.response)
    }

    // MARK: WebSockets

    private func connect(_ request: SignalingRequest, _ name: String?) {
        self.exchange = self.core.makeExchange(self)
        guard name == "websocket", self.core.configuration.http2.hasWebSockets else {
            return self.respond(SignalingResponse(501))
        }
        self.core.admit(request).assumeIsolated().whenComplete { result in
            if case .success(nil) = result { return self.open(request) }
            self.core.refused(.notAdmitted)
            self.respond((try? result.get()) ?? SignalingResponse(403))
        }
    }

    private func open(_ request: SignalingRequest) {
        guard let exchange = self.exchange, let context = self.context else { return }
        do throws(WebSocketHandshake.Refusal) {
            let acceptance = try self.core.webSocket(for: request, isExtendedConnect: true)
            self.exchange = nil
            self.core.exchanges[exchange] = nil
            let response = SignalingResponse(200, headers: acceptance.handshake.responseHeaders)
            let head = HTTP2Frame.FramePayload.headers(.init(headers: response.http2Headers))
            context.writeAndFlush(Self.wrapOutboundOut(head), promise: nil)
            let pipeline = context.pipeline.syncOperations
            let handlers: [any ChannelHandler] = [
                HTTP2DataHandler(self.connection), WebSocketHandler(acceptance, core: self.core),
            ]
            if (try? pipeline.addHandlers(handlers)) == nil { context.close(promise: nil) }
            pipeline.removeHandler(context: context, promise: nil)
        } catch {
            self.core.refused(.notAHandshake)
            self.respond(error == .notAnUpgrade ? ServerRefusal.notFound.response : error.response)
        }
    }
}

// MARK: Responses

extension HTTP2Stream: HTTPExchange {
    func hold(for streamer: any ExchangeStreamer) { self.streamer = streamer }

    func respond(_ response: SignalingResponse, body: ResponseBody) {
        guard self.exchange != nil, self.context != nil else { return }
        guard self.isHeadRequest || self.hasRoom(for: body) else {
            // Handlers made it before anything told that nobody takes the others.
            self.core.refused(.responsesNotTaken)
            return self.respond(ServerRefusal.responsesNotTaken.response)
        }
        self.writeHead(response.withLength(of: body))
        self.settle()
        guard !self.isHeadRequest, body.size > 0 else { return self.finish() }
        // Who takes nothing of it does not hold the stream for ever.
        self.setDeadline()
        let feed = ResponseFeed(body, to: self, meter: self.connection.meter, eventLoop: self.core.eventLoop)
        self.feed = feed
        feed.resume()
    }

    /// Whether a body may be kept until it is written; of files next to nothing is.
    private func hasRoom(for body: ResponseBody) -> Bool {
        guard case .bytes(let bytes) = body, bytes.readableBytes > 0 else { return true }
        return self.connection.meter.hasRoom(for: bytes.readableBytes)
    }

    func begin(_ response: SignalingResponse, streamedBy streamer: any ExchangeStreamer) {
        self.streamer = streamer
        self.body?.release()
        self.writeHead(response)
        self.context?.flush()
        if self.context?.channel.isWritable == false, let exchange = self.exchange {
            streamer.setWritable(exchange, false)
        }
    }

    func write(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0, !self.isHeadRequest, self.exchange != nil else { return }
        self.connection.meter.add(bytes.readableBytes)
        for piece in bytes.responsePieces { self.writePiece(piece) }
        self.context?.flush()
    }

    /// Who takes a response slowly is not idle.
    private func pieceWritten() {
        if self.deadline != nil { self.setDeadline() }
    }

    private func setDeadline() {
        self.deadline = .now() + self.core.configuration.idleTimeout
        self.timer.set(self.deadline) { [weak self] in self?.timeIsUp() }
    }

    private func timeIsUp() {
        guard let deadline = self.deadline else { return }
        guard deadline <= .now() else { return self.timer.set(deadline) { [weak self] in self?.timeIsUp() } }
        self.core.counters.slowClients += 1
        self.context?.close(promise: nil)
    }

    func end() {
        guard self.exchange != nil, self.context != nil else { return }
        self.settle()
        self.finish()
    }

    /// No other response is taken for the request, and nobody has need of its body.
    private func settle() {
        if let exchange = self.exchange { self.core.exchanges[exchange] = nil }
        self.exchange = nil
        self.streamer = nil
        self.body?.release()
    }

    private func finish() {
        guard let context = self.context else { return }
        self.setDeadline()
        let isWhole = self.isWhole
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            // The rest of a request that has its answer is not wanted (RFC 9113 section 8.1).
            guard !isWhole else { return }
            context.writeAndFlush(Self.wrapOutboundOut(.rstStream(.noError)), promise: nil)
        }
        let last = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
        context.writeAndFlush(Self.wrapOutboundOut(last), promise: written)
    }

    private func writeHead(_ response: SignalingResponse) {
        guard self.exchange != nil, let context = self.context else { return }
        context.write(Self.wrapOutboundOut(.headers(.init(headers: response.http2Headers))), promise: nil)
    }
}

extension HTTP2Stream: ResponseSink {
    var isWritable: Bool { self.context?.channel.isWritable ?? false }

    func writePiece(_ piece: ByteBuffer) {
        let meter = self.connection.meter
        guard let context = self.context else { return meter.remove(piece.readableBytes) }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in
            meter.remove(piece.readableBytes)
            if case .success = result { self.pieceWritten() }
        }
        context.write(Self.wrapOutboundOut(.data(.init(data: .byteBuffer(piece)))), promise: written)
    }

    func flush() { self.context?.flush() }

    func feedEnded(isWhole: Bool) {
        self.feed = nil
        // The length that was said cannot be kept.
        if isWhole { self.finish() } else { self.context?.close(promise: nil) }
    }
}

extension SignalingResponse {
    /// Without what HTTP/2 has in other ways (RFC 9113 section 8.2.2).
    fileprivate var http2Headers: HPACKHeaders {
        var headers: HPACKHeaders = [":status": String(self.status)]
        let others: Set = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]
        for field in self.headers.fields where !others.contains(field.name) {
            headers.add(name: field.name, value: field.value)
        }
        return headers
    }
}

extension SignalingRequest {
    fileprivate init(_ head: HPACKHeaders) {
        var headers = SignalingHeaders()
        for (name, value, _) in head where !name.hasPrefix(":") { headers.add(name, value) }
        if let authority = head.first(name: ":authority") { headers.set("host", authority) }
        self.init(
            method: head.first(name: ":method") ?? "",
            target: head.first(name: ":path") ?? "/",
            headers: headers
        )
    }
}
