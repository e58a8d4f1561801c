import NIOCore

/// What clients ask for.
extension STOMPBroker {
    /// A client is connected.
    mutating func admitted(_ id: STOMPConnectionID, user: String?, _ frame: STOMPFrame, _ now: NIODeadline) {
        guard var connection = self.clients[id], connection.phase == .connecting else { return }
        connection.phase = .connected
        connection.user = user
        connection.liveness.setUpDeadline = nil
        self.clients[id] = connection
        if let user { self.users[user, default: []].insert(id) }
        self.sayConnected(to: id, now)
        self.outputs.append(.connected(id, user: user))
    }

    // MARK: Commands

    /// Does what a frame asks for, and says so if it wants a receipt.
    mutating func perform(_ frame: STOMPFrame, of id: STOMPConnectionID, _ now: NIODeadline) {
        if let reason = self.run(frame, of: id, now) { return self.fail(id, reason, frame, now) }
        guard let connection = self.clients[id], connection.phase != .ending else { return }
        // Of what the owner is sent, it is the owner who knows whether it was taken.
        let isConfirmedLater =
            frame.command == "SEND" && frame["transaction"] == nil
            && frame["destination"]?.hasPrefix(self.configuration.applicationPrefix) == true
        if let receipt = frame["receipt"], !isConfirmedLater { self.giveReceipt(receipt, to: id, now) }
        if frame.command == "DISCONNECT" { self.end(id) }
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
            user: self.clients[id]?.user,
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
        guard let connection = self.clients[id], connection.transactions[name] != nil else {
            return "no such transaction"
        }
        let size = STOMPFrame.size(of: frame.headers, frame.body)
        let total = connection.transactions.values.reduce(size) { $0 + $1.bytes }
        guard total <= self.configuration.maximumTransactionBytes else { return "transactions too large" }
        self.clients[id]?.transactions[name]?.frames.append(frame)
        self.clients[id]?.transactions[name]?.bytes += size
        return nil
    }

    private mutating func transaction(_ frame: STOMPFrame, _ id: STOMPConnectionID, _ now: NIODeadline) -> String? {
        guard let name = frame["transaction"], let connection = self.clients[id] else { return "no transaction" }
        if frame.command == "BEGIN" {
            guard connection.transactions[name] == nil else { return "the transaction has begun already" }
            guard connection.transactions.count < self.configuration.maximumTransactions else {
                return "too many transactions"
            }
            self.clients[id]?.transactions[name] = STOMPConnection.Transaction()
            return nil
        }
        guard let transaction = self.clients[id]?.transactions.removeValue(forKey: name) else {
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
