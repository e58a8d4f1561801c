internal import Logging
internal import NIOCore
internal import RTCBase
internal import RTCSockets
internal import RTCTURN

/// One thread's part of a server: its sockets, its core, and the relays of the core's allocations.
///
/// It does not run on one of NIO's event loops: relays come by the ten thousand, and a channel of NIO's for each costs tens of
/// times the memory and twice the time of a bare socket that is read and written in batches. Confined to its thread.
final class TURNShard {
    /// What a shard needs of its server.
    struct Setting: Sendable {
        let index: Int
        let configuration: ValidConfiguration
        let core: TURNServerCoreConfiguration
        let ledger: TURNQuotaLedger
        let reservedPorts: ReservedPorts
        let mailbox: ShardMailbox
        let streams: StreamServices
        let listeners: [DatagramSocket]
        let logger: Logger
    }

    struct Listener {
        let socket: DatagramSocket
        let sender: DatagramSender
    }

    struct Relay {
        let id: TURNRelayID
        let socket: DatagramSocket
        /// How many datagrams are read at once.
        var readLimit = 1
    }

    let setting: Setting
    let core: TURNServerCore
    let poller: Poller
    let listeners: [Listener]
    var listenerIndex: [TransportAddress: Int] = [:]
    /// Relays over UDP, by the slots of their IDs.
    var relays: [Relay?] = []
    let clientArena: DatagramArena
    let peerArena: DatagramArena
    /// Slots of ``peerArena`` whose datagrams wait to be sent.
    var usedPeerSlots = 0
    let relaySender: DatagramSender
    /// Whose datagrams are in ``relaySender``.
    var sendingRelay: DatagramSocket?
    let head: UnsafeMutableRawBufferPointer
    var streams: [TURNFiveTuple: ShardStream] = [:]
    var dirtyStreams: [ShardStream] = []
    var tcpRelays: [TURNRelayID: any Channel] = [:]
    var peerStreams: [UInt32: PeerStream] = [:]
    /// Connections to peers that the core still waits for.
    var connectingPeers: Set<UInt32> = []
    /// Who finds out about users, by the question, also what was cancelled and has not returned yet.
    var questions: [UInt64: Task<Void, Never>] = [:]
    var drained: [EventLoopPromise<Void>] = []
    var random = RandomSource.system
    var drops = ShardDrops()
    var metrics: ShardMetrics
    var isRunning = true

    init(_ setting: Setting) throws {
        self.setting = setting
        let now = NIODeadline.now()
        self.core = TURNServerCore(
            configuration: setting.core,
            ledger: setting.ledger,
            unixTime: WallClock.unixSeconds(),
            now: now
        )
        self.poller = try Poller()
        self.listeners = try setting.listeners.map {
            Listener(socket: $0, sender: try DatagramSender(capacity: Self.sendersCapacity))
        }
        self.clientArena = try DatagramArena(slots: Self.clientSlots)
        self.peerArena = try DatagramArena(slots: Self.peerSlots)
        self.relaySender = try DatagramSender(capacity: Self.sendersCapacity)
        self.head = .allocate(byteCount: TURNDelivery.maximumHeaderSize, alignment: 8)
        self.metrics = ShardMetrics(index: setting.index)
        try self.poller.add(setting.mailbox.waker, tag: Self.mailboxTag)
        for (index, listener) in self.listeners.enumerated() {
            self.listenerIndex[listener.socket.address] = index
            try self.poller.add(listener.socket, tag: Self.listenerTag | UInt64(index))
        }
    }

    deinit { self.head.deallocate() }

    static let clientSlots = 32
    static let peerSlots = 64
    static let slotsPerRelay = 8
    static let sendersCapacity = 512
    /// Beyond all tags of relays, whose generations are cut to 31 bits.
    static let listenerTag: UInt64 = 1 << 63
    static let mailboxTag: UInt64 = UInt64.max

