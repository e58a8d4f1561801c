public import NIOCore
public import RTCBase
internal import RTCSTUN

/// A TCP connection between a relay and a peer (RFC 6062 section 5.2).
struct PeerConnection {
    enum State {
        /// The Connect request waits for it.
        case connecting(TURNRequest)
        /// Open, and nobody has bound it yet.
        case waiting
        /// Joined to a client's data connection.
        case joined(TURNFiveTuple)
    }

    let allocation: TURNAllocation
    let peer: TransportAddress
    var state: State
    var expiresAt: NIODeadline
}

/// A client's TCP or TLS connection.
struct ClientConnection {
    /// Since when it has had no allocation.
    var idleSince: NIODeadline
    /// The peer's connection that it is joined to.
    var joined: UInt32?
    /// How often it asked in vain to be joined to one.
    var failedBinds = 0
}

extension TURNServerCore {
    // MARK: Connections of clients

    /// A client connected over TCP or TLS.
    public func clientConnected(_ client: TURNFiveTuple, now: NIODeadline) {
        self.clients[client] = ClientConnection(idleSince: now)
        self.wheel.insert(.client(client), at: now + self.configuration.idleConnectionTimeout)
    }

    /// A client's connection is closed: its allocation ends (RFC 8656 section 7.2). A peer's connection that it was joined to
    /// is forgotten, and closed by the owner when everything has arrived there.
    public func clientDisconnected(_ client: TURNFiveTuple, now: NIODeadline) {
        let connection = self.clients.removeValue(forKey: client)
        if let allocation = self.allocations[client] { self.end(allocation, .disconnected, now: now) }
        if let id = connection?.joined { self.remove(connection: id, isClosed: true, now: now) }
    }

    // MARK: Connections to peers

    /// Handles a Connect request (RFC 6062 section 5.2).
    func connect(
        _ allocation: TURNAllocation,
        _ request: TURNRequest,
        _ attributes: TURNAttributes,
        now: NIODeadline
    ) {
        guard let peer = attributes.peerAddress, attributes.furtherPeerAddresses.isEmpty else {
            return self.refuse(request, .badRequest)
        }
        guard allocation.transport == .tcp else { return self.refuse(request, .allocationMismatch) }
        if let code = self.objection(to: peer, of: allocation) ?? self.objection(toPortOf: peer) {
            return self.refuse(request, code)
        }
        guard !allocation.connections.contains(where: { self.connections[$0]?.peer == peer }) else {
            return self.refuse(request, .connectionAlreadyExists)
        }
        guard let relay = allocation.relay(peer.family),
            let id = self.open(allocation, peer, .connecting(request), now: now)
        else { return self.refuse(request, .insufficientCapacity) }
        self.outputs.append(.connectPeer(connection: id, relay: relay.id, peer: peer))
    }

    /// A peer's connection that ``TURNServerOutput/connectPeer(connection:relay:peer:)`` asked for is open.
    public func peerConnected(_ id: UInt32, now: NIODeadline) {
        guard let connection = self.connections[id], case .connecting(let request) = connection.state else {
            return self.outputs.append(.closePeerConnection(id))
        }
        self.connections[id]?.state = .waiting
        self.connections[id]?.expiresAt = now + Self.bindTimeout
        self.wheel.insert(.connection(id), at: now + Self.bindTimeout)
        self.grant(request) { $0.append(.connectionID, integer: id) }
    }

    /// A peer's connection could not be opened.
    public func peerConnectionFailed(_ id: UInt32, now: NIODeadline) {
        guard let connection = self.connections[id], case .connecting(let request) = connection.state else { return }
        self.remove(connection: id, isClosed: true, now: now)
        self.refuse(request, .connectionTimeoutOrFailure)
    }

    /// A peer connected to a relay (RFC 6062 section 5.3).
    ///
    /// - Returns: The connection's ID; `nil` if it is to be closed at once, because nobody permitted the peer.
    public func peerAccepted(on relay: TURNRelayID, from peer: TransportAddress, now: NIODeadline) -> UInt32? {
        guard let allocation = self.allocation(of: relay), allocation.isAnswered, allocation.transport == .tcp,
            allocation.peers.permission(for: peer, now: now) != nil,
            let id = self.open(allocation, peer, .waiting, now: now)
        else {
            self.counters.unpermitted += 1
            return nil
        }
        var builder = STUNMessageBuilder(.indication, .connectionAttempt, .random(using: &self.random))
        builder.append(.xorPeerAddress, address: peer)
        builder.append(.connectionID, integer: id)
        self.outputs.append(.send(builder.finish(), to: allocation.client, from: allocation.client.server))
        return id
    }

