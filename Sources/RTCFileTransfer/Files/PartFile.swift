#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A file that is being written: the file, and for one of several chunks its journal.
package final class PartFile {
    package let entry: ManifestEntry
    /// The hash of what is in it.
    package private(set) var tree = HashTree()
    /// Its name in the folder of incomplete files.
    let name: [UInt8]
    private let folder: Int32
    private var descriptor: Int32
    private var journal: PartJournal?
    private let expectedChunks: UInt64

    /// Makes it, or opens it and cuts off what is behind its first chunks.
    init(_ entry: ManifestEntry, in folder: Int32, keeping chunks: UInt64) throws(FileTransferProblem) {
        let name = PartJournal.names(of: entry).part
        self.entry = entry
        self.folder = folder
        self.name = name
        self.expectedChunks = HashTree.chunks(of: entry.size)
        if chunks == 0 { SystemCalls.unlink(name, in: folder) }
        let flags = O_RDWR | O_NOFOLLOW | (chunks == 0 ? O_CREAT | O_EXCL : 0)
        self.descriptor = try SystemCalls.open(name, in: folder, flags, mode: 0o600)
        do {
            try self.prepare(keeping: chunks)
        } catch {
            close(self.descriptor)
            self.descriptor = -1
            throw error
        }
    }

    deinit { if self.descriptor >= 0 { close(self.descriptor) } }

    private func prepare(keeping chunks: UInt64) throws(FileTransferProblem) {
        guard self.expectedChunks > 1 else { return }
        guard chunks > 0 else {
            self.journal = try PartJournal.create(self.entry, in: self.folder)
            return
        }
        let size = chunks * UInt64(HashTree.chunkSize)
        try SystemCalls.call { ftruncate(self.descriptor, off_t(size)) }
        self.journal = try PartJournal.reopen(self.entry, in: self.folder, keeping: chunks)
    }

    /// The part's first chunks are those of this tree.
    package func resume(_ tree: HashTree) { self.tree = tree }

    /// How many chunks are in it.
    package var chunks: UInt64 { self.tree.count }

    /// Whether all of it is there.
    package var isComplete: Bool { self.tree.count == self.expectedChunks }

    /// The size that the next chunk must have; 0 if there is none.
    package var nextSize: Int {
        let start = self.tree.count * UInt64(HashTree.chunkSize)
        return start >= self.entry.size ? 0 : Int(min(UInt64(HashTree.chunkSize), self.entry.size - start))
    }

    /// Writes the next chunk.
    package func write(_ chunk: UnsafeRawBufferPointer, hash: [UInt8]) throws(FileTransferProblem) {
        try SystemCalls.write(chunk, to: self.descriptor, at: self.tree.count * UInt64(HashTree.chunkSize))
        try self.journal?.append(hash)
        self.tree.append(hash)
    }

    /// Leaves the next chunks out, so that they are a hole.
    ///
    /// - Returns: The size of the hole in bytes; nil if the file has not as many chunks left.
    package func leaveHole(chunks: UInt64) throws(FileTransferProblem) -> UInt64? {
        guard chunks > 0, chunks <= self.expectedChunks - self.tree.count else { return nil }
        let start = self.tree.count * UInt64(HashTree.chunkSize)
        let end = min(self.entry.size, start + chunks * UInt64(HashTree.chunkSize))
        try SystemCalls.call { ftruncate(self.descriptor, off_t(end)) }
        let rest = (end - start) % UInt64(HashTree.chunkSize)
        let whole = rest == 0 ? chunks : chunks - 1
        if whole > 0 {
            try self.journal?.append(HashTree.zeroLeaf, count: whole)
            self.tree.appendZeros(chunks: whole)
        }
        if rest > 0 {
            let leaf = HashTree.zeros(count: Int(rest))
            try self.journal?.append(leaf)
            self.tree.append(leaf)
        }
        return end - start
    }

    /// Gives the file its permissions and time, and closes it.
    ///
    /// - Parameter synchronizes: Wait until it is on the disk; a file of several chunks is waited for anyway.
    func complete(synchronizes: Bool) throws(FileTransferProblem) {
        guard self.descriptor >= 0 else { return }
        try SystemCalls.set(mode: self.entry.mode, modified: self.entry.modified, of: self.descriptor)
        // A name must not reach the disk before its content, least of all one that had another content.
        if synchronizes || self.expectedChunks > 1 { try SystemCalls.synchronize(self.descriptor) }
        close(self.descriptor)
        self.descriptor = -1
        self.journal = nil
    }

    /// Removes what was noted of it; the file itself has been moved.
    func forget() {
        if self.expectedChunks > 1 { SystemCalls.unlink(PartJournal.names(of: self.entry).journal, in: self.folder) }
    }

    /// Removes all of it.
    package func discard() {
        SystemCalls.unlink(PartJournal.names(of: self.entry).part, in: self.folder)
        self.forget()
    }
}
