import NIOCore

/// How many frames there were in the last second, to a tenth of a second.
struct FrameRate {
    private var counts = [UInt16](repeating: 0, count: Self.slots)
    private var newest: UInt64 = 0

    mutating func note(now: NIODeadline) {
        let slot = Self.slot(now)
        if slot > self.newest {
            for passed in 0..<min(slot - self.newest, UInt64(Self.slots)) {
                self.counts[Int((slot - passed) % UInt64(Self.slots))] = 0
            }
            self.newest = slot
        }
        self.counts[Int(slot % UInt64(Self.slots))] &+= 1
    }

    func framesPerSecond(now: NIODeadline) -> Int {
        let past = Self.slot(now) &- self.newest
        guard past < UInt64(Self.slots) else { return 0 }
        // The oldest are over by now.
        return (0..<UInt64(Self.slots) - past).reduce(0) { sum, age in
            guard age <= self.newest else { return sum }
            return sum + Int(self.counts[Int((self.newest - age) % UInt64(Self.slots))])
        }
    }

    private static func slot(_ instant: NIODeadline) -> UInt64 { instant.uptimeNanoseconds / 100_000_000 }
    private static let slots = 10
}
