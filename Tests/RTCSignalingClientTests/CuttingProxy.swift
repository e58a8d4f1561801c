import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import RTCBase
import Synchronization

/// A proxy on the way to a server that cuts connections off after a random number of bytes, in the middle of whatever they carry.
final class CuttingProxy: Sendable {
    private struct State {
        var random: RandomSource
        /// The bytes that a connection may carry, at most; nil for any number.
        var limit: Int?
        /// How long nothing goes through a new connection.
        var delay = TimeAmount.zero
        var cuts = 0
    }

    private let state: Mutex<State>
    private let channel: any Channel

    private init(_ channel: any Channel, limit: Int?, seed: UInt64) {
        self.channel = channel
        self.state = Mutex(State(random: .seeded(seed), limit: limit))
    }

    var port: Int { self.channel.localAddress?.port ?? 0 }

    /// How many connections were cut off.
    var cuts: Int { self.state.withLock { $0.cuts } }

    /// From here on connections are left alone.
    func relent() { self.state.withLock { $0.limit = nil } }

    /// From here on nothing goes through a new connection for so long.
    func holdUp(_ delay: TimeAmount) { self.state.withLock { $0.delay = delay } }

    static func run(
        to port: Int,
        limit: Int? = nil,
        seed: UInt64 = 0,
        body: (CuttingProxy) async throws -> Void
    ) async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        let holder = NIOLockedValueBox<CuttingProxy?>(nil)
        let channel = try await ServerBootstrap(group: eventLoop)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { inbound in
                guard let proxy = holder.withLockedValue({ $0 }) else { return inbound.close() }
                return proxy.forward(inbound, to: port)
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let proxy = CuttingProxy(channel, limit: limit, seed: seed)
        holder.withLockedValue { $0 = proxy }
        do {
            try await body(proxy)
        } catch {
            try? await channel.close()
            throw error
        }
        try await channel.close()
        holder.withLockedValue { $0 = nil }
    }

    private func forward(_ inbound: any Channel, to port: Int) -> EventLoopFuture<Void> {
        let budget = Budget(
            self.state.withLock { state in
                state.limit.map { Int.random(in: 1...$0, using: &state.random) }
            }
        ) { self.state.withLock { $0.cuts += 1 } }
        return ClientBootstrap(group: inbound.eventLoop)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port)
            .flatMapThrowing { outbound in
                try inbound.pipeline.syncOperations.addHandler(Pipe(outbound, budget))
                try outbound.pipeline.syncOperations.addHandler(Pipe(inbound, budget))
                inbound.eventLoop.scheduleTask(in: self.state.withLock { $0.delay }) {
                    for channel in [inbound, outbound] {
                        channel.setOption(.autoRead, value: true).whenComplete { _ in }
                    }
                }
            }
    }
}

/// The bytes that a connection may still carry, both ways together.
private final class Budget: Sendable {
    private let rest: Mutex<Int?>
    private let whenSpent: @Sendable () -> Void

    init(_ bytes: Int?, whenSpent: @escaping @Sendable () -> Void) {
        self.rest = Mutex(bytes)
        self.whenSpent = whenSpent
    }

    /// How many of so many bytes may pass; the connection ends behind the last.
    func spend(_ count: Int) -> (count: Int, isSpent: Bool) {
        let (allowed, isSpent) = self.rest.withLock { rest -> (Int, Bool) in
            guard let left = rest else { return (count, false) }
            rest = max(0, left - count)
            return (min(left, count), left > 0 && left <= count)
        }
        if isSpent { self.whenSpent() }
        return (allowed, allowed < count || isSpent)
    }
}

private final class Pipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel
    private let budget: Budget

    init(_ other: any Channel, _ budget: Budget) {
        self.other = other
        self.budget = budget
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data)
        let (count, isSpent) = self.budget.spend(bytes.readableBytes)
        if let allowed = bytes.readSlice(length: count), count > 0 { self.other.writeAndFlush(allowed, promise: nil) }
        guard isSpent else { return }
        self.other.close(promise: nil)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { self.other.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
