/// Hashes the beginning of a file, some chunks at a time.
package struct ChunkScanner {
    /// How many chunks are hashed before others get their turn.
    private static let turn = 64

    package let file: ReadableFile
    /// How many chunks are to be hashed at most.
    private let limit: UInt64
    /// What the chunks must be; nil for anything.
    private var expected: ChunkRuns?
    /// The hashes so far.
    package private(set) var tree = HashTree()
    package private(set) var isFinished = false

    /// - Parameter expected: Stop in front of the first chunk that is not as it was noted.
    package init(_ file: ReadableFile, chunks: UInt64, expected: ChunkRuns? = nil) {
        self.file = file
        self.limit = min(chunks, HashTree.chunks(of: file.size))
        self.expected = expected
    }

    /// Goes on for a while.
    package mutating func advance(_ buffer: UnsafeMutableRawBufferPointer) throws(FileTransferProblem) {
        for _ in 0..<Self.turn where !self.isFinished { try self.step(buffer) }
    }

    private mutating func step(_ buffer: UnsafeMutableRawBufferPointer) throws(FileTransferProblem) {
        let chunk = self.tree.count
        guard chunk < self.limit else {
            self.isFinished = true
            return
        }
        switch try self.file.read(chunk: chunk, into: buffer) {
        case .hole(let chunks): self.takeZeros(min(chunks, self.limit - chunk))
        case .bytes(let count):
            let whole = min(UInt64(HashTree.chunkSize), self.file.size - chunk * UInt64(HashTree.chunkSize))
            // The file became shorter.
            guard count == Int(whole) else { throw FileTransferProblem(.changed) }
            self.take(HashTree.leaf(UnsafeRawBufferPointer(rebasing: buffer[..<count])))
        }
    }

    private mutating func take(_ leaf: [UInt8]) {
        if self.expected?.takes(leaf) == false {
            self.isFinished = true
        } else {
            self.tree.append(leaf)
        }
    }

    private mutating func takeZeros(_ chunks: UInt64) {
        // The last chunk of a file may be shorter than the others.
        let isShort = (self.tree.count + chunks) * UInt64(HashTree.chunkSize) > self.file.size
        let whole = isShort ? chunks - 1 : chunks
        let taken = self.expected?.takesZeros(whole) ?? whole
        self.tree.appendZeros(chunks: taken)
        guard taken == whole else {
            self.isFinished = true
            return
        }
        if isShort { self.take(HashTree.zeros(count: Int(self.file.size % UInt64(HashTree.chunkSize)))) }
    }
}

extension HashTree {
    /// The hash of a chunk of so many zeros.
    static func zeros(count: Int) -> [UInt8] {
        let zeros = [UInt8](repeating: 0, count: count)
        return zeros.withUnsafeBytes { Self.leaf($0) }
    }
}
