import NIOCore
import NIOPosix
import RTCBase
import RTCICE
import Synchronization
import Testing

@testable import WebRTC

@Suite("Names of the local network", .timeLimit(.minutes(1)))
struct NameResolverTests {
    private static let name = "5c7a0b0e-5c8e-4a0d-8f5b-2c7b8f7d2c11.local"
    private static let address = TransportAddress(ipv4: 0xC000_0201, port: 0)
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    /// Asks a responder in the group's place.
    private func ask(_ responder: Responder, pauses: [TimeAmount]) async throws -> [TransportAddress] {
        let plan = MulticastQuery.Plan(group: responder.address, pauses: pauses)
        let loop = self.loop
        return try await loop.flatSubmit {
            let promise = loop.makePromise(of: [TransportAddress].self)
            NameResolver(eventLoop: loop, plan: plan).multicast(Self.name) { promise.succeed($0) }
            return promise.futureResult
        }.get()
    }

    @Test("a question that was lost is asked again", arguments: 0..<3)
    func lost(count: Int) async throws {
        let responder = try await Responder(losing: count, answer: (Self.name, Self.address))
        let pauses = Array(repeating: TimeAmount.milliseconds(1), count: count) + [.hours(1)]
        #expect(try await self.ask(responder, pauses: pauses) == [Self.address])
        #expect(responder.questions == Array(repeating: [Self.name, Self.name], count: count + 1))
        try await responder.close()
    }

    @Test("a name that nobody answers for is given up after the last question's time")
    func unknown() async throws {
        let responder = try await Responder(losing: .max, answer: (Self.name, Self.address))
        #expect(try await self.ask(responder, pauses: Array(repeating: .milliseconds(1), count: 3)).isEmpty)
        try await responder.close()
    }

    @Test("an answer about another name is none")
    func another() async throws {
        let responder = try await Responder(losing: 0, answer: ("another.local", Self.address))
        #expect(try await self.ask(responder, pauses: [.milliseconds(1), .milliseconds(1)]).isEmpty)
        try await responder.close()
    }

    @Test("who has closed is told nothing, and kept by nothing")
    func closed() async throws {
        final class Asker {}
        let responder = try await Responder(losing: .max, answer: (Self.name, Self.address))
        let plan = MulticastQuery.Plan(group: responder.address, pauses: [.hours(1)])
        let loop = self.loop
        let (isKept, isFreed) = try await loop.submit {
            let resolver = NameResolver(eventLoop: loop, plan: plan)
            weak var asker: Asker?
            do {
                let waiting = Asker()
                asker = waiting
                resolver.multicast(Self.name) { _ in Issue.record("\(waiting) was told") }
            }
            let isKept = asker != nil
            resolver.close()
            return (isKept, asker == nil)
        }.get()
        #expect(isKept && isFreed)
        try await responder.close()
    }

    @Test("questions are as far apart as RFC 6762 section 5.2 wants")
    func pauses() {
        // Nothing is asked after the last one.
        let pauses = MulticastQuery.Plan.defaults.pauses.dropLast()
        #expect(pauses.count >= 2 && pauses[0] >= .seconds(1))
        for (pause, next) in zip(pauses, pauses.dropFirst()) { #expect(next >= pause + pause) }
    }
}

/// A host of the local network that answers for a name, but loses the first questions.
private final class Responder: Sendable {
    let address: TransportAddress
    private let channel: any Channel
    private let heard: Heard

    init(losing count: Int, answer: (name: String, address: TransportAddress)) async throws {
        let heard = Heard()
        let response = try #require(MDNSMessage.response(name: answer.name, address: answer.address, simpleID: 0))
        self.heard = heard
        self.channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = ResponderHandler(heard: heard, losing: count, response: response)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.address = try #require(self.channel.localAddress.flatMap { TransportAddress($0) })
    }

    /// The names of each question that came.
    var questions: [[String]] { self.heard.names.withLock { $0 } }

    func close() async throws { try await self.channel.close() }
}

private final class Heard: Sendable {
    let names = Mutex<[[String]]>([])
}

private final class ResponderHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let heard: Heard
    private let lost: Int
    private let response: ByteBuffer

    init(heard: Heard, losing count: Int, response: ByteBuffer) {
        self.heard = heard
        self.lost = count
        self.response = response
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = self.unwrapInboundIn(data)
        let names = MDNSMessage.questions(in: envelope.data.readableBytesSpan).map(\.name)
        let count = self.heard.names.withLock { heard in
            heard.append(names)
            return heard.count
        }
        guard count > self.lost else { return }
        let answer = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: self.response)
        context.writeAndFlush(self.wrapOutboundOut(answer), promise: nil)
    }
}
