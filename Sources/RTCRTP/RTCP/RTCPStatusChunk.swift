/// Sixteen bits that say of several packets whether they arrived
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01 sections 3.1.3 and 3.1.4).
///
/// A symbol is 0 for a packet that did not arrive, 1 and 2 for one with a small or large difference of time; 3 is reserved.
struct RTCPStatusChunk {
    static let longestRun = 0x1FFF

    let bits: UInt16

    init(_ bits: UInt16) { self.bits = bits }

    /// A run of one symbol.
    init(run symbol: UInt8, count: Int) {
        self.bits = UInt16(symbol) << 13 | UInt16(min(count, Self.longestRun))
    }

    private var isVector: Bool { self.bits & 0x8000 != 0 }
    private var hasTwoBitSymbols: Bool { self.bits & 0x4000 != 0 }

    /// How many packets it is about; a last vector may say more than there are.
    var count: Int {
        guard self.isVector else { return Int(self.bits & 0x1FFF) }
        return self.hasTwoBitSymbols ? 7 : 14
    }

    /// The symbol at `index`, below ``count``.
    func symbol(at index: Int) -> UInt8 {
        guard self.isVector else { return UInt8(self.bits >> 13 & 3) }
        return self.hasTwoBitSymbols
            ? UInt8(self.bits >> UInt16(12 - 2 * index) & 3)
            : UInt8(self.bits >> UInt16(13 - index) & 1)
    }

    /// How many bytes of arrival times the first `count` symbols announce; `nil` for a reserved symbol, or for an empty
    /// run, which would let a chunk say nothing.
    func deltaSize(of count: Int) -> Int? {
        guard self.isVector else {
            let symbol = Int(self.symbol(at: 0))
            return symbol == 3 || self.count == 0 ? nil : symbol * count
        }
        if !self.hasTwoBitSymbols {
            return (self.bits >> UInt16(14 - count) & (1 << UInt16(count) - 1)).nonzeroBitCount
        }
        var size = 0
        for index in 0..<count {
            let symbol = self.symbol(at: index)
            guard symbol != 3 else { return nil }
            size += Int(symbol)
        }
        return size
    }
}
