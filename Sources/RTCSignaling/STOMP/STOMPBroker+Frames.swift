import NIOCore

/// What clients ask for.
extension STOMPBroker {
    /// Takes the frames that are there, as long as none has to wait.
    mutating func process(_ id: STOMPConnectionID, _ now: NIODeadline) {
        while let connection = self.connections[id], connection.phase != .ending {
            guard connection.waiting == nil else {
                let limit = 2 * (self.configuration.maximumBodySize + self.configuration.maximumHeadSize)
                if connection.reader.pendingBytes > limit { self.fail(id, "too much at once", nil, now) }
                return
            }
            switch self.connections[id]?.reader.next() ?? .needsMore {
            case .needsMore: return
            case .failure(let reason): self.fail(id, reason, nil, now)
            case .frame(let frame): self.received(frame, from: id, connection, now)
            }
        }
    }

    private mutating func received(
        _ frame: STOMPFrame,
        from id: STOMPConnectionID,
        _ connection: STOMPConnection,
        _ now: NIODeadline
    ) {
        let isConnect = frame.command == "CONNECT" || frame.command == "STOMP"
        guard isConnect == (connection.phase == .connecting) else {
            return self.fail(id, isConnect ? "connected already" : "not connected", frame, now)
        }
        guard let kind = self.question(frame, id, isConnect, now) else { return }
        guard self.configuration.asks, let kind = kind.question else {
            return isConnect ? self.connected(id, user: nil, frame, now) : self.perform(frame, of: id, now)
        }
        self.connections[id]?.waiting = STOMPConnection.Waiting(frame: frame, isConnect: isConnect)
        self.outputs.append(.ask(STOMPQuestion(connection: id, user: connection.user, kind: kind)))
    }

    /// A frame that may be performed, perhaps after a question.
    private struct Checked {
        var question: STOMPQuestion.Kind?
    }

    /// What a frame has to be asked about; nil, after an error, if it lacks something.
    private mutating func question(
        _ frame: STOMPFrame,
        _ id: STOMPConnectionID,
        _ isConnect: Bool,
        _ now: NIODeadline
    ) -> Checked? {
        if isConnect {
            guard self.negotiate(frame, id, now) else { return nil }
            return Checked(question: .connect(login: frame["login"], passcode: frame["passcode"], host: frame["host"]))
        }
        guard frame.command == "SEND" || frame.command == "SUBSCRIBE" else { return Checked() }
        guard let destination = frame["destination"], destination.utf8.count <= 1024 else {
            self.fail(id, "no destination", frame, now)
            return nil
        }
        return Checked(
            question: frame.command == "SEND" ? .send(destination: destination) : .subscribe(destination: destination)
        )
    }

    // MARK: Connecting

    private mutating func negotiate(_ frame: STOMPFrame, _ id: STOMPConnectionID, _ now: NIODeadline) -> Bool {
        switch STOMPNegotiation.of(frame, heartbeatInterval: self.configuration.heartbeatInterval) {
        case .failure(let failure):
            self.fail(id, failure.reason, frame, now)
            return false
        case .success(let agreed):
            self.connections[id]?.version = agreed.version
            self.connections[id]?.reader.version = agreed.version
            self.connections[id]?.sendInterval = agreed.sendInterval
            self.connections[id]?.receiveTimeout = agreed.receiveTimeout
            return true
        }
    }

    mutating func connected(_ id: STOMPConnectionID, user: String?, _ frame: STOMPFrame, _ now: NIODeadline) {
        guard var connection = self.connections[id], connection.phase == .connecting else { return }
        connection.phase = .connected
        connection.user = user
        connection.connectDeadline = nil
        self.connections[id] = connection
        if let user { self.users[user, default: []].insert(id) }
        let own = self.configuration.heartbeatInterval.nanoseconds / 1_000_000
        var headers: [STOMPFrame.Header] = [
            .init("version", connection.version.rawValue), .init("session", connection.session),
            .init("server", self.configuration.serverName),
        ]
        if connection.version > .v1_0 { headers.append(.init("heart-beat", "\(own),\(own)")) }
        if let user { headers.append(.init("user-name", user)) }
        self.transmit(STOMPFrame("CONNECTED", headers).encoded(for: connection.version), to: id, now)
        self.deadlines.set(self.connections[id]?.nextTimeout, for: id)
        self.outputs.append(.connected(id, user: user))
    }

    // MARK: Commands