    /// A peer's connection is closed; a client's that it was joined to is closed by the owner when everything has arrived
    /// there. If it closed before ``peerConnected(_:now:)``, the Connect request has failed.
    public func peerDisconnected(_ id: UInt32, now: NIODeadline) {
        if case .connecting = self.connections[id]?.state { return self.peerConnectionFailed(id, now: now) }
        self.remove(connection: id, isClosed: true, now: now)
    }

    /// Handles a ConnectionBind request (RFC 6062 section 5.4).
    func bindConnection(_ request: TURNRequest, _ attributes: TURNAttributes, _ user: TURNUser, now: NIODeadline) {
        guard request.client.transport.isStream, self.allocations[request.client] == nil,
            self.clients[request.client]?.joined == nil, let id = attributes.connectionID,
            let connection = self.connections[id], case .waiting = connection.state
        else { return self.refuseToBind(request, .badRequest) }
        let owner = connection.allocation.user
        guard owner.name == user.name, owner.account == user.account else {
            return self.refuseToBind(request, .wrongCredentials)
        }
        self.connections[id]?.state = .joined(request.client)
        self.clients[request.client]?.joined = id
        self.grant(request)
        self.outputs.append(.joinConnections(client: request.client, connection: id))
    }

    /// Refuses to bind a connection, and closes the client's when it has tried too many: somebody else's ID could be found.
    private func refuseToBind(_ request: TURNRequest, _ code: TURNErrorCode) {
        self.refuse(request, code)
        guard let failures = self.clients[request.client]?.failedBinds else { return }
        self.clients[request.client]?.failedBinds = failures + 1
        if failures + 1 == Self.failedBindLimit { self.outputs.append(.closeClient(request.client)) }
    }

    private static let failedBindLimit = 8

    private func open(
        _ allocation: TURNAllocation,
        _ peer: TransportAddress,
        _ state: PeerConnection.State,
        now: NIODeadline
    ) -> UInt32? {
        guard allocation.connections.count < self.configuration.connectionsPerAllocation else { return nil }
        var id: UInt32
        repeat {
            id = UInt32(self.configuration.index) << 24 | UInt32(truncatingIfNeeded: self.random.next()) & 0xFF_FFFF
        } while self.connections[id] != nil
        let deadline = now + Self.bindTimeout
        self.connections[id] = PeerConnection(allocation: allocation, peer: peer, state: state, expiresAt: deadline)
        allocation.connections.append(id)
        self.wheel.insert(.connection(id), at: deadline)
        return id
    }

    /// How long a connection may take to open, and then to be bound (RFC 6062 sections 5.2 and 5.3).
    private static let bindTimeout = TimeAmount.seconds(30)

    /// What is due when a connection's time has come.
    func handleTimeout(connection id: UInt32, now: NIODeadline) {
        guard let connection = self.connections[id] else { return }
        switch connection.state {
        case .joined: return
        case _ where connection.expiresAt > now: self.wheel.insert(.connection(id), at: connection.expiresAt)
        case .waiting: self.remove(connection: id, now: now)
        case .connecting(let request):
            self.remove(connection: id, now: now)
            self.refuse(request, .connectionTimeoutOrFailure)
        }
    }

    /// Forgets a connection, and has it closed.
    private func remove(connection id: UInt32, isClosed: Bool = false, now: NIODeadline) {
        guard let allocation = self.connections[id]?.allocation else { return }
        allocation.connections.removeAll { $0 == id }
        self.drop(connection: id, isClosed: isClosed, now: now)
    }

    /// Forgets a connection whose allocation forgets it too.
    func drop(connection id: UInt32, isClosed: Bool = false, now: NIODeadline) {
        guard let connection = self.connections.removeValue(forKey: id) else { return }
        if case .joined(let client) = connection.state {
            self.clients[client]?.joined = nil
            // The client may still be reading what the peer sent last.
            self.clients[client]?.idleSince = now
        }
        if !isClosed { self.outputs.append(.closePeerConnection(id)) }
    }
}
