import NIOCore

// Namespaces, and what comes for them.

extension SocketIOClientSession {
    // MARK: Packets

    mutating func receive(_ message: WebSocketMessage, _ now: NIODeadline) {
        // What came with the packet that ended the session is not looked at.
        guard !self.hasFailed else { return }
        self.packetBytes += message.size
        switch self.reader.receive(message) {
        case .packet(let packet):
            self.receive(packet, now)
            self.packetBytes = 0
        case .needsMore: break
        case .failure: self.fail(.channel(.protocolViolation(reason: "a packet that is none, or too large")))
        }
    }

    private mutating func receive(_ packet: SocketIOPacket, _ now: NIODeadline) {
        if packet.kind == .connect, packet.data?["sid"] != nil {
            return self.fail(.unsupportedProtocol(reason: "the server gives namespaces as Socket.IO 3 does"))
        }
        if packet.namespace == "/" {
            if packet.kind == .connect { self.hasRoot = true }
            if packet.kind == .disconnect { (self.hasRoot, self.hasLeftRoot) = (false, true) }
            if packet.kind == .error, !self.hasRoot, self.namespaces["/"] == nil {
                self.refuseAll(packet.data)
                return self.closeIfDeserted(now)
            }
        }
        guard let id = self.namespaces[packet.namespace], var socket = self.sockets[id] else {
            self.ignoredPackets += packet.kind == .connect ? 0 : 1
            return
        }
        if packet.kind == .event, socket.consent != nil {
            self.connected(id)
            socket.isConnected = true
        }
        if !socket.isConnected, self.left.contains(socket.namespace), [.event, .disconnect].contains(packet.kind) {
            self.ignoredPackets += 1
            return
        }
        switch packet.kind {
        case .connect: if !socket.isConnected { self.connected(id) }
        case .disconnect: self.remove(id, .disconnected)
        case .error:
            if socket.isConnected {
                self.outputs.append(.socket(id, .error(packet.data ?? .null)))
            } else {
                self.remove(id, .namespaceRefused(packet.data))
            }
        case .event:
            guard let values = packet.data?.array, let name = values.first?.string else { return }
            let event = Incoming(
                name: name,
                arguments: Array(values.dropFirst()),
                acknowledgement: packet.id,
                session: self.number
            )
            if socket.isConnected {
                self.outputs.append(.socket(id, .event(event)))
            } else {
                self.keep(event, for: id)
            }
        case .acknowledgement:
            guard let number = packet.id, let owed = self.owed[number], owed.socket == id, let sent = owed.sent else {
                self.ignoredPackets += 1
                return
            }
            // Packets arrive in their order: what was sent before has arrived, too.
            self.engine?.confirm(sent)
            self.settle(number, .success(packet.data?.array ?? []))
        }
        self.closeIfDeserted(now)
    }

    /// Ends the session for what came by it.
    private mutating func fail(_ error: SocketIOClientError) {
        self.hasFailed = true
        self.engine?.finish(error)
    }

    /// Who is not admitted to `/` gets nothing else, and there may be no other answer.
    private mutating func refuseAll(_ data: SocketIOValue?) {
        for (id, socket) in self.sockets.sorted(by: { $0.key < $1.key }) where !socket.isConnected {
            self.remove(id, .namespaceRefused(data))
        }
    }

    // MARK: Namespaces

    mutating func connected(_ id: SocketID) {
        self.sockets[id]?.isConnected = true
        self.sockets[id]?.wasConnected = true
        self.sockets[id]?.deadline = nil
        self.sockets[id]?.consent = nil
        if self.sockets[id]?.namespace == "/" { self.hasRoot = true }
        self.outputs.append(.socket(id, .connected))
        for event in self.takeEarly(of: id) { self.outputs.append(.socket(id, .event(event))) }
    }

    /// Keeps an event until this side has its namespace.
    private mutating func keep(_ event: Incoming, for id: SocketID) {
        guard let socket = self.sockets[id], socket.early.count < ClientSocket.maximumEarly,
            socket.earlyBytes + self.packetBytes <= self.configuration.maximumQueuedBytes
        else {
            return self.fail(.channel(.protocolViolation(reason: "too much for a namespace that is not given")))
        }
        self.sockets[id]?.early.append(event)
        self.sockets[id]?.earlyBytes += self.packetBytes
    }

    private mutating func takeEarly(of id: SocketID) -> [Incoming] {
        let early = self.sockets[id]?.early ?? []
        self.sockets[id]?.early = []
        self.sockets[id]?.earlyBytes = 0
        return early
    }

    /// A namespace is over; what waits for it is told to its owner.
    mutating func remove(_ id: SocketID, _ error: SocketIOClientError?) {
        guard let socket = self.sockets[id] else { return }
        let unsent = self.removeQueued(of: id) { _ in true }
        self.sockets[id] = nil
        self.namespaces[socket.namespace] = nil
        self.outputs.append(.socket(id, .over(error, unsent: unsent)))
        for (number, owed) in self.owed.sorted(by: { $0.key < $1.key }) where owed.socket == id {
            self.settle(number, .failure(error ?? .closed))
        }
    }

    /// A client without a namespace has nothing to do.
    mutating func closeIfDeserted(_ now: NIODeadline) {
        guard self.sockets.isEmpty else { return }
        switch self.phase {
        case .open: self.beginClosing(now)
        case .opening, .waiting: self.end(nil, unconfirmed: 0)
        case .idle, .closing, .over: break
        }
    }

    mutating func beginClosing(_ now: NIODeadline) {
        self.phase = .closing
        self.engine?.close(now: now)
    }

    // MARK: Losses

    /// The session is lost: what was sent may have arrived or not, what waits is for the next.
    mutating func interrupt(_ error: SocketIOClientError, _ unconfirmed: Int) {
        for (number, owed) in self.owed.sorted(by: { $0.key < $1.key }) where owed.sent != nil {
            self.settle(number, .failure(.interrupted))
        }
        for id in self.sockets.keys.sorted() {
            // Nobody waits for these any more.
            let late = self.removeQueued(of: id) { $0.answers != nil }
            _ = self.takeEarly(of: id)
            self.sockets[id]?.consent = nil
            guard self.sockets[id]?.isConnected == true else { continue }
            self.sockets[id]?.isConnected = false
            self.outputs.append(.socket(id, .interrupted(error, unconfirmed: unconfirmed + late)))
        }
    }

    /// An acknowledgement came, or will not come.
    mutating func settle(_ number: UInt64, _ result: Result<[SocketIOValue], SocketIOClientError>) {
        guard let owed = self.owed.removeValue(forKey: number) else { return }
        self.owedDeadlines.set(nil, for: number)
        // Who does not wait any more does not want it to be sent later.
        if owed.sent == nil { _ = self.removeQueued(of: owed.socket) { $0.asks == number } }
        self.outputs.append(.acknowledged(number, result))
    }
}
