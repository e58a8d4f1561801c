import NIOCore
import RTCBase
import RTCCore

/// Turns names into addresses: of STUN and TURN servers through the system, of `.local` candidates through multicast DNS. Confined to its
/// event loop.
final class NameResolver {
    private let eventLoop: any EventLoop
    private let plan: MulticastQuery.Plan
    private var queries: [ObjectIdentifier: MulticastQuery] = [:]

    init(eventLoop: any EventLoop, plan: MulticastQuery.Plan = .defaults) {
        self.eventLoop = eventLoop
        self.plan = plan
    }

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
        let query = MulticastQuery(name: name, eventLoop: self.eventLoop, plan: self.plan)
        let id = ObjectIdentifier(query)
        self.queries[id] = query
        query.run { [weak self] addresses in
            self?.queries[id] = nil
            body(addresses)
        }
    }

    /// Asks the local network no more; nobody is told of what was asked for.
    func close() {
        for query in self.queries.values { query.cancel() }
        self.queries = [:]
    }
}
