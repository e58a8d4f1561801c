internal import NIOCore

/// The chunks under way, what the peer says of them, and which of them are lost.
///
/// A chunk is lost when one that was sent enough later has arrived (RFC 8985): time tells losses from reordering, also of
/// chunks sent again. How much later is learnt from the reordering that is seen.
struct OutstandingChunks {
    /// What an acknowledgement brought.
    struct Progress {
        /// The bytes acknowledged for the first time.
        var bytes = 0
        /// The highest number acknowledged for the first time.
        var highest: Int64 = .min
        /// The time since the latest of them was sent, unless it was sent more than once.
        var roundTrip: TimeAmount?
        /// Whether the cumulative acknowledgement moved.
        var movedOn = false
    }

    /// All up to this number are acknowledged, or were given up and skipped.
    private(set) var cumulative: Int64
    /// Chunk `cumulative + 1 + index`.
    private var chunks = ChunkRing()
    /// How many of them may be given up.
    private var unreliableCount = 0
    /// The bytes under way.
    private(set) var bytesInFlight = 0
    /// How many chunks wait to be sent again.
    private(set) var lostCount = 0
    /// How many chunks the peer has behind gaps.
    private(set) var acknowledgedCount = 0
    private(set) var abandonedCount = 0

    // The latest sent of the chunks that arrived (RFC 8985 section 6.2).
    private var latestSentAt = NIODeadline.uptimeNanoseconds(0)
    private var latestNumber: Int64 = .min
    private var latestRoundTrip: Int64 = 0
    private var highestArrived: Int64 = .min
    /// How much the network reorders, as a multiple of a quarter of the least round-trip time; 0 while it does not.
    private var reordering = 0

    init(initialTSN: UInt32) { self.cumulative = Int64(initialTSN) - 1 }

    var isEmpty: Bool { self.chunks.isEmpty }
    var count: Int { self.chunks.count }
    /// The number of the next new chunk.
    var next: Int64 { self.cumulative + 1 + Int64(self.chunks.count) }
    /// When the oldest chunk was sent last.
    var oldestSentAt: NIODeadline? { self.chunks.isEmpty ? nil : self.chunks[0].sentAt }

    // MARK: Sending

    /// Adds a new chunk.
    ///
    /// - Returns: Its number.
    mutating func append(_ chunk: SentChunk) -> Int64 {
        self.bytesInFlight += chunk.size
        if !chunk.rule.isReliable { self.unreliableCount += 1 }
        self.chunks.append(chunk)
        return self.next - 1
    }

    /// Where the search for the next lost chunk begins: there is none before.
    private var firstLost = 0

    /// Takes the first lost chunk of at most `room` bytes as sent again.
    mutating func takeLost(room: Int, now: NIODeadline) -> (number: Int64, chunk: SentChunk)? {
        guard self.lostCount > 0 else { return nil }
        while self.firstLost < self.chunks.count {
            if self.chunks[self.firstLost].state == .lost {
                guard self.chunks[self.firstLost].size <= room else { return nil }
                self.sendAgain(self.firstLost, now: now)
                return (self.cumulative + 1 + Int64(self.firstLost), self.chunks[self.firstLost])
            }
            self.firstLost += 1
        }
        return nil
    }

    /// The size of the first lost chunk.
    var nextLostSize: Int? {
        guard self.lostCount > 0 else { return nil }
        var index = self.firstLost
        while index < self.chunks.count {
            if self.chunks[index].state == .lost { return self.chunks[index].size }
            index += 1
        }
        return nil
    }

    /// Takes the last chunk under way as sent again, to provoke an acknowledgement.
    mutating func takeProbe(now: NIODeadline) -> (number: Int64, chunk: SentChunk)? {
        for index in stride(from: self.chunks.count - 1, through: 0, by: -1) {
            guard self.chunks[index].state == .inFlight,
                !self.chunks[index].rule.isOver(transmissions: self.chunks[index].transmissions, now: now)
            else { continue }
            self.chunks[index].sentAt = now
            self.chunks[index].transmissions += 1
            return (self.cumulative + 1 + Int64(index), self.chunks[index])
        }
        return nil
    }

    private mutating func sendAgain(_ index: Int, now: NIODeadline) {
        self.lostCount -= 1
        self.bytesInFlight += self.chunks[index].size
        self.chunks[index].state = .inFlight
        self.chunks[index].sentAt = now
        self.chunks[index].transmissions += 1
    }

