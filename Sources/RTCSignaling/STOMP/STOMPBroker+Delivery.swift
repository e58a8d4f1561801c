import NIOCore

/// How messages get to subscribers, and whether they were taken.
extension STOMPBroker {
    // MARK: Subscriptions

    mutating func subscribe(_ frame: STOMPFrame, _ id: STOMPConnectionID) -> String? {
        guard let connection = self.clients[id], let destination = frame["destination"] else {
            return "no destination"
        }
        // Only 1.0 need not name a subscription; there its destination does.
        guard frame["id"] != nil || connection.version == .v1_0 else { return "no id" }
        let name = frame["id"] ?? destination
        guard connection.subscriptions[name] == nil else { return "the id is in use" }
        guard connection.subscriptions.count < self.configuration.maximumSubscriptions else {
            return "too many subscriptions"
        }
        guard let ackMode = STOMPSubscription.AckMode(rawValue: frame["ack"] ?? "auto") else {
            return "unknown ack mode"
        }
        let key = STOMPSubscriptionKey(connection: id, id: name)
        if destination.hasPrefix("/queue/") {
            guard self.queues[destination] != nil || self.queues.count < self.configuration.maximumQueues else {
                return "too many queues"
            }
            self.queues[destination, default: STOMPQueue()].subscribers.append(key)
            self.changedQueues.insert(destination)
        } else if destination.hasPrefix("/topic/") {
            self.topics[destination, default: []].append(key)
        } else if !destination.hasPrefix("/user/") {
            return "no such destination"
        }
        self.clients[id]?.subscriptions[name] = STOMPSubscription(
            destination: destination,
            ackMode: ackMode,
            hasID: frame["id"] != nil
        )
        return nil
    }

    mutating func unsubscribe(_ frame: STOMPFrame, _ id: STOMPConnectionID) -> String? {
        let isOld = self.clients[id]?.version == .v1_0
        guard let name = frame["id"] ?? (isOld ? frame["destination"] : nil) else { return "no id" }
        guard let subscription = self.clients[id]?.subscriptions.removeValue(forKey: name) else {
            return "no such subscription"
        }
        self.unsubscribed(STOMPSubscriptionKey(connection: id, id: name), subscription)
        return nil
    }

    /// Takes a subscription out of its destination; what it has not acknowledged goes back.
    mutating func unsubscribed(_ key: STOMPSubscriptionKey, _ subscription: STOMPSubscription) {
        let destination = subscription.destination
        self.discharge(subscription.unacknowledged, of: key.connection)
        self.topics[destination]?.removeAll { $0 == key }
        if self.topics[destination]?.isEmpty == true { self.topics[destination] = nil }
        guard self.queues[destination] != nil else { return }
        self.queues[destination]?.subscribers.removeAll { $0 == key }
        self.giveBack(subscription.unacknowledged, to: destination)
    }

    // MARK: Messages

    /// Brings a message to where it belongs.
    ///
    /// - Returns: Why it cannot be; nil if it could.
    mutating func route(_ message: STOMPMessage, _ now: NIODeadline) -> String? {
        var planned: [String: PlannedMessages] = [:]
        if let reason = self.refusal(of: message, planned: &planned) { return reason }
        if message.destination.hasPrefix("/topic/") {
            for key in self.topics[message.destination] ?? [] { self.deliver(message, to: key, now) }
        } else if let (name, destination) = Self.userDestination(message.destination) {
            var message = message
            message.destination = destination
            let connections = self.users[name] ?? self.sessions[name].map { [$0] } ?? []
            if connections.isEmpty { self.droppedMessages += 1 }
            for id in connections.sorted(by: { $0.number < $1.number }) {
                self.deliver(message, toUserDestinationOf: id, now)
            }
        } else {
            self.enqueue(message)
        }
        return nil
    }

    /// Why a message cannot go to its destination after those that are `planned`; nil if it can, and then it is planned, too.
    func refusal(of message: STOMPMessage, planned: inout [String: PlannedMessages]) -> String? {
        if message.destination.hasPrefix("/queue/") { return self.queueRefusal(of: message, planned: &planned) }
        let exists = message.destination.hasPrefix("/topic/") || Self.userDestination(message.destination) != nil
        return exists ? nil : "no such destination"
    }

