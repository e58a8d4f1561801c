import NIOCore
import NIOPosix
import RTCBase
import RTCCore
import RTCICE

/// The sockets of one connection to its STUN and TURN servers: one for each conversation, because a server tells allocations
/// by their sockets. Confined to its event loop.
final class ServerFlows {
    private let eventLoop: any EventLoop
    private let policy: RTCAddressPolicy
    weak var driver: PeerDriver?
    private var flows: [ServerFlowID: any ServerFlow] = [:]
    /// Flows that something was written to since the last flush.
    private var unflushed: [ServerFlowID] = []

    init(eventLoop: any EventLoop, policy: RTCAddressPolicy) {
        self.eventLoop = eventLoop
        self.policy = policy
    }

    /// Opens a socket; the driver's session hears how that went.
    func open(_ id: ServerFlowID, _ target: ServerFlowTarget, trust: RTCIceServerTrust) {
        let flow: any ServerFlow
        let local = self.policy.flowAddress(towards: target.address)
        switch target.transport {
        case .udp:
            flow = DatagramFlow(id: id, server: target.address, flows: self)
        case .tcp:
            flow = StreamFlow(id: id, target: target, trust: nil, flows: self)
        case .tls:
            flow = StreamFlow(id: id, target: target, trust: trust, flows: self)
        }
        self.flows[id] = flow
        flow.open(from: local, on: self.eventLoop)
    }

    func write(_ batch: DatagramBatch, to id: ServerFlowID) {
        guard let flow = self.flows[id] else { return }
        flow.write(batch)
        if self.unflushed.last != id { self.unflushed.append(id) }
    }

    func flush() {
        guard !self.unflushed.isEmpty else { return }
        let unflushed = self.unflushed
        self.unflushed.removeAll(keepingCapacity: true)
        for id in unflushed { self.flows[id]?.flush() }
    }

    /// Sends what was written and closes the socket.
    func close(_ id: ServerFlowID) { self.flows.removeValue(forKey: id)?.close() }

    func closeAll() {
        for flow in self.flows.values { flow.close() }
        self.flows = [:]
    }

    // MARK: What the flows report

    func opened(_ id: ServerFlowID, local: TransportAddress?) {
        guard self.flows[id] != nil, let driver = self.driver else { return }
        driver.session.flowOpened(id, local: local, now: .now())
        driver.pump()
    }

    func closed(_ id: ServerFlowID, _ reason: String) {
        guard self.flows.removeValue(forKey: id) != nil, let driver = self.driver else { return }
        driver.session.flowClosed(id, reason: reason, now: .now())
        driver.pump()
    }

    /// What was sent over a flow was refused, which may be said in the middle of sending.
    func refused(_ id: ServerFlowID, _ reason: String) {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.execute {
            guard bound.value.flows[id] != nil, let driver = bound.value.driver else { return }
            driver.session.flowRefused(id, reason: reason, now: .now())
            driver.pump()
        }
    }

    func receive(_ batch: DatagramBatch, on id: ServerFlowID) {
        self.driver?.receive(batch, over: id)
    }

    func receiveComplete() { self.driver?.pump() }
}

/// One socket to one server.
protocol ServerFlow: AnyObject {
    func open(from local: TransportAddress, on eventLoop: any EventLoop)
    func write(_ batch: DatagramBatch)
    func flush()
    func close()
}

/// A UDP socket for one server.
private final class DatagramFlow: ServerFlow, UDPSocketOwner {
    private let id: ServerFlowID
    private let server: TransportAddress
    private let destination: SocketAddress
    private unowned let flows: ServerFlows
    private var socket: UDPSocket?
    private var isClosed = false

    init(id: ServerFlowID, server: TransportAddress, flows: ServerFlows) {
        self.id = id
        self.server = server
        self.destination = server.socketAddress
        self.flows = flows
    }

    func open(from local: TransportAddress, on eventLoop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        UDPSocket.bind(to: local, on: eventLoop, use: .onePeer, remote: self.server, owner: self)
            .whenComplete { bound.value.opened($0.map(\.value)) }
    }

    private func opened(_ result: Result<UDPSocket, any Error>) {
        switch result {
        case .success(let socket) where self.isClosed:
            socket.close()
        case .success(let socket):
            self.socket = socket
            self.flows.opened(self.id, local: socket.address)
        case .failure(let error):
            guard !self.isClosed else { return }
            self.flows.closed(self.id, "No UDP socket could be bound: \(error)")
        }
    }

    func write(_ batch: DatagramBatch) { self.socket?.write(batch, to: self.destination) }

    func flush() { self.socket?.flush() }

    func close() {
        self.isClosed = true
        self.socket?.close()
        self.socket = nil
    }

    func receive(_ datagrams: DatagramBatch, from remote: TransportAddress, on socket: UDPSocket) {
        guard !self.isClosed, remote == self.server else { return }
        self.flows.receive(datagrams, on: self.id)
    }

    func receiveComplete(on socket: UDPSocket) {
        guard !self.isClosed else { return }
        self.flows.receiveComplete()
    }

    func sendFailed(_ failure: ICESendFailure, on socket: UDPSocket) {
        guard !self.isClosed else { return }
        switch failure {
        case .refused: self.flows.refused(self.id, "Nobody listens at the server's port.")
        case .unreachable, .other: self.flows.refused(self.id, "The system has no way to the server.")
        case .tooLarge: break
        }
    }
}
