import NIOCore

/// What clients ask for.
extension STOMPRelay {
    /// Takes the frames of a client that are there, as long as none has to wait.
    mutating func process(_ id: STOMPConnectionID, _ now: NIODeadline) {
        while let client = self.clients[id], client.phase != .ending, client.phase != .leaving {
            guard client.waiting == nil, client.phase != .linking else {
                let limit = 2 * (self.configuration.maximumBodySize + self.configuration.maximumHeadSize)
                if client.reader.pendingBytes > limit { self.fail(id, "too much at once", nil, now) }
                return
            }
            switch self.clients[id]?.reader.next() ?? .needsMore {
            case .needsMore: return
            case .failure(let reason): self.fail(id, reason, nil, now)
            case .frame(let frame): self.received(frame, from: id, client, now)
            }
        }
    }

    private mutating func received(
        _ frame: STOMPFrame,
        from id: STOMPConnectionID,
        _ client: STOMPRelayClient,
        _ now: NIODeadline
    ) {
        let isConnect = frame.command == "CONNECT" || frame.command == "STOMP"
        guard isConnect == (client.phase == .connecting) else {
            return self.fail(id, isConnect ? "connected already" : "not connected", frame, now)
        }
        var kind: STOMPQuestion.Kind?
        if isConnect {
            guard self.negotiate(frame, id, now) else { return }
            kind = .connect(login: frame["login"], passcode: frame["passcode"], host: frame["host"])
        } else if frame.command == "SEND" || frame.command == "SUBSCRIBE" {
            guard let destination = frame["destination"], destination.utf8.count <= 1024 else {
                return self.fail(id, "no destination", frame, now)
            }
            kind = frame.command == "SEND" ? .send(destination: destination) : .subscribe(destination: destination)
        }
        guard self.configuration.asks, let kind else {
            return isConnect ? self.admitted(id, user: nil, frame, now) : self.perform(frame, of: id, now)
        }
        self.clients[id]?.waiting = frame
        self.outputs.append(.ask(STOMPQuestion(connection: id, user: client.user, kind: kind)))
    }

    private mutating func negotiate(_ frame: STOMPFrame, _ id: STOMPConnectionID, _ now: NIODeadline) -> Bool {
        switch STOMPNegotiation.of(frame, heartbeatInterval: self.configuration.heartbeatInterval) {
        case .failure(let failure):
            self.fail(id, failure.reason, frame, now)
            return false
        case .success(let agreed):
            self.clients[id]?.version = agreed.version
            self.clients[id]?.reader.version = agreed.version
            self.clients[id]?.sendInterval = agreed.sendInterval
            self.clients[id]?.receiveTimeout = agreed.receiveTimeout
            return true
        }
    }

    /// A client may come in: now its connection to the broker is opened.
    mutating func admitted(_ id: STOMPConnectionID, user: String?, _ frame: STOMPFrame, _ now: NIODeadline) {
        guard let client = self.clients[id], client.phase == .connecting else { return }
        guard self.isAvailable else { return self.fail(id, Self.awayReason, frame, now) }
        self.clients[id]?.phase = .linking
        self.clients[id]?.user = user
        self.clients[id]?.connectDeadline = nil
        let link = self.openLink(for: id, version: client.version, now)
        self.clients[id]?.link = link
        self.clientDeadlines.set(self.clients[id]?.nextTimeout, for: id)
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
            self.clients[id]?.connectDeadline = now + self.configuration.connectTimeout
            self.clientDeadlines.set(self.clients[id]?.nextTimeout, for: id)
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

    mutating func transmit(_ frame: STOMPFrame, to id: STOMPConnectionID, _ now: NIODeadline) {
        guard let version = self.clients[id]?.version else { return }
        self.transmit(frame.encoded(for: version), to: id, now)
    }

    mutating func transmit(_ bytes: ByteBuffer, to id: STOMPConnectionID, _ now: NIODeadline) {
        guard let client = self.clients[id], client.phase != .ending else { return }
        let unsent = client.unsentBytes + bytes.readableBytes
        guard unsent <= self.configuration.maximumUnsentBytes else {
            self.slowConnections += 1
            return self.end(id)
        }
        self.clients[id]?.unsentBytes = unsent
        self.clients[id]?.lastSent = now
        self.outputs.append(.transmit(id, bytes))
        self.settleReading(of: id, now)
    }

    /// Has the broker wait from half of what may wait for a client on, and go on below a quarter.
    mutating func settleReading(of id: STOMPConnectionID, _ now: NIODeadline) {
        guard let client = self.clients[id], let name = client.link, let link = self.links[name] else { return }
        let limit = self.configuration.maximumUnsentBytes
        let reads = link.isReading ? client.unsentBytes < limit / 2 : client.unsentBytes <= limit / 4
        guard reads != link.isReading else { return }
        self.links[name]?.isReading = reads
        self.links[name]?.lastReceived = now
        self.outputs.append(.setReading(name, reads))
        // What had come already was left.
        if reads { self.process(name, now) }
    }

    /// Sends an `ERROR`, the last that a client hears.
    mutating func fail(_ id: STOMPConnectionID, _ reason: String, _ frame: STOMPFrame?, _ now: NIODeadline) {
        guard let client = self.clients[id], client.phase != .ending else { return }
        var headers = [STOMPFrame.Header("message", reason), .init("content-type", "text/plain")]
        if let receipt = frame?["receipt"] { headers.append(.init("receipt-id", receipt)) }
        if client.phase == .connecting { headers.append(.init("version", "1.0,1.1,1.2")) }
        self.transmit(STOMPFrame("ERROR", headers, body: ByteBuffer(string: reason)), to: id, now)
        self.end(id)
    }

    /// Ends a client's connection and the one to the broker: what it has not acknowledged goes back there.
    mutating func end(_ id: STOMPConnectionID) {
        guard let client = self.clients.removeValue(forKey: id) else { return }
        self.clientDeadlines.set(nil, for: id)
        self.outputs.append(.close(id))
        if let link = client.link { self.closeLink(link) }
    }

    mutating func clientTimeout(_ id: STOMPConnectionID, _ now: NIODeadline) {
        guard let client = self.clients[id] else { return }
        if let deadline = client.connectDeadline, now >= deadline {
            // The broker's receipt for its leave did not come.
            if client.phase == .leaving { return self.end(id) }
            self.fail(id, "CONNECT did not come in time", nil, now)
        } else if let timeout = client.receiveTimeout, now >= client.lastReceived + timeout {
            self.end(id)
        } else {
            if let interval = client.sendInterval, now >= client.lastSent + interval {
                self.transmit(ByteBuffer(string: "\n"), to: id, now)
            }
            self.clientDeadlines.set(self.clients[id]?.nextTimeout, for: id)
        }
    }
}

extension STOMPFrame {
    /// Replaces all headers of a name by one, or adds it.
    mutating func set(_ name: String, _ value: String) {
        self.headers.removeAll { $0.name == name }
        self.headers.append(Header(name, value))
    }
}
