import NIOCore
import RTCBase
import RTCICE

// Datagrams on their way out: to a socket, or to the TCP connection of their path.
extension PeerDriver {
    func write(_ batch: DatagramBatch, from base: TransportAddress, to remote: TransportAddress) {
        if base.transport == .tcp { return self.writeTCP(batch, from: base, to: remote) }
        if self.route?.base != base || self.route?.remote != remote {
            guard let socket = self.network.socket(boundTo: base) else { return }
            self.route = Route(base: base, remote: remote, socket: socket, destination: remote.socketAddress)
        }
        guard let route = self.route else { return }
        route.socket.write(batch, to: route.destination)
        self.network.noteWritten(batch.count)
    }

    /// Sends what says something about a path, also by failing. Data goes without: its failures would cost each batch something.
    func write(check bytes: ByteBuffer, from base: TransportAddress, to remote: TransportAddress) {
        guard base.transport == .udp else { return self.writeTCP(DatagramBatch(bytes), from: base, to: remote) }
        guard let socket = self.network.socket(boundTo: base) else { return }
        socket.write(bytes, to: remote.socketAddress) { [weak self] failure in
            self?.sendFailed(failure, Path(remote: remote, base: base))
        }
        self.network.noteWritten(1)
    }

    private func writeTCP(_ batch: DatagramBatch, from base: TransportAddress, to remote: TransportAddress) {
        if base.port == ICECandidate.activePort {
            self.dialer.write(batch, from: base, to: remote)
        } else {
            self.network.acceptedConnection(Path(remote: remote, base: base))?.write(batch)
        }
    }
}
