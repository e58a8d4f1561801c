internal import NIOCore

/// A TCP connection with a peer, as any thread may use it.
final class PeerStream: Sendable {
    let channel: any Channel
    private let handler: NIOLoopBound<PeerStreamHandler>

    init(channel: any Channel, handler: NIOLoopBound<PeerStreamHandler>) {
        self.channel = channel
        self.handler = handler
    }

    /// Says who is to be told when it closes.
    func setConnection(_ id: UInt32, _ mailbox: ShardMailbox) {
        let handler = self.handler
        self.channel.eventLoop.execute { handler.value.setConnection(id, mailbox) }
    }

    /// From now on everything goes to the client's connection.
    func join(_ client: any Channel) {
        let handler = self.handler
        self.channel.eventLoop.execute { handler.value.join(client) }
    }
}

/// The end of a peer connection's pipeline. Nothing is read until it is joined.
final class PeerStreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let channel: any Channel
    private var pipe: JoinedPipe?
    private var connection: (UInt32, ShardMailbox)?
    private var isClosed = false

    init(channel: any Channel) { self.channel = channel }

    func setConnection(_ id: UInt32, _ mailbox: ShardMailbox) {
        self.connection = (id, mailbox)
        if self.isClosed { mailbox.post(.peerClosed(id)) }
    }

    func join(_ client: any Channel) {
        self.pipe = JoinedPipe(from: self.channel, to: client)
        if self.isClosed { self.pipe?.end() }
        try? self.channel.syncOptions?.setOption(.autoRead, value: true)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { self.pipe?.forward(self.unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) {
        self.isClosed = true
        self.pipe?.end()
        if let (id, mailbox) = self.connection { mailbox.post(.peerClosed(id)) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
