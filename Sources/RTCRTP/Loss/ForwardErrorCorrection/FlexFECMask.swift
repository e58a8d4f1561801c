/// Which packets of a stream a repair packet protects, as distances from a sequence number: 0 to 109.
package struct FlexFECMask: Sendable, Hashable {
    // Distance 0 in the highest bit: the order of the wire.
    private var bits: UInt128 = 0

    /// How many distances there are.
    package static let capacity = 110

    /// A mask that names nothing.
    package init() {}

    /// A mask of these distances; others than 0 to 109 are left out.
    package init(_ distances: some Sequence<Int>) {
        for distance in distances { self.insert(distance) }
    }

    /// Whether nothing is named.
    package var isEmpty: Bool { self.bits == 0 }
    /// How many packets are named.
    package var count: Int { self.bits.nonzeroBitCount }
    /// The smallest distance.
    package var first: Int? { self.bits == 0 ? nil : self.bits.leadingZeroBitCount }
    /// The greatest distance.
    package var last: Int? { self.bits == 0 ? nil : 127 - self.bits.trailingZeroBitCount }

    /// Whether `distance` is named.
    package func contains(_ distance: Int) -> Bool { self.bits & Self.bit(distance) != 0 }

    /// Names `distance`; one out of range is left out.
    package mutating func insert(_ distance: Int) { self.bits |= Self.bit(distance) }

    /// Names `distance` no longer.
    package mutating func remove(_ distance: Int) { self.bits &= ~Self.bit(distance) }

    /// Takes the smallest distance out.
    package mutating func popFirst() -> Int? {
        guard let first = self.first else { return nil }
        self.remove(first)
        return first
    }

    private static func bit(_ distance: Int) -> UInt128 {
        guard distance >= 0, distance < self.capacity else { return 0 }
        return 1 << (127 - UInt128(distance))
    }

    /// The `width` bits from `start` on, the first one highest.
    private func part(at start: Int, width: Int) -> UInt64 {
        let shifted = UInt64(truncatingIfNeeded: self.bits >> UInt128(128 - start - width))
        return width == 64 ? shifted : shifted & (1 << UInt64(width) - 1)
    }

    private mutating func setPart(_ value: UInt64, at start: Int, width: Int) {
        self.bits |= UInt128(value) << UInt128(128 - start - width)
    }
}

extension FlexFECMask {
    // Where the second and third part begin. The third has 63 bits after a k bit in the draft, 64 without one in the RFC.
    private static let secondStart = 15
    private static let thirdStart = 46

    /// How many bytes the mask takes in a packet: 2, 6 or 14.
    var wireSize: Int {
        let last = self.last ?? 0
        return last < Self.secondStart ? 2 : last < Self.thirdStart ? 6 : 14
    }

    /// Reads the mask at `offset`, which is moved behind it; `nil` if it is cut short or its last k bit is wrong.
    init?(_ payload: RawSpan, at offset: inout Int, form: FlexFECForm) {
        guard let first: UInt16 = payload.networkOrder(at: offset) else { return nil }
        offset += 2
        self.setPart(UInt64(first & 0x7FFF), at: 0, width: 15)
        if first >> 15 == form.lastPartFlag { return }
        guard let second: UInt32 = payload.networkOrder(at: offset) else { return nil }
        offset += 4
        self.setPart(UInt64(second & 0x7FFF_FFFF), at: Self.secondStart, width: 31)
        if second >> 31 == form.lastPartFlag { return }
        guard let third: UInt64 = payload.networkOrder(at: offset) else { return nil }
        offset += 8
        switch form {
        case .draft03:
            guard third >> 63 == form.lastPartFlag else { return nil }
            self.setPart(third & 0x7FFF_FFFF_FFFF_FFFF, at: Self.thirdStart, width: 63)
        case .rfc8627: self.setPart(third, at: Self.thirdStart, width: 64)
        }
    }

    /// Writes the mask at `offset`; the caller has made sure that ``wireSize`` bytes are there.
    func write(into bytes: UnsafeMutableRawBufferPointer, at offset: Int, form: FlexFECForm) {
        let size = self.wireSize
        func flag(isLast: Bool) -> UInt64 { UInt64(isLast ? form.lastPartFlag : 1 - form.lastPartFlag) }
        let first = flag(isLast: size == 2) << 15 | self.part(at: 0, width: 15)
        bytes.setNetworkOrder(UInt16(truncatingIfNeeded: first), at: offset)
        guard size > 2 else { return }
        let second = flag(isLast: size == 6) << 31 | self.part(at: Self.secondStart, width: 31)
        bytes.setNetworkOrder(UInt32(truncatingIfNeeded: second), at: offset + 2)
        guard size > 6 else { return }
        let third =
            form == .draft03
            ? flag(isLast: true) << 63 | self.part(at: Self.thirdStart, width: 63)
            : self.part(at: Self.thirdStart, width: 64)
        bytes.setNetworkOrder(third, at: offset + 6)
    }
}