    /// Serves until it is told to close. This is all that the thread does.
    func run() {
        var nextReport = NIODeadline.now() + Self.reportInterval
        var moderation = WakeupModeration(pause: self.setting.configuration.configuration.wakeupPause, now: .now())
        while self.isRunning {
            var now: NIODeadline?
            self.poller.wait(milliseconds: Self.tick) { event in
                let time = now ?? NIODeadline.now()
                now = time
                self.handle(event, now: time)
            }
            let time = now ?? NIODeadline.now()
            if let due = self.core.nextTimeout, due <= time {
                self.core.handleTimeout(now: time)
                self.drainOutputs(now: time)
            }
            self.flush()
            if time >= nextReport {
                nextReport = time + Self.reportInterval
                self.core.setUnixTime(WallClock.unixSeconds(), now: time)
                self.metrics.report(self.core, self.drops)
                self.closeStalledStreams(now: time)
            }
            let relayed = self.core.counters.datagramsToPeers &+ self.core.counters.datagramsToClients
            let rest = moderation.rest(after: relayed, now: time)
            if rest > 0 { self.poller.rest(microseconds: rest) }
        }
        self.shutDown()
    }

    /// The core's timers have ticks of a second.
    private static let tick: CInt = 500
    private static let reportInterval = TimeAmount.seconds(1)

    private func handle(_ event: Poller.Event, now: NIODeadline) {
        if event.tag == Self.mailboxTag { return self.readMailbox(now: now) }
        if event.tag & Self.listenerTag != 0 {
            return self.receiveFromClients(self.listeners[Int(event.tag & 0xFFFF)], now: now)
        }
        let slot = Int(event.tag & 0xFFFF_FFFF)
        guard slot < self.relays.count, let relay = self.relays[slot], Self.tag(of: relay.id) == event.tag else {
            return
        }
        if event.hasFailed { self.receiveErrors(of: relay, now: now) }
        if event.isReadable { self.receiveFromPeers(of: relay, now: now) }
    }

    static func tag(of id: TURNRelayID) -> UInt64 { id.rawValue & ~Self.listenerTag }

    private func shutDown() {
        let now = NIODeadline.now()
        self.core.close(now: now)
        self.drainOutputs(now: now)
        self.flush()
        for question in self.questions.values { question.cancel() }
        for message in self.setting.mailbox.close() { Self.refuse(message, self.counters) }
        for listener in self.listeners { listener.socket.close() }
        for relay in self.relays { relay?.socket.close() }
        for channel in self.tcpRelays.values { channel.close(promise: nil) }
        for peer in self.peerStreams.values { peer.channel.close(promise: nil) }
        for stream in self.streams.values { stream.client.channel.close(promise: nil) }
        for promise in self.drained { promise.succeed() }
    }

    /// What the core and the shard have counted.
    var counters: TURNServerCounters {
        var counters = self.core.counters
        counters.unsent = self.drops.unsent
        counters.slowReaders = self.drops.slowReaders
        counters.stalledReaders = self.drops.stalledReaders
        return counters
    }

    /// Answers a message that came too late.
    static func refuse(_ message: ShardMessage, _ counters: TURNServerCounters) {
        switch message {
        case .count(let promise): promise.succeed(counters)
        case .drain(let promise): promise.succeed()
        case .streamOpened(let client): client.channel.close(promise: nil)
        case .relayOpened(_, _, let channel): channel.close(promise: nil)
        case .peerAccepted(_, _, let peer), .peerConnecting(_, let peer), .peerConnected(_, let peer):
            peer.channel.close(promise: nil)
        default: break
        }
    }
}

/// What a shard had to drop, beyond what its core counts.
struct ShardDrops: Sendable {
    /// Datagrams that the kernel did not take.
    var unsent = 0
    /// Datagrams for clients that read too slowly.
    var slowReaders = 0
    /// Clients that read nothing any more, and were cut off.
    var stalledReaders = 0
}
