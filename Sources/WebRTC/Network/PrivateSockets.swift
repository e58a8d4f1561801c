import NIOCore
import RTCBase
import RTCICE
import RTCSTUN

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
    private var names = LocalNames()
    private var monitor: InterfaceMonitor.Subscription?

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
        self.bind(self.addressPolicy.localAddresses()) { sockets, listeners in
            bound.value.finishBinding(sockets, listeners)
        }
    }

    /// Binds sockets to addresses; one that cannot be bound (of an interface that just went away) is left out.
    private func bind(_ addresses: [TransportAddress], _ body: @escaping ([UDPSocket], [TCPListener]) -> Void) {
        let ports = PortChoice(self.addressPolicy.portRange)
        let binding = addresses.map { address in
            ports.bind(address, on: self.eventLoop) {
                UDPSocket.bind(to: $0, on: $1, use: .onePeer, owner: $2)
            } owner: {
                self
            }
        }
        let wantsTCP = self.addressPolicy.tcp.contains(.passive)
        let listening = (wantsTCP ? addresses : []).map { address in
            ports.bind(address, on: self.eventLoop) {
                TCPListener.bind(to: $0, on: $1, isOnePortOfMany: false, owner: $2)
            } owner: {
                self
            }
        }
        let done = NIOLoopBound(body, eventLoop: self.eventLoop)
        EventLoopFuture.whenAllComplete(binding, on: self.eventLoop).and(
            EventLoopFuture.whenAllComplete(listening, on: self.eventLoop)
        ).whenSuccess { results, listeners in
            let made = NIOLoopBound(
                (
                    sockets: results.compactMap { try? $0.get().value },
                    listeners: listeners.compactMap { try? $0.get().value }
                ),
                eventLoop: done.eventLoop
            )
            done.eventLoop.execute { done.value(made.value.sockets, made.value.listeners) }
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
        self.watchInterfaces()
    }

    // MARK: Changes of the network

    private func watchInterfaces() {
        guard self.addressPolicy.networkChanges != .ignore else { return }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.monitor = InterfaceMonitor.shared.subscribe {
            bound.eventLoop.execute { bound.value.interfacesChanged() }
        }
    }

    private func interfacesChanged() {
        guard !self.isClosed else { return }
        let wanted = self.addressPolicy.localAddresses()
        let known = self.sockets.map { $0.address.withPort(0) }
        let gone = self.sockets.filter { !self.addressPolicy.keeps($0.address, wanted: wanted) }
        let fresh = wanted.filter { !known.contains($0) }
        guard !gone.isEmpty || !fresh.isEmpty else { return }
        self.sockets.removeAll { socket in gone.contains { $0 === socket } }
        let ended = self.listeners.filter { !self.addressPolicy.keeps($0.address, wanted: wanted) }
        self.listeners.removeAll { listener in ended.contains { $0 === listener } }
        for socket in gone { socket.close() }
        for listener in ended { listener.close() }
        self.driver?.forgetHosts(gone.map(\.address) + ended.map(\.address))
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.bind(fresh) { sockets, listeners in bound.value.add(sockets, listeners) }
    }

    private func add(_ sockets: [UDPSocket], _ listeners: [TCPListener]) {
        guard !self.isClosed else {
            for socket in sockets { socket.close() }
            for listener in listeners { listener.close() }
            return
        }
        self.sockets += sockets
        self.listeners += listeners
        let added = self.addressPolicy.hostAddresses(udp: sockets.map(\.address), tcp: listeners.map(\.address))
        self.driver?.addHosts(self.names.hide(added, if: self.addressPolicy.hidesAddresses))
    }

    private func tellHosts() {
        guard !self.isClosed else { return }
        let waiting = self.waiting
        self.waiting = []
        for body in waiting { body(self.hosts) }
    }

    private var hosts: [ICEHostAddress] {
        let hosts = self.addressPolicy.hostAddresses(
            udp: self.sockets.map(\.address),
            tcp: self.listeners.map(\.address)
        )
        return self.names.hide(hosts, if: self.addressPolicy.hidesAddresses)
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
        self.monitor = nil
        self.names.forget()
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

    func sendFailed(_ failure: ICESendFailure, on socket: UDPSocket) { self.driver?.checkPath(base: socket.address) }
}
