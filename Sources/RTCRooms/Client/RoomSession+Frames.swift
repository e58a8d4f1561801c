import NIOCore
import RTCSignaling

/// What the server says.
extension RoomSession {
    mutating func receive(_ frame: ServerFrame, _ now: NIODeadline) {
        switch (frame, self.phase) {
        case (.welcome(let welcome), .joining): self.joined(welcome, now)
        case (.resumed(let received), .resuming): self.resumed(received, now)
        case (.lost(let loss), .resuming): self.lost(loss, now)
        case (.acknowledge(let received), .joined): self.acknowledged(received, now)
        case (.numbered(let number, let occurrence), .joined): self.receive(number, occurrence, now)
        case (.unknown, _): self.unknownMessages += 1
        case (.refused(let refusal), _):
            if refusal.isTemporary {
                self.interrupt(.closed(code: nil, reason: refusal.description), now)
            } else {
                self.end(.refused(refusal))
            }
        default: self.violation("not its turn", now)
        }
    }

    // MARK: Entering

    private mutating func joined(_ welcome: Welcome, _ now: NIODeadline) {
        let ids = Set(welcome.members.map(\.id))
        guard ids.count == welcome.members.count, !ids.contains(welcome.member),
            ids.count <= self.configuration.maximumMembers
        else { return self.refuseMembers() }
        let member = RoomMember(id: welcome.member, metadata: welcome.metadata)
        self.member = member
        self.token = welcome.token
        self.members = welcome.members
        self.received = 0
        self.lastNumber = 0
        (self.sentCount, self.sentBytes) = (0, 0)
        self.pace = SendingPace(welcome.limits ?? SendingLimits(RoomConfiguration()), now: now)
        self.settled(now)
        if let loss = self.loss {
            self.emit(.rejoined(member, others: welcome.members, because: loss, unconfirmed: self.unconfirmed))
        } else {
            self.emit(.joined(member, others: welcome.members))
        }
        (self.loss, self.unconfirmed) = (nil, 0)
    }

    /// The server would tell the same again.
    private mutating func refuseMembers() {
        self.end(.unreachable(.protocolViolation(reason: "a member twice, or too many")))
    }

    private mutating func resumed(_ received: Int, _ now: NIODeadline) {
        guard self.isPlausible(received) else { return self.violation("no such number", now) }
        self.settled(now)
        self.release(received)
        self.transmitQueued(now)
        self.emit(.resumed)
    }

    private mutating func lost(_ loss: RoomLoss, _ now: NIODeadline) {
        // What waits was for members of the room that it was in.
        guard self.leaveDue == nil else { return self.end(nil) }
        self.loss = loss
        self.unconfirmed += self.queue.count
        self.queue.removeAll()
        self.queuedBytes = 0
        self.member = nil
        self.members = []
        self.responseDue = now + self.configuration.responseTimeout
        self.join()
    }

    private mutating func settled(_ now: NIODeadline) {
        self.phase = .joined
        self.settledAt = now
        self.responseDue = nil
        self.giveUp = nil
    }

    // MARK: The room

    /// Takes a numbered frame; nil stands for what is not known here.
    private mutating func receive(_ number: Int, _ occurrence: RoomOccurrence?, _ now: NIODeadline) {
        guard number > self.received else { return }
        guard number == self.received + 1 else { return self.violation("number \(self.received + 1) is missing", now) }
        self.received = number
        self.backOff.reset()
        self.unacknowledged += 1
        let policy = RoomConfiguration.acknowledgement
        if self.unacknowledged >= policy.messages {
            self.acknowledge()
        } else if self.acknowledgementDue == nil {
            self.acknowledgementDue = now + policy.delay
        }
        switch occurrence {
        case .joined(let member):
            guard member.id != self.member?.id, !self.members.contains(where: { $0.id == member.id }),
                self.members.count < self.configuration.maximumMembers
            else { return self.refuseMembers() }
            self.members.append(member)
            self.emit(.memberJoined(member))
        case .left(let id, let reason):
            guard let index = self.members.firstIndex(where: { $0.id == id }) else { return }
            self.emit(.memberLeft(self.members.remove(at: index), reason))
        case nil: self.unknownMessages += 1
        case .message(let from, let json):
            if let message = RoomMessage(json) {
                self.emit(.message(message, from: from))
            } else {
                self.unknownMessages += 1
            }
        }
    }

    // MARK: Acknowledgements

    private mutating func acknowledged(_ received: Int, _ now: NIODeadline) {
        guard self.isPlausible(received) else { return self.violation("no such number", now) }
        self.backOff.reset()
        self.release(received)
        self.transmitQueued(now)
        self.responseDue = self.sentCount == 0 ? nil : now + self.configuration.responseTimeout
    }

    private func isPlausible(_ received: Int) -> Bool {
        (self.lastNumber - self.queue.count...self.lastNumber).contains(received)
    }

    /// Lets go of what the server has.
    private mutating func release(_ received: Int) {
        while !self.queue.isEmpty, self.lastNumber - self.queue.count < received {
            let size = self.queue.removeFirst().size
            self.queuedBytes -= size
            guard self.sentCount > 0 else { continue }
            self.sentCount -= 1
            self.sentBytes -= size
        }
    }
}
