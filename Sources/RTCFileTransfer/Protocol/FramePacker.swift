import NIOCore

/// Puts frames together to messages, many small ones into one.
struct FramePacker {
    /// A message is full from this size on.
    static let fullSize = HashTree.chunkSize
    /// No message is larger than this, which every peer takes: browsers announce 262,144.
    static let maximumSize = HashTree.chunkSize + (64 << 10)

    private let allocator = ByteBufferAllocator()
    private var current = ByteBuffer()
    private var messages: [ByteBuffer] = []
    private var first = 0

    /// Whether a whole message waits to be taken.
    var isFull: Bool { self.first < self.messages.count || self.current.readableBytes >= Self.fullSize }

    mutating func append(_ frame: TransferFrame) {
        if self.current.readableBytes >= Self.fullSize { self.close() }
        frame.write(to: &self.current)
    }

    /// Appends a ``TransferFrame/chunk(hash:bytes:)``, which is copied once.
    mutating func appendChunk(hash: [UInt8], _ bytes: UnsafeRawBufferPointer) {
        if self.current.readableBytes + bytes.count + 128 > Self.maximumSize { self.close() }
        if self.current.capacity == 0 { self.current = self.allocator.buffer(capacity: bytes.count + 128) }
        self.current.writeMultipleIntegers(TransferFrame.chunkCode, UInt32(hash.count + bytes.count))
        self.current.writeBytes(hash)
        self.current.writeBytes(bytes)
    }

    /// The next message: a full one, or with `flush` whatever there is.
    mutating func next(flush: Bool) -> ByteBuffer? {
        if self.first < self.messages.count {
            defer {
                self.first += 1
                if self.first == self.messages.count {
                    self.messages.removeAll()
                    self.first = 0
                }
            }
            return self.messages[self.first]
        }
        guard self.current.readableBytes > 0, flush || self.isFull else { return nil }
        defer { self.current = ByteBuffer() }
        return self.current
    }

    private mutating func close() {
        self.messages.append(self.current)
        self.current = ByteBuffer()
    }
}
