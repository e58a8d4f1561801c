import NIOCore
import NIOPosix
import RTCBase

/// The TCP connections that one peer connection makes to passive candidates of its peer (RFC 6544). Confined to its event loop.
final class TCPDialer {
    private enum Connection {
        case opening([DatagramBatch])
        case open(TCPConnection)
    }

    private let eventLoop: any EventLoop
    weak var driver: PeerDriver?
    private var connections: [PeerDriver.Path: Connection] = [:]
    private var isClosed = false
    /// A peer must not make this host knock at any number of doors.
    private static let maximumConnections = 16
    /// Checks that wait for a connection.
    private static let maximumWaiting = 8
    private static let timeout = TimeAmount.seconds(10)

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Sends datagrams over the connection of a path, which is made if there is none.
    func write(_ batch: DatagramBatch, from base: TransportAddress, to remote: TransportAddress) {
        let path = PeerDriver.Path(remote: remote, base: base)
        switch self.connections[path] {
        case .open(let connection):
            connection.write(batch)
        case .opening(var waiting):
            guard waiting.count < Self.maximumWaiting else { return }
            waiting.append(batch)
            self.connections[path] = .opening(waiting)
        case nil:
            self.open(path, batch)
        }
    }

    private func open(_ path: PeerDriver.Path, _ first: DatagramBatch) {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        guard !self.isClosed, self.connections.count < Self.maximumConnections else {
            self.eventLoop.execute { bound.value.tellClosed(path) }
            return
        }
        self.connections[path] = .opening([first])
        ClientBootstrap(group: self.eventLoop)
            .connectTimeout(Self.timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: TCPConnection.waterMark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = TCPConnectionHandler(report: { bound.value.handle($0, of: path) })
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(to: path.base.withPort(0).socketAddress)
            .connect(to: path.remote.socketAddress)
            .whenComplete { bound.value.opened(path, $0) }
    }

    private func opened(_ path: PeerDriver.Path, _ result: Result<any Channel, any Error>) {
        guard case .success(let channel) = result else { return self.closed(path) }
        guard !self.isClosed, case .opening(let waiting)? = self.connections[path] else {
            return channel.close(promise: nil)
        }
        let connection = TCPConnection(base: path.base, remote: path.remote, channel: channel)
        self.connections[path] = .open(connection)
        for batch in waiting { connection.write(batch) }
    }

    private func handle(_ happening: TCPConnectionHandler.Happening, of path: PeerDriver.Path) {
        guard !self.isClosed else { return }
        switch happening {
        case .frame(let frame): self.driver?.receive(DatagramBatch(frame), from: path.remote, to: path.base)
        case .readComplete: self.driver?.pump()
        case .closed: self.closed(path)
        }
    }

    private func closed(_ path: PeerDriver.Path) {
        guard !self.isClosed, self.connections.removeValue(forKey: path) != nil else { return }
        self.tellClosed(path)
    }

    private func tellClosed(_ path: PeerDriver.Path) {
        guard !self.isClosed else { return }
        self.driver?.pathClosed(path)
    }

    func closeAll() {
        self.isClosed = true
        for case .open(let connection) in self.connections.values { connection.close() }
        self.connections = [:]
    }
}
