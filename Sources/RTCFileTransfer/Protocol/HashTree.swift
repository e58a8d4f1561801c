import RTCCrypto

/// The hash of a file's chunks as a binary tree: leaves are SHA-256 of the chunks, nodes SHA-256 of 1 and both children, the root
/// SHA-256 of 2, the file's size and the top; a tree of any number of leaves is divided as in RFC 6962 section 2.1.
///
/// What is in memory is the tops of the complete trees so far: a few dozen hashes, whatever the size of the file.
package struct HashTree: Sendable {
    /// The size of a chunk in bytes: all but the last of a file have it.
    package static let chunkSize = 128 << 10
    /// The size of a hash in bytes.
    package static let hashSize = 32

    private struct Peak: Sendable {
        var level: Int
        var hash: [UInt8]
    }

    /// How many chunks are in it.
    package private(set) var count: UInt64 = 0
    private var peaks: [Peak] = []

    package init() {}

    /// How many chunks a file has.
    package static func chunks(of size: UInt64) -> UInt64 {
        size / UInt64(Self.chunkSize) + (size % UInt64(Self.chunkSize) == 0 ? 0 : 1)
    }

    /// The hash of a chunk.
    package static func leaf(_ chunk: UnsafeRawBufferPointer) -> [UInt8] {
        HashAlgorithm.sha256.digest(of: chunk.bytes)
    }

    /// Adds the hash of the next chunk.
    package mutating func append(_ leaf: [UInt8]) { self.append(Peak(level: 0, hash: leaf)) }

    /// Adds whole chunks of zeros, in a time that does not depend on how many there are.
    package mutating func appendZeros(chunks: UInt64) {
        var left = chunks
        while left > 0 {
            // The largest complete tree that may stand here.
            let alignment = self.count == 0 ? 63 : self.count.trailingZeroBitCount
            let level = min(alignment, 63 - left.leadingZeroBitCount)
            self.append(Peak(level: level, hash: Self.zeros(level: level)))
            left -= 1 << UInt64(level)
        }
    }

    /// The hash of a file of that size whose chunks were added.
    package func root(size: UInt64) -> [UInt8] {
        var top = self.peaks.last?.hash ?? []
        for peak in self.peaks.dropLast().reversed() { top = Self.node(peak.hash, top) }
        return Self.digest([2] + withUnsafeBytes(of: size.bigEndian) { Array($0) } + top)
    }

    private mutating func append(_ peak: Peak) {
        self.count += 1 << UInt64(peak.level)
        var peak = peak
        while let last = self.peaks.last, last.level == peak.level {
            self.peaks.removeLast()
            peak = Peak(level: peak.level + 1, hash: Self.node(last.hash, peak.hash))
        }
        self.peaks.append(peak)
    }

    private static func node(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] { Self.digest([1] + left + right) }

    private static func digest(_ bytes: [UInt8]) -> [UInt8] { HashAlgorithm.sha256.digest(of: bytes.span.bytes) }

    /// The hash of a whole chunk of zeros.
    package static let zeroLeaf = Self.digest([UInt8](repeating: 0, count: Self.chunkSize))

    private static let zeroTrees: [[UInt8]] = {
        var trees = [Self.zeroLeaf]
        for _ in 0..<48 { trees.append(Self.node(trees[trees.count - 1], trees[trees.count - 1])) }
        return trees
    }()

    /// The hash of a complete tree of chunks of zeros. Files have fewer than 2^47 chunks.
    private static func zeros(level: Int) -> [UInt8] { Self.zeroTrees[level] }
}
