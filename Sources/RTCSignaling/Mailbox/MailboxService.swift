public import NIOCore
public import RTCBase
import RTCCrypto

/// The meeting place of two sides that have only a short code in common: nameplates, without sockets.
///
/// An inviter is given a nameplate, a number; one joiner at a time comes to it; what either says is passed on to the other and not
/// kept. The service sees numbers and sizes, and what ``PairingSession`` makes of the rest. It cannot tell who has the right code,
/// so it believes the inviter, bounds the tries of all others together, and lets the time run out.
///
/// Confined to its owner, told the time. Whoever connects is known by a ``ClientID``.
public struct MailboxService: Sendable {
    /// A connection of a client.
    public struct ClientID: Sendable, Hashable {
        /// A number that no other connection has or had.
        public let rawValue: UInt64

        /// Names a connection.
        public init(rawValue: UInt64) { self.rawValue = rawValue }
    }

    /// What a service has to say.
    public enum Output: Sendable, Hashable {
        /// A text for a client.
        case send(String, to: ClientID)
        /// A client's connection ends after what was sent to it, and nothing that it sent may be handed over any more.
        case close(ClientID)
    }

    private struct Nameplate: Sendable {
        var token: String
        var inviter: ClientID?
        var joiner: ClientID?
        /// How many have come, which is the number of the joiner that is there.
        var arrivals: UInt64 = 0
        var tries = 0
        /// Whether the joiner that is there has the right code, as the inviter says.
        var isConfirmed = false
        var wasConfirmed = false
        var joinerHasSpoken = false
        var bytes = 0
        var end: NIODeadline
    }

    private enum Side { case inviter, joiner }

    /// Its limits and times.
    public let configuration: MailboxConfiguration
    private var random: RandomSource
    private var nameplates: [String: Nameplate] = [:]
    private var places: [ClientID: (nameplate: String, side: Side)] = [:]
    private var deadlines = DeadlineQueue<String>()
    /// Nameplates whose inviters are away: they make room, who is away longest first.
    private var absences = DeadlineQueue<String>()
    private var outputs: [Output] = []
    private var nextOutput = 0

    /// A service without nameplates.
    public init(configuration: MailboxConfiguration = MailboxConfiguration(), random: RandomSource = .system) {
        self.configuration = configuration
        self.random = random
    }

    /// How many nameplates are in use.
    public var count: Int { self.nameplates.count }

    /// When ``handleTimeout(now:)`` has something to do; nil when never.
    public var nextTimeout: NIODeadline? { self.deadlines.next }

    /// The next thing that it has to say; nil when there is none.
    public mutating func poll() -> Output? {
        guard self.nextOutput < self.outputs.count else {
            self.outputs.removeAll(keepingCapacity: true)
            self.nextOutput = 0
            return nil
        }
        defer { self.nextOutput += 1 }
        return self.outputs[self.nextOutput]
    }

