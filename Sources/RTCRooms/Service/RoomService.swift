import NIOCore
public import RTCSignaling
import Synchronization

/// The way from a service to one client.
package protocol RoomLink: AnyObject, Sendable {
    /// Sends a message; only hands it on, and never waits.
    func send(_ text: String)
    /// Closes after what was sent.
    func close()
}

/// Rooms for the clients of a server, over whatever channels they come.
///
/// Everything may be called from anywhere. With `RTCSignalingServer`, routes name the service; any other channel is served by
/// ``serve(_:request:)``.
public final class RoomService: Sendable {
    /// Decides on who may join.
    public typealias Decision = @Sendable (RoomAdmission) async -> RoomDecision

    private struct State {
        var broker: RoomBroker
        var links: [RoomConnectionID: any RoomLink] = [:]
        /// What the owner decides at the moment; cancelled with its channel.
        var decisions: [RoomConnectionID: Task<Void, Never>] = [:]
        /// Whether somebody performs what the broker says: one at a time, so that everything stays in its order.
        var isPumping = false
    }

    /// Limits and times.
    public let configuration: RoomConfiguration

    private let decide: Decision?
    private let state: Mutex<State>
    private let wakeUp = WakeUp()

    /// A service without rooms.
    ///
    /// - Parameters:
    ///   - configuration: Limits and times.
    ///   - decide: Asked before a client joins, and cancelled if that goes; nil lets everybody join everything.
    public init(configuration: RoomConfiguration = RoomConfiguration(), decide: Decision? = nil) {
        var configuration = configuration
        configuration.asks = decide != nil
        self.configuration = configuration
        self.decide = decide
        self.state = Mutex(State(broker: RoomBroker(configuration: configuration)))
    }

    /// What there is now, and what was counted.
    public var statistics: RoomStatistics { self.state.withLock { $0.broker.statistics } }

    /// The members of a room, in the order in which they came.
    public func members(of room: RoomName) -> [RoomMember] { self.state.withLock { $0.broker.members(of: room) } }

    /// Removes a member; the others see it leave. Does nothing if there is none.
    ///
    /// - Parameter reason: Words for it.
    public func remove(_ member: RoomMemberID, reason: String = "") {
        self.perform { $0.broker.remove(member, reason: reason, now: .now()) }
    }

    /// Ends all channels, saying that the server stops, and takes no more.
    public func shutdown() { self.perform { $0.broker.shutdown(now: .now()) } }

    /// Serves one client over a channel, until either side closes it.
    ///
    /// - Parameters:
    ///   - channel: The channel, which is closed at the end.
    ///   - request: The request that began it, for the owner to decide by.
    public func serve(_ channel: any SignalingChannel, request: SignalingRequest? = nil) async {
        let link = ChannelRoomLink(channel, maximumUnsentBytes: 2 * self.configuration.maximumKeptBytes)
        guard let id = self.open(link, request: request) else { return await channel.close() }
        await withDiscardingTaskGroup { group in
            group.addTask { await link.run() }
            while let text = try? await channel.receive() { self.receive(text, from: id) }
            self.ended(id)
            link.close()
        }
    }

    // MARK: Channels

    /// A new channel; nil if there are as many as allowed.
    package func open(_ link: any RoomLink, request: SignalingRequest?) -> RoomConnectionID? {
        let id = self.state.withLock { state in
            let id = state.broker.open(request: request, now: .now())
            if let id { state.links[id] = link }
            return id
        }
        self.perform { _ in }
        return id
    }

    /// A client sent something.
    package func receive(_ text: String, from id: RoomConnectionID) {
        self.perform { $0.broker.receive(text, from: id, now: .now()) }
    }

    /// A channel is over.
    package func ended(_ id: RoomConnectionID) {
        var decision: Task<Void, Never>?
        self.perform { state in
            state.links[id] = nil
            decision = state.decisions.removeValue(forKey: id)
            state.broker.connectionEnded(id, now: .now())
        }
        decision?.cancel()
    }

    // MARK: Driving

    private func perform(_ change: (inout State) -> Void) {
        let mustPump = self.state.withLock { state in
            change(&state)
            defer { state.isPumping = true }
            return !state.isPumping
        }
        if mustPump { self.pump() }
    }

    /// Performs what the broker says, without its lock: links may report at once.
    private func pump() {
        while true {
            let (steps, nextTimeout) = self.state.withLock { state in
                let steps = Self.takeSteps(&state)
                if steps.isEmpty { state.isPumping = false }
                return (steps, state.broker.nextTimeout)
            }
            guard !steps.isEmpty else {
                return self.wakeUp.set(nextTimeout) { [weak self] in
                    self?.perform { $0.broker.handleTimeout(now: .now()) }
                }
            }
            for step in steps { self.perform(step) }
        }
    }

    private enum Step {
        case send(any RoomLink, String)
        case close(any RoomLink)
        case cancel(Task<Void, Never>)
        case ask(RoomAdmission)
    }

    private static func takeSteps(_ state: inout State) -> [Step] {
        var steps: [Step] = []
        while let output = state.broker.poll() {
            switch output {
            case .transmit(let id, let text): if let link = state.links[id] { steps.append(.send(link, text)) }
            case .close(let id):
                if let link = state.links.removeValue(forKey: id) { steps.append(.close(link)) }
                if let decision = state.decisions.removeValue(forKey: id) { steps.append(.cancel(decision)) }
            case .ask(let admission): steps.append(.ask(admission))
            }
        }
        return steps
    }

    private func perform(_ step: Step) {
        switch step {
        case .send(let link, let text): link.send(text)
        case .close(let link): link.close()
        // Without the lock: what is cancelled may call at once.
        case .cancel(let decision): decision.cancel()
        case .ask(let admission): self.ask(admission)
        }
    }

    private func ask(_ admission: RoomAdmission) {
        guard let decide = self.decide else { return }
        let id = admission.connection
        self.state.withLock { state in
            // The channel may be gone since it was asked for.
            guard state.links[id] != nil else { return }
            state.decisions[id] = Task {
                let decision = await decide(admission)
                self.perform { state in
                    state.decisions[id] = nil
                    state.broker.answer(id, decision, now: .now())
                }
            }
        }
    }
}