    // MARK: Acknowledgements

    /// Takes the cumulative part; numbers never sent are refused.
    ///
    /// - Returns: `false` if the acknowledgement is older than one before, or of what was never sent.
    mutating func acknowledge(through number: UInt32, _ progress: inout Progress, now: NIODeadline) -> Bool {
        let target = TSN.unwrap(number, near: self.cumulative)
        guard target >= self.cumulative, target < self.next else { return false }
        progress.movedOn = target > self.cumulative
        while self.cumulative < target {
            self.cumulative += 1
            self.firstLost = max(0, self.firstLost - 1)
            self.note(0, number: self.cumulative, &progress, now: now)
            switch self.chunks[0].state {
            case .inFlight: self.bytesInFlight -= self.chunks[0].size
            case .lost: self.lostCount -= 1
            case .acknowledged: self.acknowledgedCount -= 1
            case .abandoned: self.abandonedCount -= 1
            }
            if !self.chunks[0].rule.isReliable { self.unreliableCount -= 1 }
            self.chunks.removeFirst()
        }
        return true
    }

    /// Takes a run behind a gap, as offsets from the cumulative number.
    mutating func acknowledge(block: ClosedRange<Int>, _ progress: inout Progress, now: NIODeadline) {
        let last = min(block.upperBound, self.chunks.count)
        guard block.lowerBound >= 1, block.lowerBound <= last else { return }
        var index = block.lowerBound - 1
        // A run begins and ends where it did in most acknowledgements before, or goes on.
        defer { self.chunks[block.lowerBound - 1].acknowledgedThrough = self.cumulative + Int64(last) }
        while index < last {
            let state = self.chunks[index].state
            guard state == .inFlight || state == .lost else {
                index = self.indexBehind(index)
                continue
            }
            defer { index += 1 }
            self.note(index, number: self.cumulative + 1 + Int64(index), &progress, now: now)
            if state == .inFlight {
                self.bytesInFlight -= self.chunks[index].size
            } else {
                self.lostCount -= 1
            }
            self.acknowledgedCount += 1
            self.chunks[index].state = .acknowledged
            self.chunks[index].payload = ByteBuffer()
        }
    }

    /// The next place to look at, behind a chunk that was acknowledged or given up and those that are known to have been with it.
    private func indexBehind(_ index: Int) -> Int {
        max(index, Int(self.chunks[index].acknowledgedThrough - self.cumulative) - 1) + 1
    }

    /// Learns from a chunk that arrived.
    private mutating func note(_ index: Int, number: Int64, _ progress: inout Progress, now: NIODeadline) {
        guard self.chunks[index].state == .inFlight || self.chunks[index].state == .lost else { return }
        let sentAt = self.chunks[index].sentAt
        progress.bytes += self.chunks[index].size
        progress.highest = max(progress.highest, number)
        let roundTrip = now - sentAt
        if self.chunks[index].transmissions == 1 {
            progress.roundTrip = min(progress.roundTrip ?? roundTrip, roundTrip)
            // It came after a later one.
            if number < self.highestArrived { self.reordering = min(max(self.reordering, 1) + 1, 8) }
        } else if self.latestRoundTrip > 0, roundTrip.nanoseconds < self.latestRoundTrip / 2 {
            // Too soon for the copy: what arrived was sent before it, so nothing is learnt of later ones.
            self.highestArrived = max(self.highestArrived, number)
            return
        }
        self.highestArrived = max(self.highestArrived, number)
        if sentAt > self.latestSentAt || sentAt == self.latestSentAt && number > self.latestNumber {
            self.latestSentAt = sentAt
            self.latestNumber = number
            self.latestRoundTrip = roundTrip.nanoseconds
        }
    }

    // MARK: Losses

