public import NIOCore

/// Makes one beginning and one end of the many packets of each telephone event (RFC 4733 section 2.5.2).
public struct TelephoneEventReceiver: Sendable {
    /// What happened.
    public enum Output: Sendable, Hashable {
        /// An event began.
        case began(event: UInt8, volume: UInt8, timestamp: UInt32)
        /// The event ended, having lasted so many ticks.
        case ended(event: UInt8, duration: UInt32, timestamp: UInt32)
    }

    /// What was not used.
    public struct Counters: Sendable, Hashable {
        /// Packets that are cut short.
        public internal(set) var malformed: UInt64 = 0
        /// Packets of events that are over, late or repeated.
        public internal(set) var repeated: UInt64 = 0
        /// Events whose end did not arrive.
        public internal(set) var unfinished: UInt64 = 0
    }

    private struct Current: Sendable {
        var event: UInt8
        var timestamp: UInt32
        /// Of the packets under way: an event that outlasts 16 bits goes on in a further segment.
        var segment: UInt32
        var duration: UInt32
        var deadline: NIODeadline
    }

    /// After this time without a packet an event is taken to be over: five packets of the usual 50 ms.
    public static let patience = TimeAmount.milliseconds(250)

    /// What was not used.
    public private(set) var counters = Counters()
    private var current: Current?
    private var lastSegment: UInt32?
    private var outputs: [Output] = []

    /// A receiver of one stream.
    public init() {}

    /// Takes in a packet.
    ///
    /// - Parameters:
    ///   - payload: The packet's payload; of several events in it the first counts.
    ///   - timestamp: The packet's RTP timestamp.
    ///   - marker: The packet's marker bit, set on the first packet of an event.
    public mutating func receive(_ payload: RawSpan, timestamp: UInt32, marker: Bool, now: NIODeadline) {
        guard let packet = TelephoneEventPayload(payload: payload) else {
            self.counters.malformed &+= 1
            return
        }
        if let last = self.lastSegment,
            Int32(bitPattern: timestamp &- last) < 0 || self.current == nil && timestamp == last
        {
            self.counters.repeated &+= 1
            return
        }
        if let current = self.current, current.event == packet.event, timestamp == current.segment {
            self.update(packet, now: now)
        } else if let current = self.current, current.event == packet.event, !marker,
            timestamp == current.segment &+ 0xFFFF
        {
            self.current?.segment = timestamp
            self.update(packet, now: now)
        } else if self.current?.segment == timestamp {
            // Another event of the same time: not of this stream's order.
            self.counters.repeated &+= 1
            return
        } else {
            if self.current != nil { self.giveUp() }
            self.begin(packet, timestamp: timestamp, now: now)
        }
        self.lastSegment = timestamp
    }

    private mutating func begin(_ packet: TelephoneEventPayload, timestamp: UInt32, now: NIODeadline) {
        self.outputs.append(.began(event: packet.event, volume: packet.volume, timestamp: timestamp))
        self.current = Current(
            event: packet.event,
            timestamp: timestamp,
            segment: timestamp,
            duration: 0,
            deadline: now + Self.patience
        )
        self.update(packet, now: now)
    }

    private mutating func update(_ packet: TelephoneEventPayload, now: NIODeadline) {
        guard let current = self.current else { return }
        let duration = current.segment &- current.timestamp &+ UInt32(packet.duration)
        self.current?.duration = max(current.duration, duration)
        self.current?.deadline = now + Self.patience
        if packet.isEnd { self.end() }
    }

    private mutating func end() {
        guard let current = self.current else { return }
        self.outputs.append(
            .ended(event: current.event, duration: current.duration, timestamp: current.timestamp)
        )
        self.current = nil
    }

    private mutating func giveUp() {
        self.counters.unfinished &+= 1
        self.end()
    }

    /// Ends an event whose packets no longer come.
    public mutating func handleTimeout(now: NIODeadline) {
        if let current = self.current, current.deadline <= now { self.giveUp() }
    }

    /// The next thing that happened; `nil` if there is none.
    public mutating func poll() -> Output? { self.outputs.isEmpty ? nil : self.outputs.removeFirst() }

    /// When ``handleTimeout(now:)`` wants to be called.
    public var nextTimeout: NIODeadline? { self.current?.deadline }
}
