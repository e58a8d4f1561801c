/// Arithmetic on 16-bit numbers that begin anew after 65,535: RTP sequence numbers, transport-wide ones, picture IDs.
public enum SequenceNumbers {
    /// How far `later` lies after `earlier` on the shorter way round, −32,768 to 32,767.
    public static func distance(from earlier: UInt16, to later: UInt16) -> Int {
        Int(Int16(bitPattern: later &- earlier))
    }

    /// Whether `candidate` comes after `reference` on the shorter way round.
    public static func isNewer(_ candidate: UInt16, than reference: UInt16) -> Bool {
        self.distance(from: reference, to: candidate) > 0
    }
}

/// Turns 16-bit sequence numbers into ones that never begin anew.
///
/// Each number is taken as the one nearest to the highest before it, so packets may be late or missing by up to 32,767.
public struct SequenceUnwrapper: Sendable {
    /// The highest number so far, `nil` before the first.
    public private(set) var highest: Int64?

    /// An unwrapper that has seen nothing; the first number stands for itself.
    public init() {}

    /// The unwrapped form of `number`, without taking note of it.
    public func peek(_ number: UInt16) -> Int64 {
        guard let highest = self.highest else { return Int64(number) }
        return highest + Int64(SequenceNumbers.distance(from: UInt16(truncatingIfNeeded: highest), to: number))
    }

    /// The unwrapped form of `number`, which becomes the highest if it is. May be negative for what came before the first.
    public mutating func unwrap(_ number: UInt16) -> Int64 {
        let unwrapped = self.peek(number)
        self.highest = max(self.highest ?? unwrapped, unwrapped)
        return unwrapped
    }
}

/// Turns 32-bit RTP timestamps into ones that never begin anew.
public struct TimestampUnwrapper: Sendable {
    private var highest: Int64?

    /// An unwrapper that has seen nothing; the first timestamp stands for itself.
    public init() {}

    /// The unwrapped form of `timestamp`: the one nearest to the highest before it. May be negative.
    public mutating func unwrap(_ timestamp: UInt32) -> Int64 {
        guard let highest = self.highest else {
            self.highest = Int64(timestamp)
            return Int64(timestamp)
        }
        let distance = Int64(Int32(bitPattern: timestamp &- UInt32(truncatingIfNeeded: highest)))
        self.highest = max(highest, highest + distance)
        return highest + distance
    }
}