    /// Finds the chunks that are lost by now.
    ///
    /// - Parameter leastRoundTrip: In nanoseconds.
    /// - Returns: How many are newly lost, and when the next one will be unless it arrives.
    mutating func findLosses(leastRoundTrip: Int64, now: NIODeadline) -> (lost: Int, next: NIODeadline?) {
        guard self.latestNumber > .min else { return (0, nil) }
        // Three later ones that arrived are enough where nothing is ever reordered (RFC 8985 section 6.2).
        let isSure = self.reordering == 0 && self.acknowledgedCount >= 3
        let tolerance = isSure ? 0 : leastRoundTrip / 4 * Int64(max(1, self.reordering))
        let patience = TimeAmount.nanoseconds(self.latestRoundTrip + tolerance)
        var lost = 0
        var next: NIODeadline?
        var index = -1
        while index + 1 < self.chunks.count {
            index += 1
            let number = self.cumulative + 1 + Int64(index)
            if number > self.highestArrived, number > self.latestNumber { break }
            guard self.chunks[index].state == .inFlight else {
                if self.chunks[index].state == .acknowledged { index = self.indexBehind(index) - 1 }
                continue
            }
            let sentAt = self.chunks[index].sentAt
            guard sentAt < self.latestSentAt || sentAt == self.latestSentAt && number < self.latestNumber else {
                continue
            }
            let deadline = sentAt + patience
            if deadline <= now || isSure {
                self.markLost(index)
                lost += 1
            } else {
                next = min(next ?? deadline, deadline)
            }
        }
        return (lost, next)
    }

    /// Forgets how long chunks took, and in which order they came: others take another path.
    mutating func forgetPath() {
        self.latestRoundTrip = 0
        self.reordering = 0
    }

    /// Takes everything under way for lost.
    mutating func markAllLost() {
        for index in 0..<self.chunks.count {
            if self.chunks[index].state == .inFlight { self.markLost(index) }
        }
    }

    private mutating func markLost(_ index: Int) {
        self.chunks[index].state = .lost
        self.bytesInFlight -= self.chunks[index].size
        self.lostCount += 1
        self.firstLost = min(self.firstLost, index)
    }

    // MARK: Giving up (RFC 3758)

    /// Gives up the messages of lost chunks that must not be sent again.
    ///
    /// - Returns: The numbers of the messages.
    mutating func abandonOverdue(now: NIODeadline) -> [Int64] {
        guard self.lostCount > 0, self.unreliableCount > 0 else { return [] }
        var messages: [Int64] = []
        for index in self.firstLost..<self.chunks.count {
            guard self.chunks[index].state == .lost, !self.chunks[index].rule.isReliable,
                self.chunks[index].rule.isOver(transmissions: self.chunks[index].transmissions, now: now)
            else { continue }
            messages.append(self.chunks[index].message)
            self.abandonMessage(at: index)
        }
        return messages
    }

    /// Gives up a message, whose chunks are neighbours.
    private mutating func abandonMessage(at index: Int) {
        let message = self.chunks[index].message
        var first = index
        while first > 0, self.chunks[first - 1].message == message { first -= 1 }
        var position = first
        while position < self.chunks.count, self.chunks[position].message == message {
            self.abandonChunk(position)
            position += 1
        }
    }

    private mutating func abandonChunk(_ index: Int) {
        switch self.chunks[index].state {
        case .inFlight: self.bytesInFlight -= self.chunks[index].size
        case .lost: self.lostCount -= 1
        case .acknowledged: self.acknowledgedCount -= 1
        case .abandoned: return
        }
        self.chunks[index].state = .abandoned
        self.chunks[index].payload = ByteBuffer()
        self.abandonedCount += 1
    }

    /// The last of the chunks that were given up, from the first chunk on; `nil` if that one was not.
    var skipTarget: Int64? {
        guard self.abandonedCount > 0, self.chunks[0].state == .abandoned else { return nil }
        var count = 1
        while count < self.chunks.count, self.chunks[count].state == .abandoned { count += 1 }
        return self.cumulative + Int64(count)
    }

    /// The number up to which the peer is to go on without what was given up, and the ordered messages among it; `nil` if the
    /// first chunk was not given up.
    ///
    /// - Parameter limit: How many streams may be named, at least 1; what goes beyond is for the next time.
    func skip(limit: Int) -> (number: Int64, streams: [UInt16: UInt16])? {
        guard self.abandonedCount > 0, self.chunks[0].state == .abandoned else { return nil }
        var number = self.cumulative
        var streams: [UInt16: UInt16] = [:]
        for index in 0..<self.chunks.count {
            guard self.chunks[index].state == .abandoned else { break }
            if !self.chunks[index].flags.contains(.unordered) {
                let stream = self.chunks[index].stream
                guard streams.count < limit || streams[stream] != nil else { break }
                streams[stream] = self.chunks[index].sequence
            }
            number += 1
        }
        return (number, streams)
    }

    /// The streams with chunks that are not behind the cumulative acknowledgement.
    var streams: Set<UInt16> { Set((0..<self.chunks.count).lazy.map { self.chunks[$0].stream }) }
}
