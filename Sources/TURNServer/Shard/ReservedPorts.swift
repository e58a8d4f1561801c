internal import RTCBase
internal import Synchronization

/// Sockets that wait for the client that reserved their port (RFC 8656 section 7.2), whichever shard it comes to.
final class ReservedPorts: Sendable {
    private let sockets = Mutex<[UInt64: DatagramSocket]>([:])

    init() {}

    func put(_ socket: DatagramSocket, under token: UInt64) {
        self.sockets.withLock { $0[token] = socket }
    }

    /// Takes a socket; who has it closes it.
    func take(_ token: UInt64) -> DatagramSocket? {
        self.sockets.withLock { $0.removeValue(forKey: token) }
    }

    func closeAll() {
        let left = self.sockets.withLock { sockets in
            let left = Array(sockets.values)
            sockets = [:]
            return left
        }
        for socket in left { socket.close() }
    }
}
