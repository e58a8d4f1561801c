/// The hashes of chunks one after the other, equal ones counted.
package struct ChunkRuns: Sendable {
    package struct Run: Sendable, Hashable {
        package var count: UInt64
        package var hash: [UInt8]
    }

    private var runs: [Run]
    private var index = 0
    private var taken: UInt64 = 0

    package init(_ runs: [Run]) { self.runs = runs }

    /// Whether the next one is this; then it is behind.
    mutating func takes(_ hash: [UInt8]) -> Bool {
        guard self.index < self.runs.count, self.runs[self.index].hash == hash else { return false }
        self.advance(1)
        return true
    }

    /// How many of the next ones, as many as given at most, are whole chunks of zeros.
    mutating func takesZeros(_ count: UInt64) -> UInt64 {
        var found: UInt64 = 0
        while found < count, self.index < self.runs.count, self.runs[self.index].hash == HashTree.zeroLeaf {
            let part = min(count - found, self.runs[self.index].count - self.taken)
            self.advance(part)
            found += part
        }
        return found
    }

    private mutating func advance(_ count: UInt64) {
        self.taken += count
        if self.taken == self.runs[self.index].count {
            self.index += 1
            self.taken = 0
        }
    }
}
