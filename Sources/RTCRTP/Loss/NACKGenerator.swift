package import NIOCore

/// Finds out which packets of a stream are missing and when to ask for them (RFC 4585 section 6.2.1).
///
/// A packet is asked for as soon as it cannot be mere reordering, then once a round trip until it comes, until it was asked for often
/// enough, or until it is too old to be of use.
package struct NACKGenerator: Sendable {
    /// How a generator behaves.
    package struct Configuration: Sendable, Hashable {
        /// How often a packet is asked for. 10 by default.
        package var maximumTries = 10
        /// After which time a packet is given up. 2 s by default.
        package var maximumAge = TimeAmount.seconds(2)
        /// How many packets may be missing; beyond that the oldest are given up. 512 by default.
        package var maximumMissing = 512

        /// The defaults.
        package init() {}
    }

    private struct Missing: Sendable {
        let sequence: Int64
        let noticed: NIODeadline
        var tries = 0
        var due: NIODeadline
    }

    private let configuration: Configuration
    private var unwrapper = SequenceUnwrapper()
    /// In the order of their numbers.
    private var missing: ContiguousArray<Missing> = []
    /// How long packets were overtaken by others lately.
    private var reorderingDelay = Self.shortestReordering
    /// How many packets were asked for, repetitions included.
    package private(set) var requestedPackets: UInt64 = 0
    /// How many packets were given up.
    package private(set) var abandonedPackets: UInt64 = 0

    /// A generator that has seen nothing.
    package init(configuration: Configuration = Configuration()) { self.configuration = configuration }

    /// How many packets are missing.
    package var missingCount: Int { self.missing.count }

    /// Takes note of a packet that is there.
    ///
    /// - Parameter isRecovered: Whether it came as a retransmission or by error correction.
    /// - Returns: Whether it is new: of what was recovered, only what was missing is.
    @discardableResult
    package mutating func receive(_ number: UInt16, isRecovered: Bool, now: NIODeadline) -> Bool {
        guard let highest = self.unwrapper.highest else {
            // What comes back before anything else was asked for by nobody.
            if !isRecovered { _ = self.unwrapper.unwrap(number) }
            return !isRecovered
        }
        let sequence = self.unwrapper.peek(number)
        guard sequence > highest else {
            return self.fill(sequence, isRecovered: isRecovered, now: now) || !isRecovered
        }
        guard sequence - highest <= Self.longestGap else {
            self.restart(at: number)
            return true
        }
        _ = self.unwrapper.unwrap(number)
        for gap in (highest + 1)..<sequence {
            self.missing.append(Missing(sequence: gap, noticed: now, due: now + self.reorderingDelay))
        }
        let excess = self.missing.count - self.configuration.maximumMissing
        if excess > 0 { self.abandon(excess) }
        return true
    }

    /// - Returns: Whether it was missing.
    private mutating func fill(_ sequence: Int64, isRecovered: Bool, now: NIODeadline) -> Bool {
        guard let index = self.index(of: sequence) else { return false }
        if !isRecovered {
            // Overtaken, not lost: the next one gets as much time.
            let late = now - self.missing[index].noticed
            self.reorderingDelay = min(max(self.reorderingDelay, late), Self.longestReordering)
        }
        self.missing.remove(at: index)
        return true
    }

    private func index(of sequence: Int64) -> Int? {
        var (low, high) = (0, self.missing.count)
        while low < high {
            let middle = (low + high) / 2
            if self.missing[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low < self.missing.count && self.missing[low].sequence == sequence ? low : nil
    }

    private mutating func restart(at number: UInt16) {
        self.abandon(self.missing.count)
        self.unwrapper = SequenceUnwrapper()
        _ = self.unwrapper.unwrap(number)
    }

    private mutating func abandon(_ count: Int) {
        self.missing.removeFirst(count)
        self.abandonedPackets &+= UInt64(count)
    }

    /// Asks no more for packets before this one.
    package mutating func abandon(before number: UInt16) {
        let sequence = self.unwrapper.peek(number)
        self.abandon(self.missing.prefix { $0.sequence < sequence }.count)
    }

    /// When packets are to be asked for; `nil` while nothing is missing.
    package var nextTimeout: NIODeadline? {
        var earliest: NIODeadline?
        for entry in self.missing { earliest = min(earliest ?? entry.due, entry.due) }
        return earliest
    }

    /// Appends the numbers of the packets that are to be asked for now.
    package mutating func poll(roundTripTime: TimeAmount, now: NIODeadline, into numbers: inout [UInt16]) {
        guard !self.missing.isEmpty else { return }
        // An answer that is on its way must not be asked for again.
        let patience = max(roundTripTime + roundTripTime / 8 + Self.answerAllowance, Self.shortestRetry)
        let before = self.missing.count
        self.missing.removeAll { entry in
            entry.tries >= self.configuration.maximumTries && entry.due <= now
                || entry.noticed + self.configuration.maximumAge < now
        }
        self.abandonedPackets &+= UInt64(before - self.missing.count)
        for index in self.missing.indices where self.missing[index].due <= now {
            numbers.append(UInt16(truncatingIfNeeded: self.missing[index].sequence))
            self.missing[index].tries += 1
            self.missing[index].due = now + patience
            self.requestedPackets &+= 1
        }
        self.reorderingDelay = max(.nanoseconds(self.reorderingDelay.nanoseconds * 63 / 64), Self.shortestReordering)
    }

    private static let longestGap: Int64 = 3000
    private static let shortestReordering = TimeAmount.milliseconds(3)
    private static let longestReordering = TimeAmount.milliseconds(100)
    private static let answerAllowance = TimeAmount.milliseconds(10)
    private static let shortestRetry = TimeAmount.milliseconds(20)
}

extension TimeAmount {
    fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount {
        .nanoseconds(amount.nanoseconds / divisor)
    }
}
