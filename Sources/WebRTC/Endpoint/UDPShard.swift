import NIOCore
import NIOPosix
import RTCBase
import RTCICE
import RTCSTUN

/// An endpoint's part on one event loop: its sockets, its connections, and which datagram belongs to which.
///
/// The first contact of a peer is a binding request, whose user name begins with our ufrag; from the moment a connection has checked
/// its integrity, the peer's address stands in the route table. The kernel may hand a peer's first datagrams to another loop's socket:
/// ufrags begin with their shard's letters, so they are handed over.
final class UDPShard: PeerNetwork, UDPSocketOwner {
    typealias Path = PeerDriver.Path

    let index: Int
    let eventLoop: any EventLoop
    let addressPolicy: RTCAddressPolicy
    private let limits: WebRTCEndpoint.Limits
    private let connectionCounter: ConnectionCounter
    let forward: (_ shard: Int, DatagramBatch, _ remote: TransportAddress, _ base: TransportAddress) -> Bool
    let announce: (PeerDriver.Path, _ isOurs: Bool) -> Void
    /// Makes an accepted connection another shard's, or tells it that one has ended.
    let handOver: (_ shard: Int, TCPConnection, _ isOpen: Bool) -> Bool
    var sockets: [TransportAddress: UDPSocket] = [:]
    var socketList: [UDPSocket] = []
    var listeners: [TCPListener] = []
    var names = LocalNames()
    var monitor: InterfaceMonitor.Subscription?
    /// The TCP connections of this shard's peers, whichever shard accepted them.
    var accepted: [PeerDriver.Path: TCPConnection] = [:]
    var drivers: [String: PeerDriver] = [:]
    var routes: [Path: PeerDriver] = [:]
    /// Who waits for which answer; by identity, so that an answer that never comes keeps nobody alive.
    private var expected: [STUNTransactionID: ObjectIdentifier] = [:]
    private var expectedOrder: [STUNTransactionID] = []
    private var expectedHead = 0
    private var isPumping = false
    /// Connections whose packets wait for more of the same picture.
    private var held: [PeerDriver] = []
    private static let holdTime = TimeAmount.milliseconds(5)
    /// Datagrams written since the last flush.
    private var unflushed = 0
    /// So many are sent at once at most: peers work on them while others are made.
    private static let datagramsPerFlush = 2 * DatagramBatch.maximumCount
    private var touched: [PeerDriver] = []
    var connections: [ObjectIdentifier: PeerDriver] = [:]
    /// The paths of other shards' connections, as those shards told.
    var foreignRoutes: [PeerDriver.Path: Int] = [:]
    var counters = WebRTCEndpoint.Counters()
    var isClosed = false

    init(
        index: Int,
        eventLoop: any EventLoop,
        policy: RTCAddressPolicy,
        limits: WebRTCEndpoint.Limits,
        connectionCounter: ConnectionCounter,
        forward: @escaping (Int, DatagramBatch, TransportAddress, TransportAddress) -> Bool,
        announce: @escaping (PeerDriver.Path, _ isOurs: Bool) -> Void,
        handOver: @escaping (Int, TCPConnection, _ isOpen: Bool) -> Bool
    ) {
        self.index = index
        self.eventLoop = eventLoop
        self.addressPolicy = policy
        self.limits = limits
        self.connectionCounter = connectionCounter
        self.forward = forward
        self.announce = announce
        self.handOver = handOver
    }

    func add(_ listener: TCPListener) { self.listeners.append(listener) }

    /// Lets go of the sockets: the port was not to be had on all of them.
    func removeSockets() {
        for socket in self.socketList { socket.close() }
        for listener in self.listeners { listener.close() }
        self.socketList = []
        self.sockets = [:]
        self.listeners = []
    }

    func add(_ socket: UDPSocket) {
        self.sockets[socket.address] = socket
        self.socketList.append(socket)
    }

    var connectionCount: Int { self.connections.count }

    // MARK: PeerNetwork

    func hostAddresses(_ body: @escaping ([ICEHostAddress]) -> Void) {
        let hosts = self.addressPolicy.hostAddresses(
            udp: self.socketList.map(\.address),
            tcp: self.listeners.map(\.address)
        )
        body(self.names.hide(hosts, if: self.addressPolicy.hidesAddresses))
    }

    func socket(boundTo base: TransportAddress) -> UDPSocket? { self.sockets[base] }

    func acceptedConnection(_ path: PeerDriver.Path) -> TCPConnection? { self.accepted[path] }

    func noteWritten(_ count: Int) { self.unflushed += count }

    func flush() {
        // At the end of a burst all that was written goes out together.
        guard !self.isPumping else { return }
        self.flushNow()
    }

    private func flushNow() {
        self.unflushed = 0
        for socket in self.socketList { socket.flush() }
    }

    func adopt(_ driver: PeerDriver) {
        self.connections[ObjectIdentifier(driver)] = driver
        // Made while the endpoint was being closed.
        if self.isClosed { driver.close() }
    }

    func register(ufrag: String, of driver: PeerDriver) {
        self.drivers[ufrag] = driver
        driver.ufrags.insert(ufrag)
    }

    func unregister(ufrag: String) {
        self.drivers[ufrag]?.ufrags.remove(ufrag)
        self.drivers[ufrag] = nil
    }

    func register(path remote: TransportAddress, base: TransportAddress, of driver: PeerDriver) {
        let path = Path(remote: remote, base: base)
        let before = self.routes.updateValue(driver, forKey: path)
        driver.paths.insert(path)
        if before == nil { self.announce(path, true) }
    }