    /// Whom `/user/NAME/…` names, and what that user subscribes to.
    private static func userDestination(_ destination: String) -> (name: String, destination: String)? {
        guard destination.hasPrefix("/user/") else { return nil }
        let rest = destination.dropFirst("/user/".count)
        guard let slash = rest.firstIndex(of: "/"), slash > rest.startIndex else { return nil }
        return (String(rest[..<slash]), "/user" + String(rest[slash...]))
    }

    mutating func deliver(_ message: STOMPMessage, toUserDestinationOf id: STOMPConnectionID, _ now: NIODeadline) {
        let names = self.clients[id]?.subscriptions.filter { $0.value.destination == message.destination }.keys
            .sorted()
        guard let names, !names.isEmpty else {
            self.droppedMessages += 1
            return
        }
        for name in names { self.deliver(message, to: STOMPSubscriptionKey(connection: id, id: name), now) }
    }

    /// Sends a message to a subscription and notes it where it must be acknowledged.
    private mutating func deliver(_ message: STOMPMessage, to key: STOMPSubscriptionKey, _ now: NIODeadline) {
        guard let connection = self.clients[key.connection], connection.phase == .connected,
            let subscription = connection.subscriptions[key.id]
        else { return }
        self.nextMessage += 1
        let name = "message-\(self.nextMessage)"
        var headers: [STOMPFrame.Header] = [
            .init("destination", message.destination), .init("message-id", name),
        ]
        if subscription.hasID { headers.append(.init("subscription", key.id)) }
        if subscription.ackMode != .auto {
            if connection.version >= .v1_2 { headers.append(.init("ack", name)) }
            guard self.acknowledges(connection, subscription, message) else {
                return self.fail(key.connection, "too many messages are not acknowledged", nil, now)
            }
            let delivery = STOMPSubscription.Delivery(id: name, message: message)
            self.clients[key.connection]?.subscriptions[key.id]?.unacknowledged.append(delivery)
            self.clients[key.connection]?.unacknowledgedBytes += message.size
            self.storedBytes += message.size
        }
        let frame = STOMPFrame("MESSAGE", headers + message.headers, body: message.body)
        self.transmit(frame.encoded(for: connection.version), to: key.connection, now)
    }

    /// Whether a client has acknowledged enough to be given one more message that it has to.
    private func acknowledges(
        _ connection: STOMPConnection,
        _ subscription: STOMPSubscription,
        _ message: STOMPMessage
    ) -> Bool {
        guard subscription.unacknowledged.count < self.configuration.maximumUnacknowledged else { return false }
        let bytes = connection.unacknowledgedBytes
        return bytes == 0 || bytes + message.size <= self.configuration.maximumUnacknowledgedBytes
    }

    // MARK: Queues

    private func queueRefusal(of message: STOMPMessage, planned: inout [String: PlannedMessages]) -> String? {
        let name = message.destination
        let newQueues = planned.keys.count { self.queues[$0] == nil && $0 != name }
        guard self.queues[name] != nil || self.queues.count + newQueues < self.configuration.maximumQueues else {
            return "too many queues"
        }
        let plan = planned[name] ?? PlannedMessages()
        let size = message.size
        guard (self.queues[name]?.waiting.count ?? 0) + plan.count < self.configuration.maximumQueuedMessages,
            (self.queues[name]?.bytes ?? 0) + plan.bytes + size <= self.configuration.maximumQueuedBytes
        else { return "the queue is full" }
        let plannedBytes = planned.values.reduce(0) { $0 + $1.bytes }
        guard self.storedBytes + plannedBytes + size <= self.configuration.maximumStoredBytes else {
            return "the broker is full"
        }
        planned[name] = PlannedMessages(count: plan.count + 1, bytes: plan.bytes + size)
        return nil
    }

    private mutating func enqueue(_ message: STOMPMessage) {
        var message = message
        // Not a piece of what was read from the socket, which would be kept as a whole.
        message.body = ByteBuffer(bytes: message.body.readableBytesView)
        self.queues[message.destination, default: STOMPQueue()].waiting.append(message)
        self.queues[message.destination]?.bytes += message.size
        self.storedBytes += message.size
        self.changedQueues.insert(message.destination)
    }

