import NIOCore
import RTCBase
import RTCCrypto
import RTCSignaling

/// What clients say.
extension RoomBroker {
    // MARK: Entering

    mutating func receiveFirst(_ frame: ClientFrame, from id: RoomConnectionID, _ now: NIODeadline) {
        switch frame {
        case .join(let request): self.join(request, id, now)
        case .resume(let request) where self.connections[id]?.hasResumed == false: self.resume(request, id, now)
        case .leave: self.end(id, nil)
        case .resume, .send, .acknowledge: self.refuse(id, RoomRefusal(.badMessage, "not a member"), now)
        }
    }

    private mutating func join(_ request: JoinRequest, _ id: RoomConnectionID, _ now: NIODeadline) {
        guard let room = RoomName(request.room) else {
            return self.refuse(id, RoomRefusal(.badName, "that is no name of a room"), now)
        }
        guard self.configuration.asks else { return self.enter(room, request.metadata, id, now) }
        // What nobody may have is not kept while the owner decides.
        if let refusal = self.refusal(of: request.metadata) { return self.refuse(id, refusal, now) }
        let limit = self.configuration.maximumCredentialSize
        guard request.credential?.utf8.count ?? 0 <= limit else {
            return self.refuse(id, RoomRefusal(.tooLarge, "a credential has at most \(limit) bytes"), now)
        }
        self.connections[id]?.phase = .deciding(request, room)
        self.ask(
            RoomAdmission(
                connection: id,
                room: room,
                metadata: request.metadata,
                credential: request.credential,
                request: self.requests[id]
            )
        )
    }

    /// Makes a channel a member, unless a limit is in the way.
    mutating func enter(_ room: RoomName, _ metadata: JSONValue, _ id: RoomConnectionID, _ now: NIODeadline) {
        let limits = self.configuration
        if let refusal = self.refusal(of: metadata) { return self.refuse(id, refusal, now) }
        let others = self.members(of: room)
        guard others.count < limits.maximumMembers else {
            return self.refuse(id, RoomRefusal(.roomFull, "\(others.count) members"), now)
        }
        guard self.memberships.count < limits.maximumTotalMembers,
            !others.isEmpty || self.rooms.count < limits.maximumRooms
        else { return self.refuse(id, RoomRefusal(.serverFull, "try again later"), now) }
        let member = RoomMemberID(random: &self.random)
        let token = SecretText.make(bytes: 16, random: &self.random)
        let welcome = ServerFrame.welcome(
            Welcome(
                member: member,
                metadata: metadata,
                token: token,
                members: others,
                resumeMilliseconds: Int(limits.resumeTimeout.nanoseconds / 1_000_000),
                limits: SendingLimits(limits)
            )
        ).text
        // No client could take it.
        guard welcome.utf8.count <= limits.maximumMessageSize else {
            return self.refuse(id, RoomRefusal(.roomFull, "too much metadata of \(others.count) members"), now)
        }
        self.memberships[member] = Membership(
            token: token,
            room: room,
            metadata: metadata,
            connection: id,
            messages: RateBucket(burst: limits.messageBurst, now: now),
            bytes: RateBucket(burst: limits.byteBurst, now: now)
        )
        self.rooms[room, default: []].append(member)
        self.became(member, id)
        self.transmit(welcome, to: id)
        self.announce(.joined(RoomMember(id: member, metadata: metadata)), in: room, except: member)
    }

    /// What is wrong with metadata; nil if others can be told.
    private func refusal(of metadata: JSONValue) -> RoomRefusal? {
        let limit = self.configuration.maximumMetadataSize
        // It lies deeper in what others are told than in what the client says.
        let depth = JSONValue.maximumDepth - 4
        guard metadata.objectValue != nil, metadata.depth <= depth, metadata.text.utf8.count <= limit else {
            return RoomRefusal(.tooLarge, "metadata is an object of at most \(limit) bytes and \(depth) levels")
        }
        return nil
    }

    private mutating func became(_ member: RoomMemberID, _ id: RoomConnectionID) {
        self.connections[id]?.phase = .member(member)
        self.requests[id] = nil
        self.deadlines.set(nil, for: .connection(id))
    }

    // MARK: Going on

