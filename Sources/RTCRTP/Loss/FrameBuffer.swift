package import NIOCore

/// Puts the packets of one stream in order and gives out whole frames: the jitter buffer of a receiver that does not play but hands on.
///
/// A frame leaves as soon as it and all before it are complete, or later where a delay is asked for. What is missing is waited for as long
/// as a retransmission may take; then the frame is given up. Pictures after a lost one are worth nothing until the next key frame:
/// they are dropped, and ``needsKeyFrame`` says that one is to be asked for.
package struct FrameBuffer: Sendable {
    /// How long to wait for what is missing, and how long to hold what is there.
    package struct Delays: Sendable, Hashable {
        /// How long a gap may hold up what is behind it.
        package var gap: TimeAmount
        /// By how much frames are held back behind the fastest of them; `nil` gives them out as they become complete.
        package var target: TimeAmount?

        /// Delays.
        package init(gap: TimeAmount = .milliseconds(100), target: TimeAmount? = nil) {
            self.gap = gap
            self.target = target
        }
    }

    /// What became of packets and frames.
    package struct Counters: Sendable, Hashable {
        /// Frames given out.
        package var frames: UInt64 = 0
        /// Key frames among them.
        package var keyFrames: UInt64 = 0
        /// Frames given up because packets were missing.
        package var lostFrames: UInt64 = 0
        /// Whole frames dropped because a frame before them was lost.
        package var undecodableFrames: UInt64 = 0
        /// Packets that came after they were given up.
        package var discardedPackets: UInt64 = 0
        /// Packets that came twice.
        package var duplicatePackets: UInt64 = 0
        /// Frames of several packets among those given out.
        package var assembledFrames: UInt64 = 0
        /// The sum of the times from the first to the last packet of those.
        package var totalAssembly = TimeAmount.zero
        /// The sum of the times from a frame's first packet until it was given out.
        package var totalDelay = TimeAmount.zero
        /// Packets in all frames given out.
        package var packets: UInt64 = 0

        /// Nothing yet.
        package init() {}

        /// Adds what another buffer counted.
        package mutating func add(_ other: Counters) {
            self.frames &+= other.frames
            self.keyFrames &+= other.keyFrames
            self.lostFrames &+= other.lostFrames
            self.undecodableFrames &+= other.undecodableFrames
            self.discardedPackets &+= other.discardedPackets
            self.duplicatePackets &+= other.duplicatePackets
            self.assembledFrames &+= other.assembledFrames
            self.totalAssembly = self.totalAssembly + other.totalAssembly
            self.totalDelay = self.totalDelay + other.totalDelay
            self.packets &+= other.packets
        }
    }

    /// A frame that is given out.
    package struct Output: Sendable {
        /// The frame.
        package var frame: EncodedFrame
        /// Its first packet, for what its header says.
        package var firstPacket: RTPPacket
        /// Its last packet.
        package var lastPacket: RTPPacket
        /// When its first packet came.
        package var arrival: NIODeadline
        /// Whether frames before it were lost.
        package var followsLoss: Bool
    }

    private struct Slot: Sendable {
        var sequence: Int64
        var packet: RTPPacket
        var arrival: NIODeadline
        /// Whether it has no part in any frame.
        var isEmpty: Bool
    }

    private var depacketizer: any RTPDepacketizer
    private let format: PayloadFormat
    private var unwrapper = SequenceUnwrapper()
    private var slots = ContiguousArray<Slot?>(repeating: nil, count: 64)
    /// The first packet that was not given out or given up.
    private var next: Int64?
    private var highest: Int64 = 0
    /// Whether the packet before `next` ended a frame.
    private var isStartKnown = false
    private var gapSince: NIODeadline?
    private var followsLoss = false
    private var playout: PlayoutClock
    /// What became of packets and frames so far.
    package private(set) var counters = Counters()
    /// Whether nothing can be given out before a key frame.
    package private(set) var needsKeyFrame: Bool
    /// How long to wait; may be changed at any time.
    package var delays: Delays

    /// A buffer that has seen nothing.
    package init(format: PayloadFormat, delays: Delays = Delays(), limits: DepacketizerLimits = .defaults) {
        self.format = format
        self.depacketizer = format.makeDepacketizer(limits: limits)
        self.delays = delays
        self.needsKeyFrame = format.kind == .video
        self.playout = PlayoutClock(clockRate: UInt32(format.clockRate))
    }

    /// Takes in a packet, in whatever order they come.
    ///
    /// - Parameter isMedia: Whether it is of the buffer's format; others (telephone events, comfort noise) only fill their place in the
    ///   order, so that they are not missed.
    package mutating func insert(_ packet: RTPPacket, isMedia: Bool = true, now: NIODeadline) {
        let sequence = self.unwrapper.peek(packet.sequenceNumber)
        if let next = self.next, abs(sequence - self.highest) > Self.longestJump { self.restart(next, at: packet) }
        let number = self.unwrapper.unwrap(packet.sequenceNumber)
        let first = self.next ?? number
        guard number >= first || self.canMoveBack(to: number) else {
            self.counters.discardedPackets += 1
            return
        }
        self.next = min(first, number)
        self.highest = max(self.highest, number)
        self.makeRoom(for: number)
        if self.slots[self.slot(number)]?.sequence == number {
            self.counters.duplicatePackets += 1
            return
        }
        let isEmpty = !isMedia || packet.view.payloadRange.isEmpty
        self.slots[self.slot(number)] = Slot(sequence: number, packet: packet, arrival: now, isEmpty: isEmpty)
        if isMedia { self.playout.note(packet.timestamp, arrival: now) }
    }

    /// Before anything was given out the beginning may still come.
    private func canMoveBack(to number: Int64) -> Bool {
        self.counters.frames == 0 && self.counters.lostFrames == 0 && self.highest - number < 64
    }

    private mutating func restart(_ next: Int64, at packet: RTPPacket) {
        for index in self.slots.indices { self.slots[index] = nil }
        self.unwrapper = SequenceUnwrapper()
        self.next = nil
        self.highest = Int64(packet.sequenceNumber)
        self.isStartKnown = false
        self.gapSince = nil
        self.noteLoss()
    }

    private mutating func makeRoom(for number: Int64) {
        while let next = self.next, number - next >= Int64(self.slots.count) {
            guard self.slots.count < Self.maximumPackets else {
                // A gap that nobody fills must not hold up everything.
                self.skipBrokenFrame()
                continue
            }
            let old = self.slots
            self.slots = ContiguousArray(repeating: nil, count: old.count * 2)
            for case .some(let slot) in old { self.slots[self.slot(slot.sequence)] = slot }
        }
    }

    private func slot(_ sequence: Int64) -> Int { Int(sequence & Int64(self.slots.count - 1)) }

    private func at(_ sequence: Int64) -> Slot? {
        guard let slot = self.slots[self.slot(sequence)], slot.sequence == sequence else { return nil }
        return slot
    }

    /// When ``poll(now:)`` may have something that it has not now; `nil` if only packets can change that.
    package var nextTimeout: NIODeadline? {
        var earliest = self.gapSince.map { $0 + self.delays.gap }
        if let target = self.delays.target, let next = self.next, let slot = self.at(next), !slot.isEmpty {
            let due = self.playout.due(slot.packet.timestamp, arrival: slot.arrival, target: target)
            earliest = min(earliest ?? due, due)
        }
        return earliest
    }

    /// The next frame, if it may leave. Call it until `nil`.
    package mutating func poll(now: NIODeadline) -> Output? {
        while let next = self.next, next <= self.highest {
            switch self.look(from: next) {
            case .incomplete:
                self.gapSince = nil
                return nil
            case .missing:
                let since = self.gapSince ?? now
                self.gapSince = since
                guard since + self.delays.gap <= now else { return nil }
                self.skipBrokenFrame()
            case .complete(let end):
                self.gapSince = nil
                guard self.isDue(next, now: now) else { return nil }
                if let output = self.takeFrame(next...end, now: now) { return output }
            }
        }
        return nil
    }

    private enum Look {
        case complete(end: Int64)
        /// The last packet so far is not the frame's last, and nothing behind it is known.
        case incomplete
        case missing
    }

    private func look(from next: Int64) -> Look {
        guard let first = self.at(next) else { return .missing }
        var sequence = next
        var current = first
        while true {
            if self.endsFrame(current.packet) { return .complete(end: sequence) }
            sequence += 1
            guard sequence <= self.highest else { return .incomplete }
            guard let following = self.at(sequence) else { return .missing }
            if following.packet.timestamp != first.packet.timestamp { return .complete(end: sequence - 1) }
            current = following
        }
    }

    private func endsFrame(_ packet: RTPPacket) -> Bool { self.format.kind == .audio || packet.marker }

    private func isDue(_ sequence: Int64, now: NIODeadline) -> Bool {
        guard let target = self.delays.target, let slot = self.at(sequence), !slot.isEmpty else { return true }
        return self.playout.due(slot.packet.timestamp, arrival: slot.arrival, target: target) <= now
    }

    private mutating func takeFrame(_ range: ClosedRange<Int64>, now: NIODeadline) -> Output? {
        guard let first = self.at(range.lowerBound), let last = self.at(range.upperBound) else { return nil }
        var (arrival, lastArrival) = (first.arrival, first.arrival)
        // Padding carries nothing, and belongs to no frame.
        let carries = range.contains { self.at($0)?.isEmpty == false }
        self.depacketizer.begin(timestamp: first.packet.timestamp, isStartKnown: self.isStartKnown)
        for sequence in range {
            guard let slot = self.at(sequence) else { continue }
            arrival = min(arrival, slot.arrival)
            lastArrival = max(lastArrival, slot.arrival)
            if carries, !slot.isEmpty {
                slot.packet.withBytes { bytes in
                    self.depacketizer.append(
                        bytes.extracting(slot.packet.view.payloadRange),
                        sequenceNumber: slot.packet.sequenceNumber,
                        marker: slot.packet.marker
                    )
                }
            }
            self.slots[self.slot(sequence)] = nil
        }
        self.next = range.upperBound + 1
        self.isStartKnown = true
        guard carries else { return nil }
        guard case .success(let frame) = self.depacketizer.finish() else {
            self.counters.lostFrames += 1
            self.noteLoss()
            return nil
        }
        guard self.isUsable(frame) else { return nil }
        self.counters.frames += 1
        self.counters.packets += UInt64(range.count)
        if range.count > 1 {
            self.counters.assembledFrames += 1
            self.counters.totalAssembly = self.counters.totalAssembly + (lastArrival - arrival)
        }
        self.counters.totalDelay = self.counters.totalDelay + (now - arrival)
        defer { self.followsLoss = false }
        return Output(
            frame: frame,
            firstPacket: first.packet,
            lastPacket: last.packet,
            arrival: arrival,
            followsLoss: self.followsLoss
        )
    }

    private mutating func isUsable(_ frame: EncodedFrame) -> Bool {
        if frame.isKeyFrame {
            self.needsKeyFrame = false
            self.counters.keyFrames += 1
        } else if self.needsKeyFrame {
            self.counters.undecodableFrames += 1
            return false
        }
        return true
    }

    private mutating func noteLoss() {
        self.followsLoss = true
        if self.format.kind == .video { self.needsKeyFrame = true }
    }

    /// Gives up what cannot be completed, up to where the next frame begins.
    private mutating func skipBrokenFrame() {
        self.gapSince = nil
        self.noteLoss()
        self.counters.lostFrames += 1
        guard var sequence = self.next else { return }
        let broken = self.at(sequence)?.packet.timestamp
        var hasPassedGap = false
        var follows: RTPPacket?
        self.isStartKnown = false
        while sequence <= self.highest {
            guard let slot = self.at(sequence) else {
                (hasPassedGap, follows) = (true, nil)
                sequence += 1
                continue
            }
            if hasPassedGap, self.beginsFrame(slot.packet, after: follows, broken: broken) { break }
            follows = slot.packet
            self.slots[self.slot(sequence)] = nil
            sequence += 1
        }
        self.next = sequence
    }

    private mutating func beginsFrame(_ packet: RTPPacket, after before: RTPPacket?, broken: UInt32?) -> Bool {
        if self.format.kind == .audio || before?.marker == true {
            self.isStartKnown = true
            return true
        }
        let says = packet.withBytes { bytes in
            self.format.descriptor(of: bytes.extracting(packet.view.payloadRange), marker: packet.marker)?.beginsFrame
        }
        return says ?? (packet.timestamp != broken)
    }

    private static let maximumPackets = 4096
    private static let longestJump: Int64 = 10_000
}
