public import NIOCore
public import RTCBase
public import RTCSignaling

/// Rooms whose members send each other messages, doing no input or output.
///
/// Messages of channels go in through ``receive(_:from:now:)``; ``poll()`` gives what is to be sent and what is asked. A member that
/// loses its channel keeps its place for a while, and what it misses is kept for it.
public struct RoomBroker: Sendable {
    /// What ``poll()`` gives.
    public enum Output: Sendable, Hashable {
        /// A message for a channel.
        case transmit(RoomConnectionID, String)
        /// A channel is over: close it after what is to be sent. Nothing comes after this.
        case close(RoomConnectionID)
        /// The owner must decide; only where ``RoomConfiguration/asks``.
        case ask(RoomAdmission)
    }

    enum DeadlineKey: Hashable, Sendable {
        case connection(RoomConnectionID)
        case member(RoomMemberID)
    }

    /// Limits and times.
    public let configuration: RoomConfiguration

    var random: RandomSource
    var connections: [RoomConnectionID: RoomConnection] = [:]
    var requests: [RoomConnectionID: SignalingRequest] = [:]
    var memberships: [RoomMemberID: Membership] = [:]
    /// The members of each room, in the order in which they came.
    var rooms: [RoomName: [RoomMemberID]] = [:]
    var counters = RoomStatistics()
    var deadlines = DeadlineQueue<DeadlineKey>()
    private var outputs = CircularBuffer<Output>()
    private var nextConnection: UInt64 = 0
    private var isShutDown = false

    /// A server without rooms.
    public init(configuration: RoomConfiguration = RoomConfiguration(), random: RandomSource = .system) {
        self.configuration = configuration
        self.random = random
    }

    /// What there is now.
    public var statistics: RoomStatistics {
        var statistics = self.counters
        statistics.rooms = self.rooms.count
        statistics.members = self.memberships.count
        statistics.connections = self.connections.count
        return statistics
    }

    /// The members of a room, in the order in which they came.
    public func members(of room: RoomName) -> [RoomMember] {
        (self.rooms[room] ?? []).compactMap { id in
            self.memberships[id].map { RoomMember(id: id, metadata: $0.metadata) }
        }
    }

    // MARK: Channels

    /// A new channel; nil if there are as many as allowed.
    ///
    /// - Parameter request: The request that began it, for the owner to decide by.
    public mutating func open(request: SignalingRequest? = nil, now: NIODeadline) -> RoomConnectionID? {
        guard !self.isShutDown, self.connections.count < self.configuration.maximumConnections else { return nil }
        self.nextConnection += 1
        let id = RoomConnectionID(number: self.nextConnection)
        self.connections[id] = RoomConnection()
        if self.configuration.asks { self.requests[id] = request }
        self.deadlines.set(now + self.configuration.joinTimeout, for: .connection(id))
        return id
    }

    /// A channel was closed from the other side, or broke.
    public mutating func connectionEnded(_ id: RoomConnectionID, now: NIODeadline) {
        guard let connection = self.forget(id), case .member(let member) = connection.phase else { return }
        self.memberships[member]?.connection = nil
        self.memberships[member]?.acknowledgementDue = nil
        self.memberships[member]?.gone = now + self.configuration.resumeTimeout
        self.updateDeadline(of: member)
    }

    // MARK: The four verbs

    /// Takes a message that a client sent.
    public mutating func receive(_ text: String, from id: RoomConnectionID, now: NIODeadline) {
        guard let connection = self.connections[id] else { return }
        let size = text.utf8.count
        if case .member(let member) = connection.phase, !self.mayReceive(bytes: size, from: member, now) {
            return self.refuse(id, Self.tooMuch, now)
        }
        guard size <= self.configuration.maximumMessageSize else {
            return self.refuse(
                id,
                RoomRefusal(.tooLarge, "more than \(self.configuration.maximumMessageSize) bytes"),
                now
            )
        }
        guard let frame = ClientFrame(text) else {
            return self.refuse(id, RoomRefusal(.badMessage, "not understood"), now)
        }
        if case .member(let member) = connection.phase, !self.mayReceive(frame, from: member, now) {
            return self.refuse(id, Self.tooMuch, now)
        }
        switch connection.phase {
        case .new: self.receiveFirst(frame, from: id, now)
        case .deciding where frame == .leave: self.end(id, nil)
        case .deciding: self.refuse(id, RoomRefusal(.badMessage, "not a member yet"), now)
        case .member(let member): self.receive(frame, from: member, on: id, now)
        }
    }

