public import NIOCore

/// Datagrams for one destination, back to back in one buffer.
///
/// All datagrams are `segmentSize` bytes long but the last, which may be shorter. That is the shape kernels take in one
/// call (UDP generic segmentation offload), and what a portable transport cuts up again with ``forEachDatagram(_:)``.
public struct DatagramBatch: Sendable {
    /// The most datagrams of one batch; Linux takes 64, and stays below its own limits with this number.
    public static let maximumCount = 52
    /// The most bytes of one batch.
    public static let maximumBytes = 65_000

    /// The datagrams' bytes.
    public var bytes: ByteBuffer
    /// The size of every datagram but the last, in bytes.
    public var segmentSize: Int

    /// A batch of datagrams of equal size.
    public init(bytes: ByteBuffer, segmentSize: Int) {
        self.bytes = bytes
        self.segmentSize = segmentSize
    }

    /// A batch of a single datagram.
    public init(_ datagram: ByteBuffer) {
        self.init(bytes: datagram, segmentSize: datagram.readableBytes)
    }

    /// How many datagrams these are.
    public var count: Int {
        self.segmentSize == 0 ? 0 : (self.bytes.readableBytes + self.segmentSize - 1) / self.segmentSize
    }

    /// Calls `body` with each datagram, in order.
    public func forEachDatagram(_ body: (ByteBuffer) throws -> Void) rethrows {
        var rest = self.bytes
        while rest.readableBytes > 0 {
            guard let datagram = rest.readSlice(length: min(self.segmentSize, rest.readableBytes)) else { return }
            try body(datagram)
        }
    }
}

/// Collects datagrams into batches that keep their borders.
///
/// Datagrams of equal size share a batch; a shorter one ends it, a longer one begins the next.
public struct DatagramBatcher: Sendable {
    private var ready = OutputQueue<DatagramBatch>()
    private var open: ByteBuffer
    private var openSegmentSize = 0
    private var openCount = 0
    private let allocator: ByteBufferAllocator
    private let batchCapacity: Int

    /// A batcher whose buffers have room for `batchCapacity` bytes when a batch begins.
    public init(allocator: ByteBufferAllocator = .init(), batchCapacity: Int = 16_384) {
        self.allocator = allocator
        self.batchCapacity = batchCapacity
        self.open = ByteBuffer()
    }

    /// Whether nothing waits to be taken.
    public var isEmpty: Bool { self.openCount == 0 && self.ready.isEmpty }

    /// Adds one datagram. Empty ones are ignored.
    public mutating func append(_ datagram: UnsafeRawBufferPointer) {
        guard datagram.count > 0 else { return }
        self.prepare(forDatagramOf: datagram.count)
        self.open.writeBytes(datagram)
        self.openCount += 1
        if datagram.count < self.openSegmentSize || self.openCount == DatagramBatch.maximumCount {
            self.closeBatch()
        }
    }

    /// Adds one datagram of `count` bytes, more than none, which `write` makes in place.
    ///
    /// - Parameter write: Fills all of the bytes, or returns `false`; then nothing is added.
    /// - Returns: What `write` returned.
    @discardableResult
    public mutating func append(count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Bool) -> Bool {
        self.prepare(forDatagramOf: count)
        var isWritten = false
        self.open.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            isWritten = write(UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
            return isWritten ? count : 0
        }
        guard isWritten else { return false }
        self.openCount += 1
        if count < self.openSegmentSize || self.openCount == DatagramBatch.maximumCount { self.closeBatch() }
        return true
    }

    /// Adds one datagram. Empty ones are ignored.
    public mutating func append(_ datagram: RawSpan) {
        datagram.withUnsafeBytes { self.append($0) }
    }

    /// Takes the oldest batch, `nil` if there is none.
    public mutating func next() -> DatagramBatch? {
        if let batch = self.ready.popFirst() { return batch }
        self.closeBatch()
        return self.ready.popFirst()
    }

    /// Drops everything.
    public mutating func removeAll() {
        self.ready.removeAll()
        self.openCount = 0
        self.openSegmentSize = 0
        self.open = ByteBuffer()
    }

    private mutating func prepare(forDatagramOf size: Int) {
        if self.openCount > 0,
            size > self.openSegmentSize || self.open.readableBytes + size > DatagramBatch.maximumBytes
        {
            self.closeBatch()
        }
        if self.openCount == 0 {
            self.openSegmentSize = size
            // A lone small datagram (an acknowledgement, a handshake record) does not deserve a batch's room.
            let room = size >= 1_000 ? max(self.batchCapacity, size) : max(size, 256)
            self.open = self.allocator.buffer(capacity: room)
        }
    }

    private mutating func closeBatch() {
        guard self.openCount > 0 else { return }
        self.ready.append(DatagramBatch(bytes: self.open, segmentSize: self.openSegmentSize))
        self.open = ByteBuffer()
        self.openCount = 0
        self.openSegmentSize = 0
    }
}
