import NIOCore
import NIOPosix
import RTCBase
import RTCICE

/// One name that the local network is asked for by multicast DNS, until somebody answers or it is given up. Confined to its event loop.
final class MulticastQuery {
    /// Whom to ask, and how often.
    struct Plan {
        /// Where questions go.
        var group = MDNSMessage.ipv4Group
        /// How long each question waits for an answer. The next comes a second later at the earliest, and each that follows after twice
        /// the time of the one before at least (RFC 6762 section 5.2): datagrams to a group are lost easily, in a wireless network most of all.
        var pauses: [TimeAmount] = [.seconds(1), .seconds(2), .seconds(4), .seconds(3)]

        static var defaults: Plan { Plan() }
    }

    private let name: String
    private let eventLoop: any EventLoop
    private let group: SocketAddress
    private var pauses: ArraySlice<TimeAmount>
    private var body: (([TransportAddress]) -> Void)?
    private var channel: (any Channel)?
    private var timer: Scheduled<Void>?

    init(name: String, eventLoop: any EventLoop, plan: Plan) {
        self.name = name
        self.eventLoop = eventLoop
        self.group = plan.group.socketAddress
        self.pauses = plan.pauses[...]
    }

    /// Begins to ask; `body` is called once, later, unless the query is cancelled before.
    func run(_ body: @escaping ([TransportAddress]) -> Void) {
        self.body = body
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.execute { bound.value.ask() }
    }

    /// Ends it without an answer.
    func cancel() {
        self.body = nil
        self.stop()
    }

    private func ask() {
        guard self.body != nil else { return }
        guard let question = MDNSMessage.query(for: self.name), let pause = self.pauses.popFirst() else {
            return self.finish([])
        }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.timer = self.eventLoop.scheduleTask(in: pause) { bound.value.ask() }
        // A network that cannot be reached yet, or a firewall, may have cost the socket.
        if let channel = self.channel, channel.isActive { return self.send(question, over: channel) }
        DatagramBootstrap(group: self.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(MulticastAnswerHandler(query: bound.value))
                }
            }
            .bind(to: TransportAddress(ipv4: 0, port: 0).socketAddress)
            .whenSuccess { channel in bound.value.begin(with: question, over: channel) }
    }

    private func begin(with question: ByteBuffer, over channel: any Channel) {
        guard self.body != nil else {
            channel.close(promise: nil)
            return
        }
        self.channel?.close(promise: nil)
        self.channel = channel
        self.send(question, over: channel)
    }

    private func send(_ question: ByteBuffer, over channel: any Channel) {
        channel.writeAndFlush(AddressedEnvelope(remoteAddress: self.group, data: question), promise: nil)
    }

    fileprivate func receive(_ answer: ByteBuffer) {
        let addresses = MDNSMessage.answers(in: answer.readableBytesSpan)
            .filter { $0.name.lowercased() == self.name.lowercased() }
            .map(\.address)
        if !addresses.isEmpty { self.finish(addresses) }
    }

    private func finish(_ addresses: [TransportAddress]) {
        guard let body = self.body else { return }
        self.body = nil
        self.stop()
        body(addresses)
    }

    private func stop() {
        self.timer?.cancel()
        self.timer = nil
        self.channel?.close(promise: nil)
        self.channel = nil
    }
}

/// Hands what comes in to the query.
private final class MulticastAnswerHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let query: MulticastQuery

    init(query: MulticastQuery) { self.query = query }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.query.receive(self.unwrapInboundIn(data).data)
    }
}
