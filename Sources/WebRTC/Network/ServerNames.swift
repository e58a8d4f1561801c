import NIOCore
import NIOPosix
import RTCBase
import Synchronization

/// The addresses of servers' names for the whole process: one look-up of a name at a time, whoever wants to know, and a short memory.
///
/// The system's resolver blocks its thread for as long as a name server does not answer. It has threads of its own, so that such names
/// hold up neither other work nor, but for very many of them, other names.
final class ServerNames: Sendable {
    static let shared = ServerNames { SystemResolver.addresses(of: $0, port: 0) }

    typealias Answer = @Sendable ([TransportAddress]) -> Void

    private struct State {
        var asking: [String: [Answer]] = [:]
        var known: [String: Known] = [:]
        var threads: NIOThreadPool?

        mutating func startThreads() -> NIOThreadPool {
            if let threads = self.threads { return threads }
            let threads = NIOThreadPool(numberOfThreads: ServerNames.threadCount)
            threads.start()
            self.threads = threads
            return threads
        }
    }

    private struct Known {
        var addresses: [TransportAddress]
        var until: NIODeadline
    }

    private let state = Mutex(State())
    private let resolve: @Sendable (String) -> [TransportAddress]
    private static let threadCount = 8
    /// So many names may be asked for at once; others count as unknown.
    private static let maximumAsking = 256
    private static let maximumKnown = 256
    private static let timeToLive = TimeAmount.seconds(10)

    init(resolve: @escaping @Sendable (String) -> [TransportAddress]) { self.resolve = resolve }

    /// Looks up a name; `body` is called on any thread, with addresses whose port is 0, and none if the name has none.
    func lookUp(_ host: String, now: NIODeadline = .now(), _ body: @escaping Answer) {
        let (known, threads) = self.state.withLock { state -> ([TransportAddress]?, NIOThreadPool?) in
            if let known = state.known[host], known.until > now { return (known.addresses, nil) }
            guard state.asking[host] == nil else {
                state.asking[host]?.append(body)
                return (nil, nil)
            }
            guard state.asking.count < Self.maximumAsking else { return ([], nil) }
            state.asking[host] = [body]
            return (nil, state.startThreads())
        }
        if let known { return body(known) }
        threads?.submit { _ in self.finish(host, self.resolve(host)) }
    }

    private func finish(_ host: String, _ addresses: [TransportAddress]) {
        let bodies = self.state.withLock { state in
            // What failed is asked again.
            if !addresses.isEmpty {
                let now = NIODeadline.now()
                if state.known.count >= Self.maximumKnown { state.known = state.known.filter { $0.value.until > now } }
                if state.known.count < Self.maximumKnown {
                    state.known[host] = Known(addresses: addresses, until: now + Self.timeToLive)
                }
            }
            return state.asking.removeValue(forKey: host) ?? []
        }
        for body in bodies { body(addresses) }
    }
}