    /// Messages that were not taken go before all others, in their order, unless they have been given out too often.
    private mutating func giveBack(_ deliveries: [STOMPSubscription.Delivery], to name: String) {
        for delivery in deliveries.reversed() {
            guard delivery.message.deliveries < self.configuration.maximumDeliveries else {
                self.droppedMessages += 1
                continue
            }
            self.queues[name, default: STOMPQueue()].waiting.prepend(delivery.message)
            self.queues[name]?.bytes += delivery.message.size
            self.storedBytes += delivery.message.size
        }
        self.changedQueues.insert(name)
    }

    /// Hands out what a queue has to subscribers that have room, in turn.
    mutating func dispatch(_ name: String, _ now: NIODeadline) {
        while let queue = self.queues[name], let next = queue.waiting.first,
            let index = self.nextSubscriber(of: queue, for: next)
        {
            guard var message = self.queues[name]?.waiting.popFirst() else { return }
            self.queues[name]?.bytes -= message.size
            self.storedBytes -= message.size
            self.queues[name]?.next = index + 1
            message.deliveries += 1
            self.deliver(message, to: queue.subscribers[index], now)
        }
        if let queue = self.queues[name], queue.waiting.isEmpty, queue.subscribers.isEmpty { self.queues[name] = nil }
    }

    /// Whether a client takes what it is sent fast enough to be given more of a queue.
    func reads(_ connection: STOMPConnection) -> Bool {
        connection.unsentBytes <= self.configuration.maximumUnsentBytes / 2
    }

    private func nextSubscriber(of queue: STOMPQueue, for message: STOMPMessage) -> Int? {
        let count = queue.subscribers.count
        return (0..<count).lazy.map { (queue.next + $0) % count }.first { index in
            let key = queue.subscribers[index]
            guard let connection = self.clients[key.connection], connection.phase == .connected,
                self.reads(connection), let subscription = connection.subscriptions[key.id]
            else { return false }
            return subscription.ackMode == .auto || self.acknowledges(connection, subscription, message)
        }
    }

    // MARK: Acknowledgements

    /// Messages need no acknowledgement any more.
    private mutating func discharge(_ deliveries: [STOMPSubscription.Delivery], of id: STOMPConnectionID) {
        let bytes = deliveries.reduce(0) { $0 + $1.message.size }
        self.clients[id]?.unacknowledgedBytes -= bytes
        self.storedBytes -= bytes
    }

    /// What is wrong with an `ACK` or `NACK`; nil for nothing.
    static func acknowledgementRefusal(_ frame: STOMPFrame, _ version: STOMPVersion) -> String? {
        guard frame.command == "ACK" || version > .v1_0 else { return "unknown command" }
        let header = self.acknowledgementHeader(version)
        return frame[header] == nil ? "no " + header : nil
    }

    /// The header that names the message.
    private static func acknowledgementHeader(_ version: STOMPVersion) -> String {
        version >= .v1_2 ? "id" : "message-id"
    }

    /// `ACK` and `NACK`. What is unknown is no error: a subscription may have ended meanwhile.
    mutating func acknowledge(_ frame: STOMPFrame, _ id: STOMPConnectionID) -> String? {
        guard let connection = self.clients[id] else { return nil }
        if let reason = Self.acknowledgementRefusal(frame, connection.version) { return reason }
        let name = frame[Self.acknowledgementHeader(connection.version)]
        guard
            let (key, subscription) = connection.subscriptions.first(where: { _, subscription in
                subscription.unacknowledged.contains { $0.id == name }
            }), let index = subscription.unacknowledged.firstIndex(where: { $0.id == name })
        else { return nil }
        let range = subscription.ackMode == .client ? 0..<(index + 1) : index..<(index + 1)
        self.clients[id]?.subscriptions[key]?.unacknowledged.removeSubrange(range)
        self.discharge(Array(subscription.unacknowledged[range]), of: id)
        guard subscription.destination.hasPrefix("/queue/") else { return nil }
        if frame.command == "NACK" {
            self.giveBack(Array(subscription.unacknowledged[range]), to: subscription.destination)
        } else {
            self.changedQueues.insert(subscription.destination)
        }
        return nil
    }
}