    private mutating func resume(_ request: ResumeRequest, _ id: RoomConnectionID, _ now: NIODeadline) {
        self.connections[id]?.hasResumed = true
        guard var membership = self.memberships[request.member],
            Self.isSame(membership.token, request.token),
            request.received <= membership.lastNumber
        else { return self.lose(.unknown, id) }
        if let old = membership.connection { self.end(old, RoomRefusal(.replaced, "came back on another channel")) }
        guard request.received >= membership.firstKept - 1 else {
            self.remove(request.member, .gap)
            return self.lose(.gap, id)
        }
        membership.connection = id
        membership.gone = nil
        membership.unacknowledged = 0
        membership.acknowledgementDue = nil
        self.memberships[request.member] = membership
        self.became(request.member, id)
        self.updateDeadline(of: request.member)
        self.acknowledged(request.received, by: request.member)
        self.counters.resumptions += 1
        self.transmit(.resumed(received: membership.received), to: id)
        var number = request.received
        for kept in self.memberships[request.member]?.kept ?? [] {
            number += 1
            self.transmit(number: number, tail: kept.tail, to: id)
        }
    }

    /// Compares secrets without telling by the time it takes.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        return ConstantTime.equals(left.span.bytes, right.span.bytes)
    }

    private mutating func lose(_ loss: RoomLoss, _ id: RoomConnectionID) {
        self.counters.losses += 1
        self.transmit(.lost(loss), to: id)
    }

    // MARK: Members

    mutating func receive(
        _ frame: ClientFrame,
        from member: RoomMemberID,
        on id: RoomConnectionID,
        _ now: NIODeadline
    ) {
        switch frame {
        case .send(let number, let to, let message): self.send(number, to, message, from: member, on: id, now)
        case .acknowledge(let received):
            guard received <= self.memberships[member]?.lastNumber ?? 0 else {
                return self.refuse(id, RoomRefusal(.badMessage, "no such number"), now)
            }
            self.acknowledged(received, by: member)
        case .leave:
            self.end(id, nil)
            self.remove(member, .left)
        case .join, .resume: self.refuse(id, RoomRefusal(.badMessage, "a member already"), now)
        }
    }

    private mutating func send(
        _ number: Int,
        _ to: RoomMemberID?,
        _ message: JSONValue,
        from member: RoomMemberID,
        on id: RoomConnectionID,
        _ now: NIODeadline
    ) {
        guard let membership = self.memberships[member] else { return }
        // What came before is sent again by a client that was not told in time.
        guard number > membership.received else { return }
        guard number == membership.received + 1 else {
            return self.refuse(id, RoomRefusal(.badMessage, "number \(membership.received + 1) is missing"), now)
        }
        let tail = RoomOccurrence.message(from: member, message).tail
        // Whom it is for must be able to take it, with its number.
        guard tail.utf8.count + 32 <= self.configuration.maximumMessageSize else {
            return self.refuse(id, RoomRefusal(.tooLarge, "more than others can take"), now)
        }
        self.memberships[member]?.received = number
        self.memberships[member]?.unacknowledged = membership.unacknowledged + 1
        self.counters.messages += 1
        self.acknowledgeIfDue(member, now)
        if let to {
            guard self.memberships[to]?.room == membership.room, to != member else {
                self.counters.undeliverable += 1
                return
            }
            self.deliver(tail, to: to)
        } else {
            self.announce(tail: tail, in: membership.room, except: member)
        }
    }

    // MARK: Acknowledgements

    /// The client has all frames up to that number.
    private mutating func acknowledged(_ received: Int, by member: RoomMemberID) {
        guard var membership = self.memberships.removeValue(forKey: member) else { return }
        let before = membership.keptBytes
        membership.release(received - membership.firstKept + 1)
        self.counters.keptBytes += membership.keptBytes - before
        self.memberships[member] = membership
    }

    /// Says that messages came: after some of them at once, else a moment later.
    mutating func acknowledgeIfDue(_ member: RoomMemberID, _ now: NIODeadline) {
        guard let membership = self.memberships[member], membership.unacknowledged > 0,
            let connection = membership.connection
        else { return }
        let policy = RoomConfiguration.acknowledgement
        // Clients keep no more on its way than they may send at once.
        let most = min(policy.messages, max(1, self.configuration.messageBurst / 4))
        if membership.unacknowledged >= most || membership.acknowledgementDue.map({ $0 <= now }) == true {
            self.memberships[member]?.unacknowledged = 0
            self.memberships[member]?.acknowledgementDue = nil
            self.transmit(.acknowledge(received: membership.received), to: connection)
        } else if membership.acknowledgementDue == nil {
            self.memberships[member]?.acknowledgementDue = Self.shared(now + policy.delay)
            self.updateDeadline(of: member)
        }
    }

    /// The next moment at which many members are told: one wake-up then serves them all.
    private static func shared(_ due: NIODeadline) -> NIODeadline {
        let step = UInt64(RoomConfiguration.acknowledgementStep.nanoseconds)
        return .uptimeNanoseconds((due.uptimeNanoseconds + step - 1) / step * step)
    }
}