    /// Does what a frame asks for, and says so if it wants a receipt.
    mutating func perform(_ frame: STOMPFrame, of id: STOMPConnectionID, _ now: NIODeadline) {
        if let reason = self.run(frame, of: id, now) { return self.fail(id, reason, frame, now) }
        guard let connection = self.connections[id], connection.phase != .ending else { return }
        // Of what the owner is sent, it is the owner who knows whether it was taken.
        let isConfirmedLater =
            frame.command == "SEND" && frame["transaction"] == nil
            && frame["destination"]?.hasPrefix(self.configuration.applicationPrefix) == true
        if let receipt = frame["receipt"], !isConfirmedLater { self.giveReceipt(receipt, to: id, now) }
        if frame.command == "DISCONNECT" { self.end(id) }
    }

    mutating func giveReceipt(_ receipt: String, to id: STOMPConnectionID, _ now: NIODeadline) {
        guard let version = self.connections[id]?.version else { return }
        let answer = STOMPFrame("RECEIPT", [.init("receipt-id", receipt)])
        self.transmit(answer.encoded(for: version), to: id, now)
    }

    /// - Returns: What is wrong with it; nil for nothing.
    private mutating func run(_ frame: STOMPFrame, of id: STOMPConnectionID, _ now: NIODeadline) -> String? {
        switch frame.command {
        case "SEND", "ACK", "NACK":
            if let transaction = frame["transaction"] { return self.defer(frame, to: transaction, id) }
            return self.apply(frame, of: id, now)
        case "SUBSCRIBE": return self.subscribe(frame, id)
        case "UNSUBSCRIBE": return self.unsubscribe(frame, id)
        case "BEGIN", "COMMIT", "ABORT": return self.transaction(frame, id, now)
        case "DISCONNECT": return nil
        default: return "unknown command"
        }
    }

    private mutating func apply(_ frame: STOMPFrame, of id: STOMPConnectionID, _ now: NIODeadline) -> String? {
        guard frame.command == "SEND" else { return self.acknowledge(frame, id) }
        guard let message = STOMPMessage(frame) else { return "no destination" }
        guard self.isForOwner(message) else { return self.route(message, now) }
        let sent = Sent(
            connection: id,
            user: self.connections[id]?.user,
            destination: message.destination,
            headers: message.headers,
            body: message.body,
            receipt: frame["transaction"] == nil ? frame["receipt"] : nil
        )
        self.outputs.append(.sent(sent))
        return nil
    }

    private func isForOwner(_ message: STOMPMessage) -> Bool {
        message.destination.hasPrefix(self.configuration.applicationPrefix)
    }

    // MARK: Transactions

    private mutating func `defer`(_ frame: STOMPFrame, to name: String, _ id: STOMPConnectionID) -> String? {
        guard let connection = self.connections[id], connection.transactions[name] != nil else {
            return "no such transaction"
        }
        let size = frame.headers.reduce(64 + frame.body.readableBytes) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        let total = connection.transactions.values.reduce(size) { $0 + $1.bytes }
        guard total <= self.configuration.maximumTransactionBytes else { return "transactions too large" }
        self.connections[id]?.transactions[name]?.frames.append(frame)
        self.connections[id]?.transactions[name]?.bytes += size
        return nil
    }

    private mutating func transaction(_ frame: STOMPFrame, _ id: STOMPConnectionID, _ now: NIODeadline) -> String? {
        guard let name = frame["transaction"], let connection = self.connections[id] else { return "no transaction" }
        if frame.command == "BEGIN" {
            guard connection.transactions[name] == nil else { return "the transaction has begun already" }
            guard connection.transactions.count < self.configuration.maximumTransactions else {
                return "too many transactions"
            }
            self.connections[id]?.transactions[name] = STOMPConnection.Transaction()
            return nil
        }
        guard let transaction = self.connections[id]?.transactions.removeValue(forKey: name) else {
            return "no such transaction"
        }
        guard frame.command == "COMMIT" else { return nil }
        if let reason = self.refusal(of: transaction, of: connection) { return reason }
        for deferred in transaction.frames {
            if let reason = self.apply(deferred, of: id, now) { return reason }
        }
        return nil
    }

    /// Why a transaction cannot happen as a whole; nil if it can.
    private func refusal(of transaction: STOMPConnection.Transaction, of connection: STOMPConnection) -> String? {
        var planned: [String: PlannedMessages] = [:]
        for frame in transaction.frames {
            if frame.command != "SEND" {
                if let reason = Self.acknowledgementRefusal(frame, connection.version) { return reason }
                continue
            }
            guard let message = STOMPMessage(frame) else { return "no destination" }
            if self.isForOwner(message) { continue }
            if let reason = self.refusal(of: message, planned: &planned) { return reason }
        }
        return nil
    }
}
