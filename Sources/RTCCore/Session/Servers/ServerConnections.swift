import NIOCore
import RTCBase

/// All conversations with servers of one session.
struct ServerConnections {
    /// A name under way.
    struct Lookup {
        var entry: ServerEntry
        var ufrag: String
        var deadline: NIODeadline
    }

    /// A server that is to be asked again.
    struct Retry {
        var at: NIODeadline
        var entry: ServerEntry
        var ufrag: String
        var attempt: Int
        var target: ServerFlowTarget
        /// The servers that have sent us on without a result so far.
        var visited: Set<TransportAddress>
    }

    private var nextNumber = 1
    var lookups: [Int: Lookup] = [:]
    var connections: [ServerFlowID: ServerConnection] = [:]
    /// Which generation a connection gathers for.
    var ufrags: [ServerFlowID: String] = [:]
    var byRelayedAddress: [TransportAddress: ServerConnection] = [:]
    var retries: [Retry] = []

    mutating func makeNumber() -> Int {
        defer { self.nextNumber += 1 }
        return self.nextNumber
    }

    /// The relay whose address this is.
    func relay(at base: TransportAddress) -> ServerConnection? {
        self.byRelayedAddress.isEmpty ? nil : self.byRelayedAddress[base]
    }

    /// The connections of a generation, in the order they were made.
    func connections(of ufrag: String) -> [ServerConnection] {
        self.connections.values.filter { self.ufrags[$0.id] == ufrag }.sorted { $0.id.number < $1.id.number }
    }

    mutating func remove(_ connection: ServerConnection) {
        self.connections[connection.id] = nil
        self.ufrags[connection.id] = nil
        for address in connection.relayed where self.byRelayedAddress[address] === connection {
            self.byRelayedAddress[address] = nil
        }
    }

    var nextTimeout: NIODeadline? {
        var next: NIODeadline?
        for connection in self.connections.values { next = .earliest(next, connection.nextTimeout) }
        for lookup in self.lookups.values { next = .earliest(next, lookup.deadline) }
        for retry in self.retries { next = .earliest(next, retry.at) }
        return next
    }
}
