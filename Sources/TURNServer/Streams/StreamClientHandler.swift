internal import NIOCore
internal import RTCBase
internal import RTCSTUN
internal import RTCTURN

/// The end of a client connection's pipeline: cuts the stream into messages for a shard.
final class StreamClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let transport: TURNTransport
    private let services: StreamServices
    private var decoder = TURNStreamDecoder()
    private var client: StreamClient?
    private var mailbox: ShardMailbox
    private var messages: [ByteBuffer] = []
    private var byteCount = 0
    private var isFirst = true
    private var isPaused = false
    private var pipe: JoinedPipe?

    init(transport: TURNTransport, services: StreamServices) {
        self.transport = transport
        self.services = services
        self.mailbox = services.nextMailbox()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { self.open(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        self.open(context)
        context.fireChannelActive()
    }

    private func open(_ context: ChannelHandlerContext) {
        guard self.client == nil else { return }
        let channel = context.channel
        guard let remote = channel.remoteAddress.flatMap({ TransportAddress($0) }),
            let local = channel.localAddress.flatMap({ TransportAddress($0) })
        else { return context.close(promise: nil) }
        let client = StreamClient(
            tuple: TURNFiveTuple(client: remote, server: local, transport: self.transport),
            channel: channel,
            handler: NIOLoopBound(self, eventLoop: context.eventLoop)
        )
        self.client = client
        if !self.mailbox.post(.streamOpened(client)) { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = self.unwrapInboundIn(data)
        if let pipe = self.pipe { return pipe.forward(bytes) }
        self.byteCount += bytes.readableBytes
        self.decoder.append(bytes)
        while true {
            switch self.decoder.next() {
            case .stun(let message), .channelData(let message):
                if self.isFirst { self.chooseShard(message) }
                self.messages.append(message)
            case .incomplete: return
            case .broken: return context.close(promise: nil)
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        guard !self.messages.isEmpty, let client = self.client else { return }
        let messages = self.messages
        // What a message costs beside its bytes counts too: it may have only four.
        let count = self.byteCount + messages.count * Self.messageCost
        self.messages = []
        self.byteCount = 0
        if client.handedOver(count), !self.isPaused {
            self.isPaused = true
            try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        }
        self.mailbox.post(.streamReceived(client, messages, count))
    }

    private static let messageCost = 64

    /// The shard has caught up.
    func goOn() {
        guard self.isPaused else { return }
        self.isPaused = false
        try? self.client?.channel.syncOptions?.setOption(.autoRead, value: true)
    }

    /// A connection that is to be bound to a peer's belongs to the shard that has the peer's: its ID says which.
    private func chooseShard(_ message: ByteBuffer) {
        self.isFirst = false
        guard let client = self.client else { return }
        let span = message.readableBytesSpan
        guard let request = STUNMessage(span), request.method == .connectionBind,
            let id = TURNAttributes(of: request, in: span).connectionID
        else { return }
        let mailbox = self.services.mailbox(at: Int(id >> 24))
        guard let mailbox, mailbox !== self.mailbox else { return }
        self.mailbox.post(.streamClosed(client))
        self.mailbox = mailbox
        if !mailbox.post(.streamOpened(client)) { client.channel.close(promise: nil) }
    }

    func join(_ peer: any Channel) {
        // Who is gone already has nobody else to close the peer.
        guard let client = self.client else { return peer.close(promise: nil) }
        self.pipe = JoinedPipe(from: client.channel, to: peer)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let client = self.client {
            // The peer is closed by the pipe, after it has got everything.
            self.pipe?.end()
            if self.pipe == nil { self.mailbox.post(.streamClosed(client)) }
            self.client = nil
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
