import NIOCore
import RTCBase
import RTCRooms
import RTCSignaling

/// A server of rooms and its clients in virtual time, over channels that take their time and break.
struct RoomWorld {
    /// One channel: what is under way each way, in order.
    struct Link {
        var connection: RoomConnectionID
        var toServer: [(due: NIODeadline, text: String)] = []
        var toClient: [(due: NIODeadline, text: String)] = []
        /// The server closed it; the client learns after the last message.
        var isClosing = false
    }

    struct Client {
        var session: RoomSession
        var channel = 0
        var opening: NIODeadline?
        var link: Link?
        var events: [RoomEvent] = []
    }

    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var broker: RoomBroker
    var clients: [Client] = []
    var random: RandomSource
    var configuration: RoomConfiguration
    /// Whether channels can be opened.
    var isReachable = true
    /// How the owner decides, where it is asked.
    var decide: (RoomAdmission) -> RoomDecision? = { _ in .allow() }

    init(seed: UInt64, configuration: RoomConfiguration = RoomConfiguration()) {
        self.random = .seeded(seed)
        self.configuration = configuration
        self.broker = RoomBroker(configuration: configuration, random: .seeded(seed &+ 1))
    }

    mutating func add(
        _ room: String = "room",
        metadata: JSONValue = [:],
        credential: String? = nil,
        configuration: RoomClientConfiguration = RoomClientConfiguration()
    ) -> Int {
        var session = RoomSession(
            room: RoomName(room)!,
            metadata: metadata,
            credential: credential,
            configuration: configuration,
            random: .seeded(self.random.next())
        )
        session.start(now: self.now)
        self.clients.append(Client(session: session))
        return self.clients.count - 1
    }

    /// A new server that knows nothing, in place of the one that was killed.
    mutating func restartServer() {
        for index in self.clients.indices { self.breakLink(of: index) }
        self.broker = RoomBroker(configuration: self.configuration, random: .seeded(self.random.next()))
    }

    /// Loses a channel with all that is under way on it.
    mutating func breakLink(of index: Int, serverNotices: Bool = true) {
        guard let link = self.clients[index].link else { return }
        self.clients[index].link = nil
        if serverNotices { self.broker.connectionEnded(link.connection, now: self.now) }
        let error = SignalingChannelError.connectionFailed(reason: "broken")
        self.clients[index].session.channelFailed(self.clients[index].channel, error, now: self.now)
    }

    private mutating func delay() -> TimeAmount {
        .milliseconds(Int64.random(in: 1...40, using: &self.random))
    }

    /// Does all that is due now.
    mutating func settle() {
        var isBusy = true
        while isBusy {
            isBusy = false
            for index in self.clients.indices {
                while let output = self.clients[index].session.poll() {
                    isBusy = true
                    self.perform(output, of: index)
                }
            }
            while let output = self.broker.poll() {
                isBusy = true
                self.perform(output)
            }
        }
    }

    private mutating func perform(_ output: RoomSession.Output, of index: Int) {
        switch output {
        case .open(let channel):
            self.clients[index].channel = channel
            self.clients[index].opening = self.now + self.delay()
        case .transmit(let channel, let text):
            guard channel == self.clients[index].channel else { return }
            let due = max(self.clients[index].link?.toServer.last?.due ?? self.now, self.now + self.delay())
            self.clients[index].link?.toServer.append((due, text))
        case .close(let channel):
            guard channel == self.clients[index].channel else { return }
            self.clients[index].opening = nil
            guard let link = self.clients[index].link else { return }
            // What was sent still arrives.
            for (_, text) in link.toServer { self.broker.receive(text, from: link.connection, now: self.now) }
            self.clients[index].link = nil
            self.broker.connectionEnded(link.connection, now: self.now)
        case .event(let event): self.clients[index].events.append(event)
        }
    }

    private mutating func perform(_ output: RoomBroker.Output) {
        switch output {
        case .transmit(let id, let text):
            guard let index = self.clients.firstIndex(where: { $0.link?.connection == id }) else { return }
            let due = max(self.clients[index].link?.toClient.last?.due ?? self.now, self.now + self.delay())
            self.clients[index].link?.toClient.append((due, text))
        case .close(let id):
            guard let index = self.clients.firstIndex(where: { $0.link?.connection == id }) else { return }
            self.clients[index].link?.isClosing = true
        case .ask(let admission):
            if let decision = self.decide(admission) {
                self.broker.answer(admission.connection, decision, now: self.now)
            }
        }
    }

    private var nextEvent: NIODeadline? {
        var due = [self.broker.nextTimeout]
        for client in self.clients {
            due += [client.session.nextTimeout, client.opening, client.link?.toServer.first?.due]
            due.append(client.link?.toClient.first?.due ?? (client.link?.isClosing == true ? self.now : nil))
        }
        return due.compactMap { $0 }.min()
    }

    /// Lets time pass.
    mutating func run(for duration: TimeAmount) {
        let limit = self.now + duration
        self.settle()
        while let due = self.nextEvent, due <= limit {
            self.now = max(self.now, due)
            self.step()
            self.settle()
        }
        self.now = limit
    }

    private mutating func step() {
        if let due = self.broker.nextTimeout, due <= self.now { self.broker.handleTimeout(now: self.now) }
        for index in self.clients.indices {
            if let due = self.clients[index].session.nextTimeout, due <= self.now {
                self.clients[index].session.handleTimeout(now: self.now)
            }
            self.openIfDue(index)
            if let link = self.clients[index].link, let first = link.toServer.first, first.due <= self.now {
                self.clients[index].link?.toServer.removeFirst()
                self.broker.receive(first.text, from: link.connection, now: self.now)
            }
            if let link = self.clients[index].link, let first = link.toClient.first, first.due <= self.now {
                self.clients[index].link?.toClient.removeFirst()
                self.clients[index].session.receive(first.text, from: self.clients[index].channel, now: self.now)
            }
            if let link = self.clients[index].link, link.isClosing, link.toClient.isEmpty {
                self.clients[index].link = nil
                self.clients[index].session.channelFailed(
                    self.clients[index].channel,
                    .closed(code: 1000, reason: ""),
                    now: self.now
                )
            }
        }
    }

    private mutating func openIfDue(_ index: Int) {
        guard let due = self.clients[index].opening, due <= self.now else { return }
        self.clients[index].opening = nil
        let channel = self.clients[index].channel
        if self.isReachable, let connection = self.broker.open(now: self.now) {
            self.clients[index].link = Link(connection: connection)
            self.clients[index].session.channelOpened(channel, now: self.now)
        } else {
            self.clients[index].session.channelFailed(channel, .connectionFailed(reason: "none"), now: self.now)
        }
    }

    // MARK: Looking

    func id(_ index: Int) -> RoomMemberID { self.clients[index].session.member!.id }

    func data(_ index: Int) -> [JSONValue] {
        self.clients[index].events.compactMap { event in
            guard case .message(.data(let data), _) = event else { return nil }
            return data
        }
    }

    mutating func clearEvents() { for index in self.clients.indices { self.clients[index].events = [] } }

    mutating func send(_ data: JSONValue, from index: Int, to recipient: RoomRecipient = .everyone) throws {
        try self.clients[index].session.send(.data(data), to: recipient, now: self.now)
    }
}
