package import NIOCore

// What the owner does.

extension SocketIOClientSession {
    /// Wants to have a namespace, once at a time; opens a session if there was none.
    ///
    /// - Returns: What ``Output/socket(_:_:)`` will name.
    package mutating func openSocket(
        _ namespace: String,
        query: String,
        now: NIODeadline
    ) throws(SocketIOClientError) -> SocketID {
        guard self.phase != .over, self.phase != .closing else { throw .closed }
        guard namespace.hasPrefix("/"), !namespace.utf8.contains(where: { ",?".utf8.contains($0) }),
            !query.utf8.contains(UInt8(ascii: ","))
        else { throw .invalidArgument(reason: "no namespace or query that can be: \(namespace)") }
        guard namespace.utf8.count + query.utf8.count < self.configuration.packetLimits.maximumNamespaceLength else {
            throw .invalidArgument(reason: "a namespace or query that is too long")
        }
        guard self.namespaces[namespace] == nil else {
            throw .invalidArgument(reason: "the namespace \(namespace) is open already")
        }
        self.nextSocket += 1
        let id = SocketID(number: self.nextSocket)
        var socket = ClientSocket(namespace: namespace, query: query)
        socket.deadline = now + self.configuration.openTimeout
        self.sockets[id] = socket
        self.namespaces[namespace] = id
        switch self.phase {
        case .idle: self.open(now)
        case .open:
            self.ask(for: socket, id, now)
            // The server gave it when the session began.
            if namespace == "/", self.hasRoot { self.connected(id) }
        case .opening, .waiting, .closing, .over: break
        }
        self.process(now)
        return id
    }

    /// Sends an event; without a session it waits for the next.
    ///
    /// - Parameter deadline: Until when it must be acknowledged; nil if it need not.
    /// - Returns: The number that ``Output/acknowledged(_:_:)`` will have; nil if no acknowledgement was asked for.
    @discardableResult
    package mutating func emit(
        _ name: String,
        _ arguments: [SocketIOValue],
        to id: SocketID,
        acknowledgedBy deadline: NIODeadline? = nil,
        now: NIODeadline
    ) throws(SocketIOClientError) -> UInt64? {
        guard let socket = self.sockets[id] else { throw .closed }
        guard deadline == nil || self.owed.count < self.configuration.maximumAcknowledgements else {
            throw .tooManyAcknowledgements
        }
        var packet = SocketIOPacket(
            .event,
            namespace: socket.namespace,
            data: .array([.string(name)] + arguments)
        )
        if deadline != nil { packet.id = self.nextAcknowledgement }
        try self.enqueue(packet, to: id)
        if let deadline {
            self.owed[self.nextAcknowledgement] = OwedAcknowledgement(socket: id)
            self.owedDeadlines.set(deadline, for: self.nextAcknowledgement)
            self.nextAcknowledgement += 1
        }
        self.process(now)
        return packet.id
    }

    /// Acknowledges an event, in the session that it came by.
    package mutating func acknowledge(
        _ event: Incoming,
        _ arguments: [SocketIOValue],
        to id: SocketID,
        now: NIODeadline
    ) throws(SocketIOClientError) {
        guard let number = event.acknowledgement else { return }
        guard let socket = self.sockets[id] else { throw .closed }
        guard event.session == self.number, self.phase == .open else { throw .interrupted }
        let packet = SocketIOPacket(
            .acknowledgement,
            namespace: socket.namespace,
            id: number,
            data: .array(arguments)
        )
        try self.enqueue(packet, to: id, answers: self.number)
        self.process(now)
    }

    /// Does not wait for an acknowledgement any more; an event that was not sent yet will not be.
    package mutating func forget(_ acknowledgement: UInt64, now: NIODeadline) {
        self.settle(acknowledgement, .failure(.cancelled))
        self.process(now)
    }

    /// Leaves a namespace after what was sent; does nothing if it is over.
    package mutating func disconnect(_ id: SocketID, now: NIODeadline) {
        self.leave(id, nil, now)
        self.process(now)
    }

