/// What became of the frames of one stream.
public struct DepacketizerCounters: Sendable, Hashable {
    /// Frames that were put together.
    public internal(set) var frames: UInt64 = 0
    private var failures = [UInt64](repeating: 0, count: DepacketizationError.allCases.count)

    /// Frames that failed for this reason.
    public subscript(error: DepacketizationError) -> UInt64 {
        self.failures[Self.index(error)]
    }

    /// Frames that failed.
    public var allFailures: UInt64 { self.failures.reduce(0, &+) }

    mutating func count(_ error: DepacketizationError) { self.failures[Self.index(error)] &+= 1 }

    private static func index(_ error: DepacketizationError) -> Int {
        DepacketizationError.allCases.firstIndex(of: error) ?? 0
    }
}