    /// Takes note of what another shard told of a path.
    func learn(_ path: PeerDriver.Path, shard: Int, isItsOwn: Bool) {
        if isItsOwn {
            self.foreignRoutes[path] = shard
        } else if self.foreignRoutes[path] == shard {
            self.foreignRoutes[path] = nil
        }
    }

    func expect(_ transaction: STUNTransactionID, of driver: PeerDriver) {
        if self.expected.updateValue(ObjectIdentifier(driver), forKey: transaction) == nil {
            self.expectedOrder.append(transaction)
        }
        // Answers that never came are forgotten, oldest first.
        while self.expectedOrder.count - self.expectedHead > self.limits.pendingTransactions {
            self.expected[self.expectedOrder[self.expectedHead]] = nil
            self.expectedHead += 1
        }
        if self.expectedHead > 1024, self.expectedHead * 2 > self.expectedOrder.count {
            self.expectedOrder.removeFirst(self.expectedHead)
            self.expectedHead = 0
        }
    }

    func detach(_ driver: PeerDriver) {
        if self.connections.removeValue(forKey: ObjectIdentifier(driver)) != nil { self.connectionCounter.release() }
        for path in driver.paths where self.routes[path] === driver {
            self.routes[path] = nil
            self.announce(path, false)
            self.accepted.removeValue(forKey: path)?.close()
        }
        driver.paths = []
        for ufrag in driver.ufrags { self.drivers[ufrag] = nil }
        driver.ufrags = []
        self.touched.removeAll { $0 === driver }
    }

    // MARK: UDPSocketOwner

    func receive(_ datagrams: DatagramBatch, from remote: TransportAddress, on socket: UDPSocket) {
        self.receive(datagrams, from: remote, to: socket.address, wasForwarded: false)
    }

    func receive(
        _ datagrams: DatagramBatch,
        from remote: TransportAddress,
        to base: TransportAddress,
        wasForwarded: Bool
    ) {
        let bytes = datagrams.bytes.readableBytesSpan
        // A binding request says whose it is; a peer that begins anew from the same address has another ufrag.
        if let ufrag = STUNUsername.localUfrag(ofBindingRequest: bytes) {
            return self.receive(
                bindingRequests: datagrams,
                for: ufrag,
                from: remote,
                to: base,
                wasForwarded: wasForwarded
            )
        }
        let path = Path(remote: remote, base: base)
        if let driver = self.routes[path] ?? self.takeExpecting(bytes) {
            self.deliver(datagrams, to: driver, from: remote, base: base)
        } else if !wasForwarded, let shard = self.foreignRoutes[path] {
            _ = self.forward(shard, datagrams, remote, base)
        } else {
            self.counters.unroutable += 1
        }
    }

    private func receive(
        bindingRequests datagrams: DatagramBatch,
        for ufrag: String,
        from remote: TransportAddress,
        to base: TransportAddress,
        wasForwarded: Bool
    ) {
        if let driver = self.drivers[ufrag] {
            self.deliver(datagrams, to: driver, from: remote, base: base)
        } else if !wasForwarded, let shard = WebRTCEndpoint.shard(ofUfrag: ufrag), shard != self.index,
            self.forward(shard, datagrams, remote, base)
        {
            return
        } else {
            self.counters.unroutable += 1
        }
    }

    /// The connection that waits for the answer with these bytes, which is forgotten: there is one answer.
    private func takeExpecting(_ bytes: RawSpan) -> PeerDriver? {
        guard let transaction = STUNMessage.transactionID(of: bytes) else { return nil }
        return self.expected.removeValue(forKey: transaction).flatMap { self.connections[$0] }
    }

    private func deliver(
        _ datagrams: DatagramBatch,
        to driver: PeerDriver,
        from remote: TransportAddress,
        base: TransportAddress
    ) {
        driver.receive(datagrams, from: remote, to: base)
        self.mark(driver)
    }

    func receiveComplete(on socket: UDPSocket) { self.pumpTouched() }

    /// One of very many peers is concerned, and which is not known: checks of its own tell.
    func sendFailed(_ failure: ICESendFailure, on socket: UDPSocket) {}

    /// Lets every connection that received something since the last time act on it.
    func pumpTouched() {
        self.isPumping = true
        // What one hands on to others touches those.
        while !self.touched.isEmpty {
            let touched = self.touched
            self.touched = []
            for driver in touched {
                driver.isTouched = false
                driver.pumpTouched()
                if self.unflushed >= Self.datagramsPerFlush { self.flushNow() }
            }
        }
        self.isPumping = false
        self.flushNow()
    }

    func touch(_ driver: PeerDriver) -> Bool {
        guard self.isPumping else { return false }
        self.mark(driver)
        return true
    }

    func hold(_ driver: PeerDriver) -> Bool {
        self.held.append(driver)
        guard self.held.count == 1 else { return true }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.scheduleTask(in: Self.holdTime) { bound.value.releaseHeld() }
        return true
    }

    private func releaseHeld() {
        let held = self.held
        self.held = []
        for driver in held { self.mark(driver) }
        self.pumpTouched()
    }

    private func mark(_ driver: PeerDriver) {
        guard !driver.isTouched else { return }
        driver.isTouched = true
        self.touched.append(driver)
    }

    // MARK: The end

    func close() {
        self.isClosed = true
        self.monitor = nil
        self.names.forget()
        for driver in Array(self.connections.values) { driver.close() }
        for connection in self.accepted.values { connection.close() }
        self.accepted = [:]
        self.removeSockets()
    }
}
