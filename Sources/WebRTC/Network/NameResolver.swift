import NIOCore
import NIOPosix
import RTCBase
import RTCCore
import RTCICE

/// Turns names into addresses: of STUN and TURN servers through the system, of `.local` candidates through multicast DNS. Confined to its
/// event loop.
final class NameResolver {
    private let eventLoop: any EventLoop
    private static let multicastTimeout = TimeAmount.seconds(3)

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Looks up a server's name; `body` gets no addresses if it has none.
    func lookUp(_ host: String, port: UInt16, found body: @escaping ([TransportAddress]) -> Void) {
        let done = NIOLoopBound(body, eventLoop: self.eventLoop)
        ServerNames.shared.lookUp(host) { addresses in
            done.eventLoop.execute { done.value(addresses.map { $0.withPort(port) }) }
        }
    }

    /// Asks the local network for a `.local` name (RFC 6762 section 5.1); `body` gets no addresses if nobody answers.
    func multicast(_ name: String, found body: @escaping ([TransportAddress]) -> Void) {
        if let own = LocalNames.address(of: name) {
            let done = NIOLoopBound((body: body, address: own), eventLoop: self.eventLoop)
            self.eventLoop.execute { done.value.body([done.value.address]) }
            return
        }
        let query = MulticastQuery(name: name, eventLoop: self.eventLoop, timeout: Self.multicastTimeout)
        query.run(body)
    }
}

/// One question by multicast DNS and its answer.
private final class MulticastQuery {
    private let name: String
    private let eventLoop: any EventLoop
    private let timeout: TimeAmount
    private var body: (([TransportAddress]) -> Void)?
    private var channel: (any Channel)?

    init(name: String, eventLoop: any EventLoop, timeout: TimeAmount) {
        self.name = name
        self.eventLoop = eventLoop
        self.timeout = timeout
    }

    func run(_ body: @escaping ([TransportAddress]) -> Void) {
        self.body = body
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.scheduleTask(in: self.timeout) { bound.value.finish([]) }
        DatagramBootstrap(group: self.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(MulticastAnswerHandler(query: bound.value))
                }
            }
            .bind(to: TransportAddress(ipv4: 0, port: 0).socketAddress)
            .whenComplete { result in
                guard case .success(let channel) = result else { return bound.value.finish([]) }
                bound.value.ask(on: channel)
            }
    }

    private func ask(on channel: any Channel) {
        guard self.body != nil else {
            channel.close(promise: nil)
            return
        }
        self.channel = channel
        guard let question = MDNSMessage.query(for: self.name) else { return self.finish([]) }
        let group = MDNSMessage.ipv4Group.socketAddress
        channel.writeAndFlush(AddressedEnvelope(remoteAddress: group, data: question), promise: nil)
    }

    func receive(_ answer: ByteBuffer) {
        let addresses = MDNSMessage.answers(in: answer.readableBytesSpan)
            .filter { $0.name.lowercased() == self.name.lowercased() }
            .map(\.address)
        if !addresses.isEmpty { self.finish(addresses) }
    }

    private func finish(_ addresses: [TransportAddress]) {
        guard let body = self.body else { return }
        self.body = nil
        self.channel?.close(promise: nil)
        self.channel = nil
        body(addresses)
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
