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

/// The end of a peer connection's pipeline. Nothing is asked for until it is joined; but a peer that closes has everything read
/// that the system holds, which is kept for the client (RFC 6062 section 5.4). The system's buffer bounds it.
final class PeerStreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let channel: any Channel
    private var pipe: JoinedPipe?
    private var connection: (UInt32, ShardMailbox)?
    private var early = ByteBuffer()
    private var isClosed = false

    init(channel: any Channel) { self.channel = channel }

    func setConnection(_ id: UInt32, _ mailbox: ShardMailbox) {
        self.connection = (id, mailbox)
        if self.isClosed, self.early.readableBytes == 0 { mailbox.post(.peerClosed(id)) }
    }

    func join(_ client: any Channel) {
        let pipe = JoinedPipe(from: self.channel, to: client)
        self.pipe = pipe
        pipe.forward(self.early)
        self.early = ByteBuffer()
        if self.isClosed { return self.end() }
        try? self.channel.syncOptions?.setOption(.autoRead, value: true)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = self.unwrapInboundIn(data)
        if let pipe = self.pipe { return pipe.forward(bytes) }
        self.early.writeBuffer(&bytes)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.isClosed = true
        // As long as bytes wait for the client, it may still bind the connection.
        if self.early.readableBytes == 0 { self.end() }
        context.fireChannelInactive()
    }

    private func end() {
        self.pipe?.end()
        if let (id, mailbox) = self.connection { mailbox.post(.peerClosed(id)) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
