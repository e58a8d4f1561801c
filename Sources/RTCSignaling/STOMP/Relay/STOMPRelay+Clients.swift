import NIOCore

/// What clients ask for.
extension STOMPRelay {
    /// A client may come in: now its connection to the broker is opened.
    mutating func admitted(_ id: STOMPConnectionID, user: String?, _ frame: STOMPFrame, _ now: NIODeadline) {
        guard let client = self.clients[id], client.phase == .connecting else { return }
        guard self.isAvailable else { return self.fail(id, Self.awayReason, frame, now) }
        self.clients[id]?.phase = .linking
        self.clients[id]?.user = user
        self.clients[id]?.liveness.setUpDeadline = nil
        let link = self.openLink(for: id, version: client.version, now)
        self.clients[id]?.link = link
        self.updateDeadline(of: id)
    }

    static let awayReason = "the broker is not available"

    // MARK: Commands

    /// Does what a frame asks for, mostly by passing it on.
    mutating func perform(_ frame: STOMPFrame, of id: STOMPConnectionID, _ now: NIODeadline) {
        if let reason = self.run(frame, of: id, now) { self.fail(id, reason, frame, now) }
    }

    /// - Returns: What is wrong with it; nil for nothing.
    private mutating func run(_ frame: STOMPFrame, of id: STOMPConnectionID, _ now: NIODeadline) -> String? {
        switch frame.command {
        case "SEND": return self.send(frame, of: id, now)
        case "SUBSCRIBE": return self.subscribe(frame, of: id, now)
        case "UNSUBSCRIBE": return self.unsubscribe(frame, of: id, now)
        case "ACK", "NACK":
            var frame = frame
            if let name = frame["subscription"], let subscription = self.clients[id]?.subscriptions[name] {
                frame.set("subscription", subscription.brokerIDs[0])
            }
            self.pass(frame, of: id, now)
        case "BEGIN", "COMMIT", "ABORT": self.pass(frame, of: id, now)
        case "DISCONNECT":
            self.pass(frame, of: id, now)
            guard frame["receipt"] != nil else {
                self.end(id)
                return nil
            }
            guard self.clients[id] != nil else { return nil }
            self.clients[id]?.phase = .leaving
            self.clients[id]?.liveness.setUpDeadline = now + self.configuration.connectTimeout
            self.updateDeadline(of: id)
        default: return "unknown command"
        }
        return nil
    }

    private mutating func send(_ frame: STOMPFrame, of id: STOMPConnectionID, _ now: NIODeadline) -> String? {
        guard let destination = frame["destination"] else { return "no destination" }
        switch self.destinations.sending(to: destination) {
        case nil: return "no such destination"
        case .application:
            // Transactions are the broker's, which knows nothing of this message.
            guard frame["transaction"] == nil else { return "no transactions for this destination" }
            let own: Set = ["destination", "receipt", "content-length"]
            let sent = STOMPBroker.Sent(
                connection: id,
                user: self.clients[id]?.user,
                destination: destination,
                headers: frame.headers.filter { !own.contains($0.name) },
                body: frame.body,
                receipt: frame["receipt"]
            )
            self.outputs.append(.sent(sent))
        case .broker(let name): self.pass(self.addressed(frame, to: name), of: id, now)
        case .user(let names): for name in names { self.pass(self.addressed(frame, to: name), of: id, now) }
        }
        return nil
    }

    /// The frame as it goes to a destination of the broker's.
    func addressed(_ frame: STOMPFrame, to destination: String) -> STOMPFrame {
        var frame = frame
        frame.set("destination", destination)
        if self.relay.marksPersistent, destination.hasPrefix("/queue/"), frame["persistent"] == nil {
            frame.headers.append(.init("persistent", "true"))
        }
        return frame
    }

    private mutating func subscribe(_ frame: STOMPFrame, of id: STOMPConnectionID, _ now: NIODeadline) -> String? {
        guard let client = self.clients[id], let destination = frame["destination"] else { return "no destination" }
        guard frame["id"] != nil || client.version == .v1_0 else { return "no id" }
        let name = frame["id"] ?? destination
        guard client.subscriptions[name] == nil else { return "the id is in use" }
        guard client.subscriptions.count < self.configuration.maximumSubscriptions else {
            return "too many subscriptions"
        }
        let target = self.destinations.subscribing(to: destination, user: client.user, session: client.session)
        let places: [String]
        var isUser = false
        switch target {
        case nil, .application?: return "no such destination"
        case .broker(let place)?: places = [place]
        case .user(let names)?:
            places = names
            isUser = true
        }
        let brokerIDs = places.indices.map { "\($0)-" + name }
        self.clients[id]?.subscriptions[name] = STOMPRelaySubscription(
            destination: destination,
            hasID: frame["id"] != nil,
            brokerIDs: brokerIDs,
            isUser: isUser
        )
        for (index, place) in places.enumerated() {
            var part = frame
            part.set("destination", place)
            part.set("id", brokerIDs[index])
            // All of them are there when the last is.
            if index < places.count - 1 { part.headers.removeAll { $0.name == "receipt" } }
            self.pass(part, of: id, now)
        }
        return nil
    }

    private mutating func unsubscribe(_ frame: STOMPFrame, of id: STOMPConnectionID, _ now: NIODeadline) -> String? {
        let isOld = self.clients[id]?.version == .v1_0
        guard let name = frame["id"] ?? (isOld ? frame["destination"] : nil) else { return "no id" }
        guard let subscription = self.clients[id]?.subscriptions.removeValue(forKey: name) else {
            return "no such subscription"
        }
        for (index, brokerID) in subscription.brokerIDs.enumerated() {
            var part = frame
            part.headers.removeAll { $0.name == "destination" }
            part.set("id", brokerID)
            if index < subscription.brokerIDs.count - 1 { part.headers.removeAll { $0.name == "receipt" } }
            self.pass(part, of: id, now)
        }
        return nil
    }

    /// Sends a frame of a client to the broker.
    private mutating func pass(_ frame: STOMPFrame, of id: STOMPConnectionID, _ now: NIODeadline) {
        guard let link = self.clients[id]?.link else { return }
        let frame = STOMPRelayHeaders(passed: self.relay.passedHeaders).filtered(frame)
        if !self.transmit(frame, toBroker: link, now) { self.fail(id, "the broker is too slow", nil, now) }
    }

    // MARK: What clients are told

    mutating func transmit(_ bytes: ByteBuffer, to id: STOMPConnectionID, _ now: NIODeadline) {
        if self.write(bytes, to: id, now) { self.settleReading(of: id, now) }
    }

    /// Has the broker wait from half of what may wait for a client on, and go on below a quarter.
    mutating func settleReading(of id: STOMPConnectionID, _ now: NIODeadline) {
        guard let client = self.clients[id], let name = client.link, let link = self.links[name] else { return }
        let limit = self.configuration.maximumUnsentBytes
        let reads = link.liveness.isReading ? client.unsentBytes < limit / 2 : client.unsentBytes <= limit / 4
        guard reads != link.liveness.isReading else { return }
        self.links[name]?.liveness.setReading(reads, now: now)
        self.outputs.append(.setReading(name, reads))
        // What had come already was left.
        if reads { self.process(name, now) }
    }

    /// Ends a client's connection and the one to the broker: what it has not acknowledged goes back there.
    mutating func end(_ id: STOMPConnectionID) {
        guard let client = self.clients.removeValue(forKey: id) else { return }
        self.clientDeadlines.set(nil, for: id)
        self.outputs.append(.close(id))
        if let link = client.link { self.closeLink(link) }
    }
}
