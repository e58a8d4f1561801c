/// Up to 16 bytes, held without an allocation: what a payload has in front of bytes of the frame.
public struct PayloadPrefix: Sendable, Hashable {
    /// How many bytes fit.
    static let capacity = 16

    private var high: UInt64 = 0
    private var low: UInt64 = 0
    /// How many bytes there are.
    public private(set) var count = 0

    /// No bytes.
    init() {}

    var isFull: Bool { self.count == Self.capacity }

    /// The byte at `index`, which must be below ``count``.
    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < self.count)
        let word = index < 8 ? self.high : self.low
        return UInt8(truncatingIfNeeded: word >> UInt64(56 - (index & 7) * 8))
    }

    mutating func append(_ byte: UInt8) {
        precondition(!self.isFull)
        self.count += 1
        self.set(byte, at: self.count - 1)
    }

    mutating func set(_ byte: UInt8, at index: Int) {
        let shift = UInt64(56 - (index & 7) * 8)
        let mask = ~(UInt64(0xFF) << shift)
        if index < 8 {
            self.high = self.high & mask | UInt64(byte) << shift
        } else {
            self.low = self.low & mask | UInt64(byte) << shift
        }
    }
}