    /// Whether a text has the form of a nameplate.
    public static func isNameplate(_ text: String) -> Bool {
        (1...9).contains(text.utf8.count) && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0 }
    }

    // MARK: What happens

    /// A client said something.
    public mutating func receive(_ text: String, from client: ClientID, now: NIODeadline) {
        let wasPlaced = self.places[client] != nil
        // Whoever watches the time may be late: what is over by now is in nobody's way.
        self.handleTimeout(now: now)
        guard !wasPlaced || self.places[client] != nil else { return }
        guard text.utf8.count <= 2 * self.configuration.maximumMessageSize, let message = MailboxMessage(text) else {
            return self.refuse(client, .malformed, "that was no message of a mailbox", now: now)
        }
        guard let place = self.places[client], let nameplate = self.nameplates[place.nameplate] else {
            return self.receiveFirst(message, from: client, now: now)
        }
        switch (message, place.side) {
        case (.relay(let body, let joiner?), .inviter):
            // What was said to one who has gone is lost, also when another is there by now.
            if joiner == nameplate.arrivals { self.relay(body, from: client, place, nameplate, now: now) }
        case (.relay(let body, nil), .joiner): self.relay(body, from: client, place, nameplate, now: now)
        case (.confirmed(let joiner), .inviter):
            if joiner == nameplate.arrivals { self.confirm(place.nameplate, now: now) }
        case (.failed(let number), .inviter):
            if number == nameplate.arrivals, let joiner = nameplate.joiner {
                self.refuse(joiner, .unknown, "the inviter refused the code", now: now)
            }
        default: self.refuse(client, .malformed, "that message is not expected here", now: now)
        }
    }

    /// A client's connection is over.
    public mutating func disconnected(_ client: ClientID, now: NIODeadline) {
        guard let place = self.places.removeValue(forKey: client) else { return }
        switch place.side {
        case .joiner: self.joinerLeft(place.nameplate)
        case .inviter:
            guard var nameplate = self.nameplates[place.nameplate], nameplate.inviter == client else { return }
            nameplate.inviter = nil
            self.nameplates[place.nameplate] = nameplate
            self.deadlines.set(min(nameplate.end, now + self.configuration.absence), for: place.nameplate)
            self.absences.set(now, for: place.nameplate)
            if let joiner = nameplate.joiner { self.send(.left, to: joiner) }
        }
    }

    /// The time has come that ``nextTimeout`` said.
    public mutating func handleTimeout(now: NIODeadline) {
        while let name = self.deadlines.popDue(now: now) { self.remove(name) }
    }

    // MARK: First messages

    private mutating func receiveFirst(_ message: MailboxMessage, from client: ClientID, now: NIODeadline) {
        switch message {
        case .allocate: self.allocate(for: client, now: now)
        case .claim(let name): self.claim(name, by: client, now: now)
        case .reopen(let name, let token): self.reopen(name, token: token, by: client, now: now)
        default: self.refuse(client, .malformed, "that message is not expected here", now: now)
        }
    }

    private mutating func allocate(for client: ClientID, now: NIODeadline) {
        if self.nameplates.count >= self.configuration.maximumNameplates, let absent = self.absences.popDue(now: now) {
            self.remove(absent)
        }
        guard self.nameplates.count < self.configuration.maximumNameplates else {
            return self.refuse(client, .full, "all nameplates are in use", now: now)
        }
        let name = self.freeName()
        let token = self.random.iceCharacters(count: 32)
        let end = now + self.configuration.lifetime
        self.nameplates[name] = Nameplate(token: token, inviter: client, end: end)
        self.places[client] = (name, .inviter)
        self.deadlines.set(end, for: name)
        self.send(.allocated(nameplate: name, token: token), to: client)
    }

    /// A number that is free, as short as can be found without trying long.
    private mutating func freeName() -> String {
        var bound: UInt64 = 9
        while true {
            for _ in 0..<8 {
                let name = String(UInt64.random(in: 1...bound, using: &self.random))
                if self.nameplates[name] == nil { return name }
            }
            // At a billion the numbers are longer than a nameplate may be; so many are never in use.
            bound = min(bound * 10 + 9, 999_999_999)
        }
    }

    private mutating func claim(_ name: String, by client: ClientID, now: NIODeadline) {
        guard var nameplate = self.nameplates[name] else {
            return self.refuse(client, .unknown, "there is no nameplate \(Self.printable(name))", now: now)
        }
        guard nameplate.tries < self.configuration.maximumTries else {
            return self.refuse(client, .locked, "too many came with wrong codes", now: now)
        }
        guard let inviter = nameplate.inviter else {
            return self.refuse(client, .absent, "the inviter is not connected", now: now)
        }
        guard nameplate.joiner == nil else {
            return self.refuse(client, .busy, "somebody is at that nameplate already", now: now)
        }
        nameplate.joiner = client
        nameplate.arrivals += 1
        nameplate.tries += 1
        nameplate.isConfirmed = false
        nameplate.joinerHasSpoken = false
        nameplate.bytes = 0
        self.nameplates[name] = nameplate
        self.places[client] = (name, .joiner)
        self.send(.claimed, to: client)
        self.send(.joined(joiner: nameplate.arrivals), to: inviter)
    }

    private mutating func reopen(_ name: String, token: String, by client: ClientID, now: NIODeadline) {
        guard var nameplate = self.nameplates[name],
            ConstantTime.equals(Array(nameplate.token.utf8).span.bytes, Array(token.utf8).span.bytes)
        else { return self.refuse(client, .unknown, "there is no such nameplate any more", now: now) }
        if let former = nameplate.inviter {
            self.places[former] = nil
            self.outputs.append(.close(former))
        }
        nameplate.inviter = client
        self.absences.set(nil, for: name)
        self.nameplates[name] = nameplate
        self.places[client] = (name, .inviter)
        self.deadlines.set(nameplate.end, for: name)
        self.send(.allocated(nameplate: name, token: token), to: client)
        // Who waits there has an exchange with nobody.
        if let joiner = nameplate.joiner {
            self.refuse(joiner, .absent, "the inviter's connection was replaced", now: now)
        }
    }

    // MARK: At a nameplate

    private mutating func relay(
        _ body: String,
        from client: ClientID,
        _ place: (nameplate: String, side: Side),
        _ nameplate: Nameplate,
        now: NIODeadline
    ) {
        let other = place.side == .inviter ? nameplate.joiner : nameplate.inviter
        guard let other else { return }
        let text = MailboxMessage.relay(body, joiner: nil).text
        // As it goes: a character that takes one byte when it comes may take six when it goes.
        let size = text.utf8.count - Self.relayOverhead
        guard size <= self.configuration.maximumMessageSize,
            nameplate.bytes + size <= self.configuration.maximumBytes
        else {
            // The joiner of an inviter that says too much has to go too: its bytes are counted together.
            return self.refuse(nameplate.joiner ?? client, .excess, "too much was sent", now: now)
        }
        self.nameplates[place.nameplate]?.bytes += size
        if place.side == .joiner { self.nameplates[place.nameplate]?.joinerHasSpoken = true }
        self.outputs.append(.send(text, to: other))
    }

    /// What is around what is passed on.
    private static let relayOverhead = MailboxMessage.relay("", joiner: nil).text.utf8.count

    private mutating func confirm(_ name: String, now: NIODeadline) {
        guard var nameplate = self.nameplates[name], nameplate.joiner != nil else { return }
        nameplate.tries = 0
        nameplate.isConfirmed = true
        if !nameplate.wasConfirmed {
            nameplate.wasConfirmed = true
            nameplate.end = max(nameplate.end, now + self.configuration.confirmedLifetime)
            self.deadlines.set(nameplate.end, for: name)
        }
        self.nameplates[name] = nameplate
    }

    private mutating func joinerLeft(_ name: String) {
        guard var nameplate = self.nameplates[name] else { return }
        nameplate.joiner = nil
        // Who said nothing has not tried anything.
        if !nameplate.joinerHasSpoken, !nameplate.isConfirmed { nameplate.tries -= 1 }
        self.nameplates[name] = nameplate
        guard let inviter = nameplate.inviter else { return }
        self.send(.left, to: inviter)
        if nameplate.tries >= self.configuration.maximumTries { self.send(.locked, to: inviter) }
    }

    private mutating func remove(_ name: String) {
        guard let nameplate = self.nameplates.removeValue(forKey: name) else { return }
        self.deadlines.set(nil, for: name)
        self.absences.set(nil, for: name)
        for client in [nameplate.inviter, nameplate.joiner].compactMap({ $0 }) {
            self.places[client] = nil
            self.send(.error(.expired, "the nameplate's time is over"), to: client)
            self.outputs.append(.close(client))
        }
    }

    private mutating func refuse(_ client: ClientID, _ refusal: MailboxRefusal, _ words: String, now: NIODeadline) {
        self.send(.error(refusal, words), to: client)
        self.outputs.append(.close(client))
        self.disconnected(client, now: now)
    }

    private mutating func send(_ message: MailboxMessage, to client: ClientID) {
        self.outputs.append(.send(message.text, to: client))
    }

    /// What a client named, in a form that is safe to say back.
    private static func printable(_ name: String) -> String { Self.isNameplate(name) ? name : "of that form" }
}