    /// Does what is due: channels that do not join, members that do not come back, acknowledgements.
    public mutating func handleTimeout(now: NIODeadline) {
        while let key = self.deadlines.popDue(now: now) {
            switch key {
            case .connection(let id):
                if let connection = self.connections[id], case .member = connection.phase { continue }
                self.refuse(id, RoomRefusal(.timeout, "joined no room in time"), now)
            case .member(let id):
                if let gone = self.memberships[id]?.gone, gone <= now {
                    self.remove(id, .timeout)
                } else {
                    self.acknowledgeIfDue(id, now)
                    self.updateDeadline(of: id)
                }
            }
        }
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> Output? { self.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due at the latest; nil when nothing is pending.
    public var nextTimeout: NIODeadline? { self.deadlines.next }

    // MARK: The owner

    /// Answers what was asked for a channel; does nothing if that is gone.
    public mutating func answer(_ id: RoomConnectionID, _ decision: RoomDecision, now: NIODeadline) {
        guard case .deciding(let request, let room)? = self.connections[id]?.phase else { return }
        switch decision {
        case .deny(let reason): self.refuse(id, RoomRefusal(.unauthorized, reason), now)
        case .allow(let metadata): self.enter(room, metadata ?? request.metadata, id, now)
        }
    }

    /// Removes a member; the others see it leave with ``RoomLeaveReason/removed``. Does nothing if there is none.
    public mutating func remove(_ member: RoomMemberID, reason: String = "", now: NIODeadline) {
        guard let membership = self.memberships[member] else { return }
        if let connection = membership.connection {
            self.end(connection, RoomRefusal(.removed, reason))
        }
        self.remove(member, .removed)
    }

    /// Ends all channels, saying that the server stops.
    public mutating func shutdown(now: NIODeadline) {
        self.isShutDown = true
        for id in self.connections.keys.sorted(by: { $0.number < $1.number }) {
            self.end(id, RoomRefusal(.shutdown, "the server stops"))
        }
        self.memberships = [:]
        self.rooms = [:]
        self.counters.keptBytes = 0
        self.deadlines = DeadlineQueue()
    }

    // MARK: Ends

    /// Refuses a client for what it did; if it was a member, it is one no more.
    mutating func refuse(_ id: RoomConnectionID, _ refusal: RoomRefusal, _ now: NIODeadline) {
        guard let phase = self.connections[id]?.phase else { return }
        self.counters.refusals += 1
        self.end(id, refusal)
        if case .member(let member) = phase { self.remove(member, .violation) }
    }

    /// Tells a channel why it is over, and forgets it.
    mutating func end(_ id: RoomConnectionID, _ refusal: RoomRefusal?) {
        guard self.forget(id) != nil else { return }
        if let refusal { self.transmit(.refused(refusal), to: id) }
        self.outputs.append(.close(id))
    }

    private mutating func forget(_ id: RoomConnectionID) -> RoomConnection? {
        self.requests[id] = nil
        self.deadlines.set(nil, for: .connection(id))
        return self.connections.removeValue(forKey: id)
    }

    /// Takes a member out of its room, and tells the others.
    mutating func remove(_ id: RoomMemberID, _ reason: RoomLeaveReason) {
        guard let membership = self.memberships.removeValue(forKey: id) else { return }
        self.deadlines.set(nil, for: .member(id))
        self.counters.keptBytes -= membership.keptBytes
        self.rooms[membership.room]?.removeAll { $0 == id }
        if self.rooms[membership.room]?.isEmpty == true { self.rooms[membership.room] = nil }
        self.announce(.left(id, reason), in: membership.room, except: id)
    }

    // MARK: Sending

    mutating func transmit(_ frame: ServerFrame, to id: RoomConnectionID) { self.transmit(frame.text, to: id) }

    mutating func transmit(_ text: String, to id: RoomConnectionID) { self.outputs.append(.transmit(id, text)) }

    mutating func transmit(number: Int, tail: String, to id: RoomConnectionID) {
        self.outputs.append(.transmit(id, ServerFrame.text(number: number, tail: tail)))
    }

    mutating func ask(_ admission: RoomAdmission) { self.outputs.append(.ask(admission)) }

    /// Tells all members of a room but one.
    mutating func announce(_ occurrence: RoomOccurrence, in room: RoomName, except: RoomMemberID) {
        guard let members = self.rooms[room], members.count > (members.contains(except) ? 1 : 0) else { return }
        self.announce(tail: occurrence.tail, in: room, except: except)
    }

    /// Tells all members of a room but one.
    mutating func announce(tail: String, in room: RoomName, except: RoomMemberID) {
        for member in self.rooms[room] ?? [] where member != except { self.deliver(tail, to: member) }
    }

    /// Sends a numbered frame, and keeps it in case it gets lost.
    mutating func deliver(_ tail: String, to id: RoomMemberID) {
        guard var membership = self.memberships.removeValue(forKey: id) else { return }
        let before = membership.keptBytes
        let number = membership.keep(tail)
        if membership.kept.count > self.configuration.maximumKeptMessages { membership.release(1) }
        while membership.keptBytes > self.configuration.maximumKeptBytes { membership.release(1) }
        self.counters.keptBytes += membership.keptBytes - before
        let connection = membership.connection
        self.memberships[id] = membership
        while self.counters.keptBytes > self.configuration.maximumTotalKeptBytes, self.releaseMost() {}
        if let connection { self.transmit(number: number, tail: tail, to: connection) }
    }

    mutating func updateDeadline(of id: RoomMemberID) {
        self.deadlines.set(self.memberships[id]?.nextTimeout, for: .member(id))
    }

    /// Lets go of what is kept for the member for which most is; false if nothing is. One that does not read costs others nothing.
    private mutating func releaseMost() -> Bool {
        let most = self.memberships.max { ($0.value.keptBytes, $1.key) < ($1.value.keptBytes, $0.key) }
        guard let (id, membership) = most, membership.keptBytes > 0 else { return false }
        self.counters.keptBytes -= membership.keptBytes
        self.memberships[id]?.release(membership.kept.count)
        return true
    }

    private static let tooMuch = RoomRefusal(.rate, "more than the server takes")

    private mutating func mayReceive(bytes: Int, from id: RoomMemberID, _ now: NIODeadline) -> Bool {
        let limits = self.configuration
        return self.memberships[id]?.bytes
            .take(bytes, rate: Double(limits.byteRate), burst: limits.byteBurst, now: now) == true
    }

    private mutating func mayReceive(_ frame: ClientFrame, from id: RoomMemberID, _ now: NIODeadline) -> Bool {
        // How often a client has something to acknowledge is up to the others.
        if case .acknowledge(let received) = frame, let membership = self.memberships[id],
            received >= membership.firstKept, received <= membership.lastNumber
        {
            return true
        }
        let limits = self.configuration
        return self.memberships[id]?.messages
            .take(1, rate: Double(limits.messageRate), burst: limits.messageBurst, now: now) == true
    }
}
