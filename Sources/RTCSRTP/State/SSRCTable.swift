/// Numbers the SSRCs of one direction, 0, 1, 2 and so on: an open-addressing table without removal.
///
/// Packets come in runs of one SSRC, so the last answer is kept and compared first.
struct SSRCTable {
    /// The most SSRCs.
    let limit: Int
    /// The SSRCs in the order they came.
    private(set) var ssrcs: [UInt32] = []
    /// Positions in `ssrcs`, -1 for a free slot. At most half are taken.
    private var slots: [Int32]
    private var lastSSRC: UInt32 = 0
    private var lastNumber = -1

    init(limit: Int) {
        self.limit = limit
        self.slots = Array(repeating: -1, count: 16)
    }

    /// How many there are.
    var count: Int { self.ssrcs.count }

    /// Whether no further SSRC finds a place.
    var isFull: Bool { self.ssrcs.count >= self.limit }

    /// The number of an SSRC, `nil` if it has none.
    mutating func number(of ssrc: UInt32) -> Int? {
        if self.lastNumber >= 0, self.lastSSRC == ssrc { return self.lastNumber }
        var slot = Self.slot(of: ssrc, in: self.slots.count)
        while self.slots[slot] >= 0 {
            let number = Int(self.slots[slot])
            if self.ssrcs[number] == ssrc {
                self.lastSSRC = ssrc
                self.lastNumber = number
                return number
            }
            slot = (slot + 1) & (self.slots.count - 1)
        }
        return nil
    }

    /// Gives the next number to an SSRC that has none. Only while the table is not full.
    mutating func insert(_ ssrc: UInt32) -> Int {
        precondition(!self.isFull, "a full table takes no SSRC")
        let number = self.ssrcs.count
        self.ssrcs.append(ssrc)
        if self.ssrcs.count * 2 > self.slots.count { self.grow() } else { self.place(number) }
        self.lastSSRC = ssrc
        self.lastNumber = number
        return number
    }

    private mutating func grow() {
        self.slots = Array(repeating: -1, count: self.slots.count * 2)
        for number in self.ssrcs.indices { self.place(number) }
    }

    private mutating func place(_ number: Int) {
        var slot = Self.slot(of: self.ssrcs[number], in: self.slots.count)
        while self.slots[slot] >= 0 { slot = (slot + 1) & (self.slots.count - 1) }
        self.slots[slot] = Int32(number)
    }

    private static func slot(of ssrc: UInt32, in count: Int) -> Int {
        Int(truncatingIfNeeded: (UInt64(ssrc) &* 0x9E37_79B9_7F4A_7C15) >> 32) & (count - 1)
    }
}
