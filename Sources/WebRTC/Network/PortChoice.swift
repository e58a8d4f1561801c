import NIOCore
import RTCBase

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Which port a socket gets: one that the system chooses, or a free one of a range.
struct PortChoice {
    private let range: ClosedRange<UInt16>?

    init(_ range: ClosedRange<UInt16>?) { self.range = range }

    /// Binds by `bind`, which is called again with the next port of the range while one is taken. Called on the event loop.
    func bind<Socket, Owner>(
        _ address: TransportAddress,
        on eventLoop: any EventLoop,
        _ bind: @escaping (TransportAddress, any EventLoop, Owner) -> EventLoopFuture<NIOLoopBound<Socket>>,
        owner: () -> Owner
    ) -> EventLoopFuture<NIOLoopBound<Socket>> {
        let owner = owner()
        guard let range = self.range else { return bind(address, eventLoop, owner) }
        // From anywhere in the range: those before are likely taken.
        let first = UInt16.random(in: range)
        let attempt = NIOLoopBound(
            (bind: { bind($0, eventLoop, owner) }, address: address, range: range),
            eventLoop: eventLoop
        )
        return Self.attempt(attempt, port: first, left: range.count, on: eventLoop)
    }

    private typealias Attempt<Socket> = NIOLoopBound<
        (
            bind: (TransportAddress) -> EventLoopFuture<NIOLoopBound<Socket>>, address: TransportAddress,
            range: ClosedRange<UInt16>
        )
    >

    private static func attempt<Socket>(
        _ attempt: Attempt<Socket>,
        port: UInt16,
        left: Int,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<NIOLoopBound<Socket>> {
        let (bind, address, range) = attempt.value
        return bind(address.withPort(port)).flatMapError { error in
            // An address that is gone has no free port either.
            guard left > 1, (error as? IOError)?.errnoCode == EADDRINUSE else {
                return eventLoop.makeFailedFuture(error)
            }
            let next = port == range.upperBound ? range.lowerBound : port + 1
            return Self.attempt(attempt, port: next, left: left - 1, on: eventLoop)
        }
    }
}
