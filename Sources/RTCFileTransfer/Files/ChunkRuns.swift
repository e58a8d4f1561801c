/// The hashes of chunks one after the other, equal ones counted.
package struct ChunkRuns {
    /// So many chunks of the same hash.
    package struct Run: Sendable, Hashable {
        package var count: UInt64
        package var hash: [UInt8]
    }

    /// Gives the next run; nil behind the last.
    private let read: () -> Run?
    /// What is left of the one that was read last.
    private var run: Run?

    /// - Parameter read: Gives the next run each time; nil behind the last.
    package init(_ read: @escaping () -> Run?) {
        self.read = read
        self.run = read()
    }

    /// Whether the next one is this; then it is behind.
    mutating func takes(_ hash: [UInt8]) -> Bool {
        guard self.run?.hash == hash else { return false }
        self.advance(1)
        return true
    }

    /// How many of the next ones, as many as given at most, are whole chunks of zeros.
    mutating func takesZeros(_ count: UInt64) -> UInt64 {
        var found: UInt64 = 0
        while found < count, let run = self.run, run.hash == HashTree.zeroLeaf {
            let part = min(count - found, run.count)
            self.advance(part)
            found += part
        }
        return found
    }

    private mutating func advance(_ count: UInt64) {
        self.run?.count -= count
        if self.run?.count == 0 { self.run = self.read() }
    }
}
