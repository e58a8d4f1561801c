internal import RTCBase
internal import RTCTURN
internal import Synchronization

/// How many connections clients may have, in all and from one network.
final class ConnectionPlaces: Sendable {
    private struct State {
        var total = 0
        var byNetwork: [TransportAddress: Int] = [:]
    }

    private let limit: Int
    private let limitPerNetwork: Int
    private let state = Mutex(State())

    init(limit: Int, limitPerNetwork: Int) {
        self.limit = limit
        self.limitPerNetwork = limitPerNetwork
    }

    /// Takes a place for a connection.
    ///
    /// - Returns: `false` if there is none.
    func take(for client: TransportAddress) -> Bool {
        self.state.withLock { state in
            let count = state.byNetwork[client.network, default: 0]
            guard state.total < self.limit, count < self.limitPerNetwork else { return false }
            state.total += 1
            state.byNetwork[client.network] = count + 1
            return true
        }
    }

    func giveBack(of client: TransportAddress) {
        self.state.withLock { state in
            let left = state.byNetwork[client.network, default: 1] - 1
            state.byNetwork[client.network] = left > 0 ? left : nil
            state.total -= 1
        }
    }
}
