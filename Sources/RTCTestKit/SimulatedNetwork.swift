public import NIOCore
public import RTCBase

/// A network in memory, in virtual time, that does what its seed says: the same seed, the same losses.
///
/// Datagrams are handed in with ``send(_:from:to:now:)`` and come out of ``deliver(now:)`` when their time has come.
public struct SimulatedNetwork {
    /// The qualities of the way between any two addresses; each direction draws for itself.
    public struct Link: Sendable, Hashable {
        /// The one-way delay. Default 1 ms.
        public var delay: TimeAmount = .milliseconds(1)
        /// By how much the delay varies, up or down. Default 0.
        public var jitter: TimeAmount = .zero
        /// The share of datagrams that are lost, 0 to 1. Default 0.
        public var loss = 0.0
        /// How many datagrams a loss takes on average, at least 1. Default 1.
        public var lossBurst = 1.0
        /// The share of datagrams that arrive twice, 0 to 1. Default 0.
        public var duplication = 0.0
        /// The share of datagrams that overtake those before them, 0 to 1. Default 0.
        public var reordering = 0.0
        /// Bytes per second; `nil`, the default, without limit.
        public var rate: Int?
        /// Bytes that may wait for the rate before datagrams are dropped. Default 256 KiB.
        public var queue = 256 << 10
        /// The largest datagram that passes, in bytes. Default 1500.
        public var mtu = 1500

        /// A good link.
        public init() {}
    }

    /// What became of the datagrams.
    public struct Counters: Sendable, Hashable {
        /// Datagrams handed in.
        public var sent = 0
        /// Datagrams that arrived, copies included.
        public var delivered = 0
        /// Datagrams lost by chance or on the way to or from an unreachable address.
        public var lost = 0
        /// Datagrams that were doubled.
        public var duplicated = 0
        /// Datagrams larger than the link takes.
        public var tooLarge = 0
        /// Datagrams that found the queue full.
        public var overflown = 0
    }

    /// A datagram that arrives.
    public struct Delivery: Sendable {
        /// The datagram.
        public var bytes: ByteBuffer
        /// Where it was sent from.
        public var source: TransportAddress
        /// Where it was sent to.
        public var destination: TransportAddress
    }

    private struct InFlight {
        var due: NIODeadline
        var order: UInt64
        var delivery: Delivery
    }

    private struct Direction: Hashable {
        var source: TransportAddress
        var destination: TransportAddress
    }

    private struct DirectionState {
        var freeAt = NIODeadline.uptimeNanoseconds(0)
        var isLosing = false
    }

    /// The link's qualities; may be changed at any time.
    public var link: Link
    /// Addresses that nothing reaches and nothing leaves.
    public var unreachable: Set<TransportAddress> = []
    /// What became of the datagrams.
    public private(set) var counters = Counters()
    private var random: RandomSource
    private var inFlight: [InFlight] = []
    private var directions: [Direction: DirectionState] = [:]
    private var order: UInt64 = 0

    /// A network whose chances follow from `seed`.
    public init(link: Link = Link(), seed: UInt64) {
        self.link = link
        self.random = .seeded(seed)
    }

    /// Hands a datagram to the network.
    public mutating func send(
        _ bytes: ByteBuffer,
        from source: TransportAddress,
        to destination: TransportAddress,
        now: NIODeadline
    ) {
        self.counters.sent += 1
        guard bytes.readableBytes <= self.link.mtu else {
            self.counters.tooLarge += 1
            return
        }
        if self.unreachable.contains(source) || self.unreachable.contains(destination) {
            self.counters.lost += 1
            return
        }
        let direction = Direction(source: source, destination: destination)
        var state = self.directions[direction] ?? DirectionState()
        defer { self.directions[direction] = state }
        guard !self.loses(&state) else {
            self.counters.lost += 1
            return
        }
        guard let departure = self.departure(of: bytes.readableBytes, &state, now) else {
            self.counters.overflown += 1
            return
        }
        let delivery = Delivery(bytes: bytes, source: source, destination: destination)
        self.enqueue(delivery, departure)
        if self.chance(self.link.duplication) {
            self.counters.duplicated += 1
            self.enqueue(delivery, departure)
        }
    }

    /// The datagrams whose time has come, in the order they arrive.
    public mutating func deliver(now: NIODeadline) -> [Delivery] {
        var arrived: [Delivery] = []
        while let next = self.inFlight.last, next.due <= now {
            self.inFlight.removeLast()
            arrived.append(next.delivery)
        }
        self.counters.delivered += arrived.count
        return arrived
    }

    /// When the next datagram arrives, `nil` if none is on its way.
    public var nextDelivery: NIODeadline? { self.inFlight.last?.due }

    private mutating func chance(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &self.random) < probability
    }

    /// Losses come in runs of `lossBurst` on average (the Gilbert model).
    private mutating func loses(_ state: inout DirectionState) -> Bool {
        guard self.link.loss > 0 else { return false }
        guard self.link.lossBurst > 1 else { return self.chance(self.link.loss) }
        if state.isLosing {
            state.isLosing = !self.chance(1 / self.link.lossBurst)
        } else {
            let entering = self.link.loss / (self.link.lossBurst * max(1e-9, 1 - self.link.loss))
            state.isLosing = self.chance(min(1, entering))
        }
        return state.isLosing
    }

    private mutating func departure(of size: Int, _ state: inout DirectionState, _ now: NIODeadline) -> NIODeadline? {
        guard let rate = self.link.rate, rate > 0 else { return now }
        let start = max(state.freeAt, now)
        let waiting = Int((start - now).nanoseconds) / 1_000 * rate / 1_000_000
        guard waiting <= self.link.queue else { return nil }
        state.freeAt = start + .nanoseconds(Int64(size) * 1_000_000_000 / Int64(rate))
        return state.freeAt
    }

    private mutating func enqueue(_ delivery: Delivery, _ departure: NIODeadline) {
        var delay = self.link.delay
        if self.link.jitter > .zero {
            let range = -self.link.jitter.nanoseconds...self.link.jitter.nanoseconds
            delay = max(.zero, delay + .nanoseconds(Int64.random(in: range, using: &self.random)))
        }
        if self.chance(self.link.reordering) { delay = .zero }
        self.order += 1
        let flight = InFlight(due: departure + delay, order: self.order, delivery: delivery)
        // Latest first, so that the next to arrive is taken from the end.
        var low = 0
        var high = self.inFlight.count
        while low < high {
            let middle = (low + high) / 2
            let other = self.inFlight[middle]
            if (other.due, other.order) > (flight.due, flight.order) { low = middle + 1 } else { high = middle }
        }
        self.inFlight.insert(flight, at: low)
    }
}
