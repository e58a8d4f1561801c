/// How loud each contributing source of a mixed packet is (RFC 6465), in the order in which they are listed.
public struct MixerAudioLevels: HeaderExtensionValue, RandomAccessCollection {
    public static let kind = HeaderExtensionKind.mixerAudioLevel
    private var levels = SIMD16<UInt8>()
    /// How many levels there are, at most 15.
    public private(set) var count = 0

    /// Levels of 0 to 127 (−dBov); those behind the 15th are left out.
    public init(_ levels: some Sequence<UInt8>) {
        for level in levels.prefix(15) {
            self.levels[self.count] = Swift.min(level, 127)
            self.count += 1
        }
    }

    /// Reads levels; `nil` if there are none.
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount > 0 else { return nil }
        while self.count < 15, let level: UInt8 = bytes.networkOrder(at: self.count) {
            self.levels[self.count] = level & 0x7F
            self.count += 1
        }
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { self.count }

    /// The level of the contributing source at `index`: 0 to 127, −dBov.
    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < self.count, "index out of range")
        return self.levels[index]
    }

    public var byteCount: Int { self.count }
    public func write(into bytes: UnsafeMutableRawBufferPointer) {
        for index in 0..<self.count { bytes[index] = self.levels[index] }
    }
}
