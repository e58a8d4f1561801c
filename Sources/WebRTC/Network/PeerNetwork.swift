import NIOCore
import NIOPosix
import RTCBase
import RTCICE
import RTCSTUN

/// The sockets a connection uses: its own, or those of an endpoint. Confined to one event loop.
protocol PeerNetwork: AnyObject {
    /// Which local addresses are used.
    var addressPolicy: RTCAddressPolicy { get }
    /// `driver` uses these sockets from now on, until ``detach(_:)``.
    func adopt(_ driver: PeerDriver)
    /// Calls `body` on the event loop with the addresses to offer; at once, or when sockets are bound.
    func hostAddresses(_ body: @escaping ([ICEHostAddress]) -> Void)
    /// The socket bound to `base`; stays the same.
    func socket(boundTo base: TransportAddress) -> UDPSocket?
    /// The TCP connection that a peer made to one of our listeners, `nil` if it has ended.
    func acceptedConnection(_ path: PeerDriver.Path) -> TCPConnection?
    /// So many datagrams were queued on a socket.
    func noteWritten(_ count: Int)
    /// Sends what is queued.
    func flush()
    /// Binding requests for `ufrag` go to `driver` from now on.
    func register(ufrag: String, of driver: PeerDriver)
    /// Binding requests for `ufrag` go to nobody any more.
    func unregister(ufrag: String)
    /// Datagrams from `remote` to `base` go to `driver` from now on: it has checked the peer's integrity.
    func register(path remote: TransportAddress, base: TransportAddress, of driver: PeerDriver)
    /// The answer to a request goes to `driver`, wherever it comes from.
    func expect(_ transaction: STUNTransactionID, of driver: PeerDriver)
    /// Lets `driver` act at the end of the present burst of datagrams; `false` if there is none.
    func touch(_ driver: PeerDriver) -> Bool
    /// Lets `driver` act within five milliseconds, so that packets of one picture leave together; `false` if that is not to be had.
    func hold(_ driver: PeerDriver) -> Bool
    /// Forgets `driver`.
    func detach(_ driver: PeerDriver)
}

/// Sockets that one connection has for itself, on ports that the system chooses.
final class PrivateSockets: PeerNetwork, UDPSocketOwner, TCPListenerOwner {
    private let eventLoop: any EventLoop
    let addressPolicy: RTCAddressPolicy
    private weak var driver: PeerDriver?
    private var sockets: [UDPSocket] = []
    private var listeners: [TCPListener] = []
    private var accepted: [PeerDriver.Path: TCPListener.Accepted] = [:]
    private static let maximumAccepted = 32
    private var isBound = false
    private var isBinding = false
    private var waiting: [([ICEHostAddress]) -> Void] = []
    private var isClosed = false

    init(eventLoop: any EventLoop, policy: RTCAddressPolicy) {
        self.eventLoop = eventLoop
        self.addressPolicy = policy
    }

    func hostAddresses(_ body: @escaping ([ICEHostAddress]) -> Void) {
        self.waiting.append(body)
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        // Never at once: whoever set a description sees it without candidates first, as W3C's queued tasks have it.
        guard !self.isBound else { return self.eventLoop.execute { bound.value.tellHosts() } }
        guard !self.isBinding else { return }
        self.isBinding = true
        let binding = self.addressPolicy.localAddresses().map { address in
            UDPSocket.bind(to: address, on: self.eventLoop, use: .onePeer, owner: self)
        }
        let listening = self.addressPolicy.tcp.contains(.passive)
            ? self.addressPolicy.localAddresses().map { address in
                TCPListener.bind(to: address, on: self.eventLoop, isOnePortOfMany: false, owner: self)
            } : []
        // An address that cannot be bound (an interface that just went away) is left out.
        EventLoopFuture.whenAllComplete(binding, on: self.eventLoop).and(
            EventLoopFuture.whenAllComplete(listening, on: self.eventLoop)
        ).whenSuccess { results, listeners in
            let made = NIOLoopBound(
                (
                    sockets: results.compactMap { try? $0.get().value },
                    listeners: listeners.compactMap { try? $0.get().value }
                ),
                eventLoop: bound.eventLoop
            )
            bound.eventLoop.execute { bound.value.finishBinding(made.value.sockets, made.value.listeners) }
        }
    }

    private func finishBinding(_ sockets: [UDPSocket], _ listeners: [TCPListener]) {
        guard !self.isClosed else {
            for socket in sockets { socket.close() }
            for listener in listeners { listener.close() }
            return
        }
        self.sockets = sockets
        self.listeners = listeners
        self.isBound = true
        self.tellHosts()
    }

    private func tellHosts() {
        guard !self.isClosed else { return }
        let waiting = self.waiting
        self.waiting = []
        for body in waiting { body(self.hosts) }
    }

    private var hosts: [ICEHostAddress] {
        self.addressPolicy.hostAddresses(udp: self.sockets.map(\.address), tcp: self.listeners.map(\.address))
    }

    func socket(boundTo base: TransportAddress) -> UDPSocket? {
        // Few sockets: one for each local address.
        self.sockets.first { $0.address == base }
    }

    func acceptedConnection(_ path: PeerDriver.Path) -> TCPConnection? { self.accepted[path]?.connection }

    func noteWritten(_ count: Int) {}

    func flush() {
        for socket in self.sockets { socket.flush() }
    }

    func adopt(_ driver: PeerDriver) { self.driver = driver }

    func register(ufrag: String, of driver: PeerDriver) {}
    func unregister(ufrag: String) {}
    func register(path remote: TransportAddress, base: TransportAddress, of driver: PeerDriver) {
        self.accepted[PeerDriver.Path(remote: remote, base: base)]?.isValidated = true
    }
    func expect(_ transaction: STUNTransactionID, of driver: PeerDriver) {}
    func touch(_ driver: PeerDriver) -> Bool { false }
    func hold(_ driver: PeerDriver) -> Bool { false }

    func detach(_ driver: PeerDriver) {
        self.isClosed = true
        self.driver = nil
        for socket in self.sockets { socket.close() }
        self.sockets = []
        for listener in self.listeners { listener.close() }
        self.listeners = []
        for accepted in self.accepted.values { accepted.connection.close() }
        self.accepted = [:]
    }

    // MARK: TCPListenerOwner

    func receive(_ frame: ByteBuffer, over accepted: TCPListener.Accepted) {
        let path = PeerDriver.Path(accepted.connection)
        if self.accepted[path] == nil {
            guard !self.isClosed, self.accepted.count < Self.maximumAccepted else {
                return accepted.connection.close()
            }
            self.accepted[path] = accepted
        }
        self.driver?.receive(DatagramBatch(frame), from: path.remote, to: path.base)
    }

    func receiveComplete(on accepted: TCPListener.Accepted) { self.driver?.pump() }

    func closed(_ accepted: TCPListener.Accepted) {
        let path = PeerDriver.Path(accepted.connection)
        guard self.accepted.removeValue(forKey: path) != nil else { return }
        self.driver?.pathClosed(path)
    }

    // MARK: UDPSocketOwner

    func receive(_ datagrams: DatagramBatch, from remote: TransportAddress, on socket: UDPSocket) {
        self.driver?.receive(datagrams, from: remote, to: socket.address)
    }

    func receiveComplete(on socket: UDPSocket) { self.driver?.pump() }
}
