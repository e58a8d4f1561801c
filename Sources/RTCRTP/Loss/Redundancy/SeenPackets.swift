/// Which packets of a stream of sound were seen lately, by sequence number and by timestamp.
struct SeenPackets: Sendable {
    private struct Entry {
        var sequence = Int64.min
        var timestamp: UInt32 = 0
    }

    private var entries = ContiguousArray(repeating: Entry(), count: Self.capacity)
    private var unwrapper = SequenceUnwrapper()
    private var lateInARow = 0
    // Between two packets in a row, in units of the clock rate; 0 before two came.
    private var duration: UInt32 = 0
    private var lastStep: UInt32 = 0

    /// How many packets are remembered: more than a second of sound.
    static let capacity = 64
    /// So many packets in a row that are too old mean that the sender has begun anew.
    private static let lateBeforeRestart = 8

    /// Whether a packet of this timestamp was seen.
    func contains(timestamp: UInt32) -> Bool {
        guard let highest = self.unwrapper.highest else { return false }
        return self.entries.contains {
            $0.timestamp == timestamp && $0.sequence > highest - Int64(Self.capacity)
        }
    }

    /// Notes a packet; `false` if it was seen before, or is too old to tell.
    mutating func insert(_ header: RTPHeader) -> Bool {
        guard let sequence = self.place(header.sequenceNumber) else { return false }
        let index = Self.index(sequence)
        guard self.entries[index].sequence != sequence else { return false }
        self.entries[index] = Entry(sequence: sequence, timestamp: header.timestamp)
        if let before = self.timestamp(of: sequence - 1) { self.learn(header.timestamp &- before) }
        return true
    }

    /// How many packets before `packet` one is that is older by `age`; `nil` if the place is taken.
    ///
    /// - Parameter order: The block's place in the packet, counted from the newest one, which is 0.
    func distance(to packet: RTPHeader, age: UInt32, order: Int) -> UInt16? {
        let sequence = self.unwrapper.peek(packet.sequenceNumber)
        if self.isSteady(upTo: sequence, packet.timestamp), age % self.duration == 0 {
            let distance = Int(age / self.duration)
            // The blocks between are packets too.
            if distance >= order, self.isFree(sequence - Int64(distance)) { return UInt16(exactly: distance) }
        }
        return self.isFree(sequence - Int64(order)) ? UInt16(exactly: order) : nil
    }

    /// Whether the timestamps from the newest packet before `sequence` to this one say that each packet between them lasted
    /// as long as usual.
    private func isSteady(upTo sequence: Int64, _ timestamp: UInt32) -> Bool {
        guard self.duration > 0 else { return false }
        for distance in 1..<Int64(Self.capacity) {
            guard let before = self.timestamp(of: sequence - distance) else { continue }
            return timestamp &- before == self.duration &* UInt32(distance)
        }
        return false
    }

    /// Whether a packet could have been there that was not seen.
    private func isFree(_ sequence: Int64) -> Bool {
        guard let highest = self.unwrapper.highest else { return true }
        return sequence > highest - Int64(Self.capacity) && self.entries[Self.index(sequence)].sequence != sequence
    }

    private func timestamp(of sequence: Int64) -> UInt32? {
        let entry = self.entries[Self.index(sequence)]
        return entry.sequence == sequence ? entry.timestamp : nil
    }

    /// Pauses make for longer steps, so a longer one counts once it comes twice in a row.
    private mutating func learn(_ step: UInt32) {
        guard step > 0, step <= Self.longestStep else { return }
        if self.duration == 0 || step < self.duration || step == self.lastStep { self.duration = step }
        self.lastStep = step
    }

    private mutating func place(_ number: UInt16) -> Int64? {
        let sequence = self.unwrapper.peek(number)
        if let highest = self.unwrapper.highest, sequence <= highest - Int64(Self.capacity) {
            self.lateInARow += 1
            guard self.lateInARow >= Self.lateBeforeRestart else { return nil }
            self = SeenPackets()
        }
        self.lateInARow = 0
        return self.unwrapper.unwrap(number)
    }

    // 120 ms at 48 kHz: the longest packet of Opus.
    private static let longestStep: UInt32 = 5760

    private static func index(_ sequence: Int64) -> Int { Int(truncatingIfNeeded: sequence) & (self.capacity - 1) }
}
