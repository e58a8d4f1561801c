internal import NIOCore

/// Wakes entries when their time has come, at a cost that does not depend on how many there are.
///
/// Seconds are slots of a wheel. Who is woken before its time (because it was put off, or lies more than a turn ahead) is put
/// in again by the owner, so putting off costs nothing.
struct TimerWheel<Entry> {
    private var slots: [[Entry]] = Array(repeating: [], count: slotCount)
    private var cursor: Int64
    private(set) var count = 0

    init(now: NIODeadline) { self.cursor = Self.tick(now) }

    /// When ``takeExpired(now:)`` is to be called; `nil` without entries.
    var nextTimeout: NIODeadline? {
        self.count == 0 ? nil : .uptimeNanoseconds(UInt64(max(0, self.cursor + 1)) * Self.nanosecondsPerTick)
    }

    /// Puts an entry in for the first tick at or after `deadline`.
    mutating func insert(_ entry: Entry, at deadline: NIODeadline) {
        let rounded = Self.tick(deadline + .nanoseconds(Int64(Self.nanosecondsPerTick) - 1))
        let tick = min(max(rounded, self.cursor + 1), self.cursor + Int64(Self.slotCount) - 1)
        self.slots[Int(tick % Int64(Self.slotCount))].append(entry)
        self.count += 1
    }

    /// Takes out every entry whose slot has passed.
    mutating func takeExpired(now: NIODeadline) -> [Entry] {
        let end = Self.tick(now)
        // After a long sleep each slot is looked at once.
        self.cursor = max(self.cursor, end - Int64(Self.slotCount))
        var due: [Entry] = []
        while self.cursor < end {
            self.cursor += 1
            let index = Int(self.cursor % Int64(Self.slotCount))
            guard !self.slots[index].isEmpty else { continue }
            due += self.slots[index]
            self.slots[index] = []
        }
        self.count -= due.count
        return due
    }

    private static func tick(_ time: NIODeadline) -> Int64 {
        Int64(time.uptimeNanoseconds / self.nanosecondsPerTick)
    }

    private static var nanosecondsPerTick: UInt64 { 1_000_000_000 }
    private static var slotCount: Int { 1_024 }
}
