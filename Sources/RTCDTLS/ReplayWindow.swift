/// Which of the latest record numbers were seen (RFC 6347 section 4.1.2.6).
struct ReplayWindow {
    /// How far behind the highest number a record may come.
    static let size: UInt64 = 128

    /// One more than the highest number seen; 0 before the first.
    private var end: UInt64 = 0
    /// Bit n stands for the number `end - 1 - n`.
    private var seen: UInt128 = 0

    /// Whether a record of that number may still be accepted.
    func admits(_ number: UInt64) -> Bool {
        guard number < self.end else { return true }
        let age = self.end - 1 - number
        return age < Self.size && self.seen >> age & 1 == 0
    }

    /// Takes note of an authentic record.
    mutating func note(_ number: UInt64) {
        if number >= self.end {
            let advance = number - self.end + 1
            self.seen = advance < Self.size ? self.seen << advance | 1 : 1
            self.end = number + 1
        } else if self.end - 1 - number < Self.size {
            self.seen |= 1 << (self.end - 1 - number)
        }
    }
}
