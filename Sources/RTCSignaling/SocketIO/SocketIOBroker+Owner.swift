public import NIOCore

// What the owner does.

extension SocketIOBroker {
    /// Answers ``Output/ask(_:)``; does nothing if the client is gone.
    ///
    /// - Parameter refusal: What the client is told if it does not get the namespace; nil if it does.
    public mutating func answer(_ question: SocketIOQuestion, refusal: SocketIOValue? = nil, now: NIODeadline) {
        guard self.sockets[question.id]?.isConnected == false else { return }
        if let refusal {
            self.remove(question.id, .server)
            let packet = SocketIOPacket(.error, namespace: question.id.namespace, data: refusal)
            self.send(packet, to: question.id.session, now)
        } else {
            self.connected(question, now)
        }
        self.process(now)
    }

    /// Sends an event to one client; does nothing if it is gone.
    ///
    /// - Parameter deadline: Until when the client must acknowledge it; nil if it need not.
    /// - Returns: The number that ``Output/acknowledged(_:_:_:)`` or ``Output/unacknowledged(_:_:)`` will have; nil if no
    ///   acknowledgement was asked for, if the client is gone, or if it owes too many.
    @discardableResult
    public mutating func emit(
        _ name: String,
        _ arguments: [SocketIOValue],
        to id: SocketIOSocketID,
        acknowledgedBy deadline: NIODeadline? = nil,
        now: NIODeadline
    ) -> UInt64? {
        defer { self.process(now) }
        guard let socket = self.sockets[id], socket.isConnected else { return nil }
        var packet = SocketIOPacket(.event, namespace: id.namespace, data: .array([.string(name)] + arguments))
        if let deadline {
            guard socket.owed.count < self.configuration.maximumAcknowledgements else { return nil }
            packet.id = self.nextAcknowledgement
            self.sockets[id]?.owed.insert(self.nextAcknowledgement)
            let owed = OwedKey(socket: id, number: self.nextAcknowledgement)
            self.owedDeadlines.set(deadline, for: owed)
            self.nextAcknowledgement += 1
        }
        self.send(packet, to: id.session, now)
        return packet.id
    }

    /// Sends an event to many.
    public mutating func emit(
        _ name: String,
        _ arguments: [SocketIOValue],
        to audience: SocketIOAudience,
        now: NIODeadline
    ) {
        var sockets: Set<SocketIOSocketID> = []
        if audience.rooms.isEmpty {
            sockets = self.members[audience.namespace] ?? []
        } else {
            for room in audience.rooms {
                sockets.formUnion(self.rooms[RoomKey(namespace: audience.namespace, name: room)] ?? [])
            }
        }
        if let excluded = audience.excluded { sockets.remove(excluded) }
        let data = SocketIOValue.array([.string(name)] + arguments)
        let messages = SocketIOPacket(.event, namespace: audience.namespace, data: data).messages
        // A text and its attachments stay together, as everything is sent at once.
        let sessions = sockets.map(\.session)
        for message in messages { self.engine.send(message, to: sessions, now: now) }
        self.process(now)
    }

    /// Acknowledges an event; does nothing if the client is gone.
    ///
    /// - Parameter number: The event's ``SocketIOEvent/acknowledgementID``.
    public mutating func acknowledge(
        _ number: UInt64,
        _ arguments: [SocketIOValue],
        to id: SocketIOSocketID,
        now: NIODeadline
    ) {
        guard self.sockets[id]?.isConnected == true else { return }
        let packet = SocketIOPacket(
            .acknowledgement,
            namespace: id.namespace,
            id: number,
            data: .array(arguments)
        )
        self.send(packet, to: id.session, now)
        self.process(now)
    }

    /// Makes a socket a member of a room.
    ///
    /// - Returns: Whether it is one now: not if it is gone, or in as many rooms as allowed.
    @discardableResult
    public mutating func join(_ room: String, _ id: SocketIOSocketID) -> Bool {
        guard let socket = self.sockets[id], socket.isConnected else { return false }
        guard !socket.rooms.contains(room) else { return true }
        guard socket.rooms.count < self.configuration.maximumRooms else { return false }
        self.sockets[id]?.rooms.insert(room)
        self.rooms[RoomKey(namespace: id.namespace, name: room), default: []].insert(id)
        return true
    }

    /// Takes a socket out of a room; does nothing if it is in none of that name.
    public mutating func leave(_ room: String, _ id: SocketIOSocketID) {
        guard self.sockets[id]?.rooms.remove(room) != nil else { return }
        self.removeMember(id, of: room)
    }

    /// The rooms of a socket.
    public func rooms(of id: SocketIOSocketID) -> Set<String> { self.sockets[id]?.rooms ?? [] }

    /// Takes a namespace away from a client; does nothing if it has left.
    ///
    /// - Parameter closesSession: Whether the client's connection is closed, too, with all its namespaces.
    public mutating func disconnect(_ id: SocketIOSocketID, closesSession: Bool = false, now: NIODeadline) {
        guard self.sockets[id] != nil else { return }
        self.remove(id, .server)
        self.send(SocketIOPacket(.disconnect, namespace: id.namespace), to: id.session, now)
        if closesSession { self.engine.close(id.session, now: now) }
        self.process(now)
    }

    /// Closes all sessions.
    public mutating func closeAll(now: NIODeadline) {
        for id in self.clients.keys { self.engine.close(id, now: now) }
        self.process(now)
    }
}
