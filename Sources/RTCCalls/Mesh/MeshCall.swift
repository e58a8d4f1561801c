import NIOCore
public import RTCBase
public import RTCRooms
import RTCSignaling
public import WebRTC

/// A call of all members of a room with each other: one connection for each other member, made when it comes and closed when it is gone.
///
/// ```swift
/// let call = MeshCall(room: client, makeConnection: { () throws(RTCError) in try RTCPeerConnection() }) { peer in
///     _ = try await peer.connection.createDataChannel("chat", .init(negotiated: true, id: 0))
/// }
/// async let done: Void = call.run()
/// for await case .peer(let peer) in call.events { print(peer.member) }
/// ```
///
/// Who came later offers; the member with the lower id is polite.
public actor MeshCall {
    /// Makes a connection.
    public typealias Making = @Sendable () throws(RTCError) -> RTCPeerConnection
    /// Adds tracks and channels to a new connection, before it is negotiated. It must not wait for the connection.
    public typealias Preparation = @Sendable (MeshPeer) async throws -> Void

    private let room: RoomClient
    private let configuration: NegotiatorConfiguration
    private let makeConnection: Making
    private let prepare: Preparation
    private let clock: any Clock<Duration>
    private let stopwatch: Stopwatch
    private let queue = EventQueue<MeshEvent>(capacity: 256)
    private var peers: [RoomMemberID: MeshPeer] = [:]
    private var members: [RoomMemberID: Presence] = [:]
    private var isEnded = false

    /// How long a connection that a member began in place of another stands at least: what one member can cost.
    private static let replacementInterval = TimeAmount.seconds(1)
    /// How long a connection that is over waits for the reason.
    private static let patience = Duration.seconds(1)

    /// What is known of a member, whether it is connected or not.
    private struct Presence {
        var member: RoomMember
        /// The number of the last connection with it.
        var call = 0
        /// When the member last began another in its place.
        var lastReplacement: NIODeadline?
        var backOff = BackOff(first: .seconds(2), longest: .seconds(60), random: .system)
    }

    /// What happens, from the first event on; to be read by one task. Who does not read holds the call up.
    public nonisolated var events: MeshEvents { MeshEvents(queue: self.queue) }

    /// A call in the room that `room` joins.
    ///
    /// - Parameters:
    ///   - room: A client whose events nobody reads; it may join before or after ``run()``.
    ///   - configuration: How connections are negotiated and kept.
    ///   - makeConnection: Makes a connection, for example of a `WebRTCEndpoint`.
    ///   - clock: What tells the time between connections; each of them keeps its own.
    ///   - prepare: Adds tracks and channels to it.
    public init(
        room: RoomClient,
        configuration: NegotiatorConfiguration = NegotiatorConfiguration(),
        makeConnection: @escaping Making,
        clock: any Clock<Duration> = ContinuousClock(),
        prepare: @escaping Preparation
    ) {
        self.room = room
        self.configuration = configuration
        self.makeConnection = makeConnection
        self.clock = clock
        self.stopwatch = Stopwatch(clock)
        self.prepare = prepare
    }

    /// The connections there are.
    public var connections: [MeshPeer] { self.peers.values.sorted { $0.member.id < $1.member.id } }

    /// The connection to a member; nil while there is none.
    public func peer(_ member: RoomMemberID) -> MeshPeer? { self.peers[member] }

    /// Holds the call until the client is no member of the room any more, or the task is cancelled: then it leaves.
    public func run() async {
        await withTaskCancellationHandler {
            for await event in self.room.events {
                await self.queue.waitForRoom()
                await self.take(event)
            }
        } onCancel: {
            self.room.leave()
        }
        await self.endAll(.closed)
        self.isEnded = true
        self.queue.finish()
    }

    // MARK: The room

    private func take(_ event: RoomEvent) async {
        if case .message(.negotiation(let message), let from) = event { return await self.take(message, from: from) }
        self.queue.put(.room(event))
        switch event {
        case .joined(_, let others): for member in others { await self.meet(member, offersFirst: true) }
        case .rejoined(_, let others, _, _):
            // To the others this side has left and come; to this side so have they.
            await self.endAll(.rejoined)
            for member in others { await self.meet(member, offersFirst: true) }
        case .memberJoined(let member): await self.meet(member, offersFirst: false)
        case .memberLeft(let member, let reason):
            self.members[member.id] = nil
            await self.end(member.id, .left(reason))
        case .ended: await self.endAll(.closed)
        case .message, .interrupted, .resumed: break
        }
    }

    private func take(_ message: NegotiationMessage, from id: RoomMemberID) async {
        guard let presence = self.members[id] else { return }
        if let peer = self.peers[id], message.call == presence.call { return await self.pass(message, to: peer) }
        // A later connection takes the place of the one before.
        guard message.call > presence.call, case .offer = message.content else { return }
        // No honest one comes sooner: who gives a connection up waits first.
        let now = self.stopwatch.now()
        if let last = presence.lastReplacement, now - last < Self.replacementInterval { return }
        self.members[id]?.lastReplacement = now
        await self.end(id, .replaced)
        await self.connect(id, call: message.call, offersFirst: false)
        if let peer = self.peers[id] { await self.pass(message, to: peer) }
    }

    private func pass(_ message: NegotiationMessage, to peer: MeshPeer) async {
        await peer.negotiator.receive(message)
        if case .bye(let reason) = message.content { await self.end(peer.member.id, .bye(reason)) }
    }

    // MARK: Connections

    private func meet(_ member: RoomMember, offersFirst: Bool) async {
        self.members[member.id] = Presence(member: member)
        await self.connect(member.id, call: 1, offersFirst: offersFirst)
    }

    private func connect(_ id: RoomMemberID, call: Int, offersFirst: Bool) async {
        guard let member = self.members[id]?.member, let me = self.room.member?.id, !self.isEnded else { return }
        self.members[id]?.call = call
        var configuration = self.configuration
        // The other side's offer is on its way; ours would only meet it.
        if !offersFirst { configuration.firstOfferDelay = max(configuration.firstOfferDelay, .seconds(2)) }
        let room = self.room
        do {
            let connection = try self.makeConnection()
            let negotiator = Negotiator(
                connection,
                call: call,
                isPolite: me < id,
                configuration: configuration
            ) { message in
                // After a rejoin it would speak for another member.
                room.member?.id == me && (try? room.send(.negotiation(message), to: .member(id))) != nil
            }
            let peer = MeshPeer(member: member, negotiator: negotiator)
            // Another may have been begun while the one before was closed.
            let before = self.peers.updateValue(peer, forKey: id)
            if let before {
                self.queue.put(.ended(before, .replaced))
                await before.connection.close()
            }
            await negotiator.whenGivenUp { [weak self, weak peer] in
                guard let peer else { return }
                await self?.gaveUp(peer)
            }
            do {
                try await self.prepare(peer)
            } catch {
                if self.peers[id] === peer { await self.end(id, .closed) }
                throw error
            }
            if self.peers[id] === peer { self.queue.put(.peer(peer)) }
        } catch {
            self.queue.put(.failed(member, "\(error)"))
        }
    }

    /// A connection failed for good: a moment later another is tried.
    private func gaveUp(_ peer: MeshPeer) async {
        let id = peer.member.id
        // Who leaves closes its connections, and the room's word for it may take longer.
        try? await self.clock.sleep(for: Self.patience)
        guard self.peers[id] === peer else { return }
        // Read before anything else can happen: while the connection is closed, the member may begin another, or this side be another.
        let (call, delay, me) = (self.members[id]?.call, self.members[id]?.backOff.next(), self.room.member?.id)
        await self.end(id, .failed)
        guard let call, let delay, let me else { return }
        Task { [weak self, clock] in
            try? await clock.sleep(for: Duration(delay))
            await self?.reconnect(id, after: call, as: me)
        }
    }

    private func reconnect(_ id: RoomMemberID, after call: Int, as me: RoomMemberID) async {
        guard self.members[id]?.call == call, self.peers[id] == nil, self.room.member?.id == me else { return }
        await self.connect(id, call: call + 1, offersFirst: true)
    }

    private func end(_ id: RoomMemberID, _ reason: MeshEnd) async {
        guard let peer = self.peers.removeValue(forKey: id) else { return }
        self.queue.put(.ended(peer, reason))
        switch reason {
        case .closed: await peer.negotiator.close()
        case .left, .bye, .failed, .replaced, .rejoined: await peer.connection.close()
        }
    }

    private func endAll(_ reason: MeshEnd) async {
        self.members = [:]
        for id in self.peers.keys { await self.end(id, reason) }
    }
}

/// What happens in a mesh, as a sequence for one reader; ends with ``MeshCall/run()``.
public struct MeshEvents: AsyncSequence, Sendable {
    /// Reads the events.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let queue: EventQueue<MeshEvent>

        /// The next event; nil after the end, and when the task is cancelled.
        public mutating func next() async -> MeshEvent? { await self.queue.next() }
    }

    let queue: EventQueue<MeshEvent>

    /// The one iterator.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: self.queue) }
}
