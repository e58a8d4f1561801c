import NIOCore
import RTCBase
import RTCSTUN

extension UDPShard: TCPListenerOwner {
    /// The first datagram of a TCP connection is a binding request, whose user name says whose it is.
    func receive(_ frame: ByteBuffer, over accepted: TCPListener.Accepted) {
        let connection = accepted.connection
        let path = PeerDriver.Path(connection)
        if accepted.shard == nil {
            guard self.route(accepted, by: frame) else {
                self.counters.unroutable += 1
                return connection.close()
            }
        }
        guard let shard = accepted.shard, shard != self.index else {
            self.receive(DatagramBatch(frame), from: path.remote, to: path.base, wasForwarded: false)
            accepted.isValidated = self.routes[path] != nil || accepted.isValidated
            return
        }
        _ = self.forward(shard, DatagramBatch(frame), path.remote, path.base)
        accepted.isValidated = self.foreignRoutes[path] == shard || accepted.isValidated
    }

    private func route(_ accepted: TCPListener.Accepted, by frame: ByteBuffer) -> Bool {
        guard let ufrag = STUNUsername.localUfrag(ofBindingRequest: frame.readableBytesSpan) else { return false }
        if self.drivers[ufrag] != nil {
            accepted.shard = self.index
            self.adopt(accepted.connection)
            return true
        }
        guard let shard = WebRTCEndpoint.shard(ofUfrag: ufrag), shard != self.index,
            self.handOver(shard, accepted.connection, true)
        else { return false }
        accepted.shard = shard
        return true
    }

    func receiveComplete(on accepted: TCPListener.Accepted) { self.pumpTouched() }

    func closed(_ accepted: TCPListener.Accepted) {
        guard let shard = accepted.shard else { return }
        if shard == self.index {
            self.ended(accepted.connection)
        } else {
            _ = self.handOver(shard, accepted.connection, false)
        }
    }

    /// Takes over a connection that belongs to a peer of this shard.
    func adopt(_ connection: TCPConnection) {
        guard !self.isClosed else { return connection.close() }
        self.accepted[PeerDriver.Path(connection)] = connection
    }

    /// A connection of this shard has ended.
    func ended(_ connection: TCPConnection) {
        let path = PeerDriver.Path(connection)
        guard self.accepted[path] === connection else { return }
        self.accepted[path] = nil
        self.counters.droppedOverTCP += connection.droppedDatagrams
        guard let driver = self.routes.removeValue(forKey: path) else { return }
        driver.paths.remove(path)
        self.announce(path, false)
        driver.pathClosed(path)
    }
}
