import NIOCore
import NIOHTTP1
import RTCBase
import RTCSignaling

/// One HTTP/1.1 connection: whole requests in, responses out, whole or in pieces.
final class HTTPConnection: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let core: ServerCore
    private var context: ChannelHandlerContext?
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    /// The exchange that a response is due for.
    private var exchange: ExchangeID?
    private weak var owner: (any ExchangeOwner)?
    private var isKeptAlive = false
    private var isVersion1_0 = false
    private let timer: LoopTimer

    init(core: ServerCore) {
        self.core = core
        self.timer = LoopTimer(eventLoop: core.eventLoop)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.awaitRequest()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.timer.cancel()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): self.began(head, context)
        case .body(let bytes):
            guard self.head != nil else { return }
            guard self.body.readableBytes + bytes.readableBytes <= self.core.configuration.maximumBodySize else {
                return self.refuse()
            }
            self.body.writeImmutableBuffer(bytes)
        case .end:
            guard let head = self.head else { return }
            self.head = nil
            self.timer.cancel()
            let exchange = self.core.makeExchange(self)
            self.exchange = exchange
            self.core.receive(SignalingRequest(head, body: self.body), exchange: exchange)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let exchange = self.exchange {
            self.exchange = nil
            self.core.exchanges[exchange] = nil
            self.owner?.exchangeEnded(exchange)
        }
        self.timer.cancel()
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let exchange = self.exchange { self.owner?.setWritable(exchange, context.channel.isWritable) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A handshake that was refused is answered as a request.
        if !(error is WebSocketHandshake.Refusal) { context.close(promise: nil) }
    }

    private func began(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        self.body = ByteBuffer()
        // NIO reads no more HTTP after a request to upgrade.
        self.isKeptAlive = head.isKeepAlive && head.headers["upgrade"].isEmpty
        self.isVersion1_0 = head.version == .http1_0
        let length = head.headers.first(name: "content-length").map { Int($0) ?? .max } ?? 0
        self.head = head
        guard length <= self.core.configuration.maximumBodySize else { return self.refuse() }
        if head.headers[canonicalForm: "expect"].contains("100-continue") {
            let part = HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .continue))
            context.writeAndFlush(Self.wrapOutboundOut(part), promise: nil)
        }
    }

    /// Refuses a body that is too large, and the connection with it.
    private func refuse() {
        self.head = nil
        self.isKeptAlive = false
        self.exchange = self.core.makeExchange(self)
        self.respond(SignalingResponse(413, text: "The body is too large."))
    }

    /// A request must come as a whole in time.
    private func awaitRequest() {
        self.timer.set(.now() + self.core.configuration.requestTimeout) { [weak self] in
            self?.context?.close(promise: nil)
        }
    }
}

// MARK: Responses

extension HTTPConnection {
    /// Sends a whole response.
    func respond(_ response: SignalingResponse) {
        var response = response
        if response.status != 204, response.status != 304 {
            response.headers.set("content-length", String(response.body.readableBytes))
        }
        self.writeHead(response)
        self.write(response.body)
        self.end()
    }

    /// Somebody must know if the connection is closed before the response is whole.
    func setOwner(_ owner: any ExchangeOwner) { self.owner = owner }

    /// Begins a response whose body comes in pieces.
    func begin(_ response: SignalingResponse) {
        // There the end of the body is the end of the connection.
        if self.isVersion1_0 { self.isKeptAlive = false }
        self.writeHead(response)
        self.context?.flush()
        if self.context?.channel.isWritable == false, let exchange = self.exchange {
            self.owner?.setWritable(exchange, false)
        }
    }

    func write(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0, self.exchange != nil, let context = self.context else { return }
        context.writeAndFlush(Self.wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
    }

    func end() {
        guard let exchange = self.exchange, let context = self.context else { return }
        self.exchange = nil
        self.owner = nil
        self.core.exchanges[exchange] = nil
        let isKeptAlive = self.isKeptAlive
        if isKeptAlive { self.awaitRequest() }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            if !isKeptAlive { context.close(promise: nil) }
        }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: written)
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

extension SignalingRequest {
    init(_ head: HTTPRequestHead, body: ByteBuffer) {
        var headers = SignalingHeaders()
        for (name, value) in head.headers { headers.add(name, value) }
        self.init(method: head.method.rawValue, target: head.uri, headers: headers, body: body)
    }
}
