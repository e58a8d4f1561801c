internal import Synchronization

/// Buffers to read messages into, shared by all transports: one is in use only while messages are read.
enum ReadBuffers {
    static let size = 262_144

    private struct Pool: @unchecked Sendable {
        var free: [UnsafeMutableRawBufferPointer] = []
    }

    private static let pool = Mutex(Pool())

    static func with(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
        let buffer =
            self.pool.withLock { $0.free.popLast() }
            ?? UnsafeMutableRawBufferPointer.allocate(byteCount: self.size, alignment: 16)
        body(buffer)
        let isSpare = self.pool.withLock { pool in
            guard pool.free.count < 64 else { return true }
            pool.free.append(buffer)
            return false
        }
        if isSpare { buffer.deallocate() }
    }
}