    /// Ends everything after what was sent, for which there must be a session.
    package mutating func close(now: NIODeadline) {
        switch self.phase {
        case .closing, .over: return
        case .idle, .opening, .waiting: self.end(nil, unconfirmed: 0)
        case .open:
            for id in self.sockets.keys.sorted() { self.sendRest(of: id) }
            self.unsent = self.queuedEvents
            self.beginClosing(now)
            for id in self.sockets.keys.sorted() { self.remove(id, nil) }
        }
        self.process(now)
    }

    // MARK: What waits

    private mutating func enqueue(
        _ packet: SocketIOPacket,
        to id: SocketID,
        answers: Int? = nil
    ) throws(SocketIOClientError) {
        let messages = packet.messages
        let size = messages.reduce(0) { $0 + $1.size }
        guard size <= self.configuration.maximumQueuedBytes else {
            throw .messageTooLarge(limit: self.configuration.maximumQueuedBytes)
        }
        guard self.queuedEvents < self.configuration.maximumQueuedEvents,
            self.queuedBytes + size <= self.configuration.maximumQueuedBytes
        else { throw .queueFull }
        let asks = packet.kind == .event ? packet.id : nil
        self.nextOrder += 1
        self.queuedEvents += 1
        self.queuedBytes += size
        let queued = ClientSocket.Queued(
            messages: messages,
            size: size,
            order: self.nextOrder,
            asks: asks,
            answers: answers
        )
        self.sockets[id]?.queue.append(queued)
    }

    /// Hands the session what it takes, in the order in which it came.
    mutating func feed() {
        while self.queuedEvents > 0, self.engine?.canSend == true {
            let ready = self.sockets.filter { $0.value.isConnected && !$0.value.queue.isEmpty }
            guard
                let next = ready.min(by: { ($0.value.queue.first?.order ?? 0) < ($1.value.queue.first?.order ?? 0) })
            else { return }
            self.sendFirst(of: next.key)
        }
    }

    private mutating func sendFirst(of id: SocketID) {
        guard let queued = self.sockets[id]?.queue.popFirst() else { return }
        self.queuedEvents -= 1
        self.queuedBytes -= queued.size
        self.engine?.send(queued.messages)
        if let asks = queued.asks { self.owed[asks]?.sent = self.engine?.sent }
    }

    /// Sends what waits for a namespace, and that this side leaves it.
    private mutating func sendRest(of id: SocketID) {
        guard let socket = self.sockets[id], self.phase == .open, socket.isConnected else { return }
        while self.sockets[id]?.queue.isEmpty == false { self.sendFirst(of: id) }
        self.engine?.verify()
        self.engine?.send(SocketIOPacket(.disconnect, namespace: socket.namespace).messages, isCounted: false)
    }

    /// This side gives a namespace up.
    mutating func leave(_ id: SocketID, _ error: SocketIOClientError?, _ now: NIODeadline) {
        guard let socket = self.sockets[id] else { return }
        if socket.isConnected {
            self.sendRest(of: id)
        } else if self.phase == .open, socket.namespace != "/" || self.hasLeftRoot {
            self.engine?.send(SocketIOPacket(.disconnect, namespace: socket.namespace).messages, isCounted: false)
        }
        if socket.namespace == "/" { (self.hasRoot, self.hasLeftRoot) = (false, true) }
        if self.phase == .open { self.left.insert(socket.namespace) }
        self.remove(id, error)
        self.closeIfDeserted(now)
    }

    /// Takes what waits and answers to nothing any more out of a queue.
    mutating func removeQueued(of id: SocketID, where isUseless: (ClientSocket.Queued) -> Bool) -> Int {
        guard let queue = self.sockets[id]?.queue else { return 0 }
        let kept = queue.filter { !isUseless($0) }
        guard kept.count < queue.count else { return 0 }
        self.queuedEvents -= queue.count - kept.count
        self.queuedBytes -= queue.reduce(0) { $0 + $1.size } - kept.reduce(0) { $0 + $1.size }
        self.sockets[id]?.queue = CircularBuffer(kept)
        return queue.count - kept.count
    }
}
