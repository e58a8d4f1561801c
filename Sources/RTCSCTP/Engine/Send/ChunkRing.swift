internal import NIOCore

/// A queue of chunks whose elements are read and changed in place, without a copy of the chunk around a field.
struct ChunkRing {
    /// What has been taken from the front still lies at the array's beginning, up to half of it.
    private var chunks: ContiguousArray<SentChunk> = []
    private var head = 0

    var isEmpty: Bool { self.head == self.chunks.count }
    var count: Int { self.chunks.count - self.head }

    /// The chunk `index` places behind the first.
    subscript(index: Int) -> SentChunk {
        _read { yield self.chunks[self.head + index] }
        _modify { yield &self.chunks[self.head + index] }
    }

    mutating func append(_ chunk: SentChunk) { self.chunks.append(chunk) }

    /// Takes the first chunk away, which there must be. Look at it before.
    mutating func removeFirst() {
        self.chunks[self.head].payload = ByteBuffer()
        self.head += 1
        if self.head == self.chunks.count {
            self.chunks.removeAll(keepingCapacity: self.chunks.capacity <= 64)
            self.head = 0
        } else if self.head >= 64, self.head * 2 >= self.chunks.count {
            self.chunks.removeFirst(self.head)
            self.head = 0
        }
    }
}
