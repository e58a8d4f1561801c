internal import CRTCZlib
import NIOCore

/// One of zlib's streams, raw, with the memory it has.
struct ZlibStream: ~Copyable {
    enum Step {
        /// There is more to come, or may be.
        case more
        /// All that was fed is through.
        case done
        /// A final block ended.
        case ended
        /// There is more to come than the limit allows.
        case full
        /// What was fed is no compressed data.
        case broken
    }

    /// zlib keeps this address.
    private let stream: UnsafeMutablePointer<z_stream>
    private let isDeflating: Bool

    private init(isDeflating: Bool) {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        self.isDeflating = isDeflating
    }

    deinit {
        // Does nothing for a stream whose initialiser failed.
        if self.isDeflating { deflateEnd(self.stream) } else { inflateEnd(self.stream) }
        self.stream.deinitialize(count: 1)
        self.stream.deallocate()
    }

    static func deflating(windowBits: Int, level: Int, memoryLevel: Int) -> ZlibStream? {
        let made = ZlibStream(isDeflating: true)
        let status = crtc_deflate_init(made.stream, Int32(level), Int32(windowBits), Int32(memoryLevel))
        guard status == Z_OK else { return nil }
        return made
    }

    static func inflating(windowBits: Int) -> ZlibStream? {
        let made = ZlibStream(isDeflating: false)
        guard crtc_inflate_init(made.stream, Int32(windowBits)) == Z_OK else { return nil }
        return made
    }

    /// Bytes that were fed and not taken yet.
    var pendingInput: Int { Int(self.stream.pointee.avail_in) }

    /// Says what is to be taken; the bytes must stay until ``unfeed()``.
    mutating func feed(_ input: UnsafeRawBufferPointer) {
        let base = input.bindMemory(to: UInt8.self).baseAddress
        self.stream.pointee.next_in = UnsafeMutablePointer(mutating: base)
        self.stream.pointee.avail_in = UInt32(clamping: input.count)
    }

    mutating func unfeed() {
        self.stream.pointee.next_in = nil
        self.stream.pointee.avail_in = 0
    }

    /// Whether ``step(into:limit:stopsAtBlock:)`` ended right behind a block.
    var isBehindBlock: Bool { self.stream.pointee.data_type & 128 != 0 }

    /// Takes what was fed, as far as a piece of output goes.
    ///
    /// - Parameter stopsAtBlock: When decompressing: whether to stop behind the next block.
    mutating func step(into output: inout ByteBuffer, limit: Int, stopsAtBlock: Bool = false) -> Step {
        // One byte more than allowed shows that there is more.
        let room = limit == .max ? .max : limit - output.readableBytes + 1
        guard room > 0 else { return .full }
        let piece = min(room, max(256, 2 * self.pendingInput), 64 << 10)
        var status = Z_OK
        let stream = self.stream
        let isDeflating = self.isDeflating
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: piece) { bytes in
            stream.pointee.next_out = bytes.bindMemory(to: UInt8.self).baseAddress
            stream.pointee.avail_out = UInt32(piece)
            status =
                isDeflating
                ? deflate(stream, Z_SYNC_FLUSH) : inflate(stream, stopsAtBlock ? Z_BLOCK : Z_SYNC_FLUSH)
            stream.pointee.next_out = nil
            return piece - Int(stream.pointee.avail_out)
        }
        let isFull = stream.pointee.avail_out == 0
        if output.readableBytes > limit { return .full }
        switch status {
        case Z_STREAM_END: return .ended
        case Z_OK: return isFull || self.pendingInput > 0 ? .more : .done
        // Nothing to take and nothing to give.
        case Z_BUF_ERROR: return .done
        default: return .broken
        }
    }

    mutating func resetDeflating() { deflateReset(self.stream) }

    mutating func resetInflating() { inflateReset(self.stream) }

    /// Goes on behind a final block with the window as it is.
    mutating func resumeInflating() { inflateResetKeep(self.stream) }
}
