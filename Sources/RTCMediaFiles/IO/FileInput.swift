public import NIOCore

/// Bytes in order, from a file or from memory, for one reader.
///
/// Calls block while the system reads. An input belongs to the reader that was made with it, and is not for use by two
/// tasks at a time.
public final class FileInput {
    private let file: POSIXFile?
    private var buffer: ByteBuffer
    private var hasEnded: Bool
    /// Where the next byte lies, from the beginning.
    public private(set) var offset: Int64 = 0

    /// Opens the file at `path`.
    ///
    /// - Throws: ``MediaFileError/Code/inputOutput``.
    public init(path: String) throws(MediaFileError) {
        self.file = try POSIXFile(reading: path)
        self.buffer = ByteBuffer()
        self.hasEnded = false
    }

    /// Reads from memory.
    public init(bytes: ByteBuffer) {
        self.file = nil
        self.buffer = bytes
        self.hasEnded = true
    }

    /// What is read from the system at once, in bytes.
    private static let chunkSize = 64 << 10
}

extension FileInput {
    /// Lends the bytes that are at hand and not yet taken.
    func withAvailable<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        self.buffer.withUnsafeReadableBytes(body)
    }

    /// How many bytes are at hand.
    var availableCount: Int { self.buffer.readableBytes }

    /// Sees to it that `count` bytes are at hand; says whether the file has that many.
    ///
    /// Memory grows with what the file really has, not with what a length in it claims.
    func fill(_ count: Int) throws(MediaFileError) -> Bool {
        while self.buffer.readableBytes < count {
            guard try self.readMore() else { return false }
        }
        return true
    }

    /// Reads another chunk; `false` at the end.
    func readMore() throws(MediaFileError) -> Bool {
        guard let file, !self.hasEnded else { return false }
        self.buffer.discardReadBytes()
        self.buffer.reserveCapacity(minimumWritableBytes: Self.chunkSize)
        let position = self.offset + Int64(self.buffer.readableBytes)
        var result: Result<Int, MediaFileError> = .success(0)
        self.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.chunkSize) { bytes in
            result = Self.read(file, into: bytes, offset: position)
            return (try? result.get()) ?? 0
        }
        let count = try result.get()
        self.hasEnded = count == 0
        return count > 0
    }

    private static func read(
        _ file: POSIXFile,
        into bytes: UnsafeMutableRawBufferPointer,
        offset: Int64
    ) -> Result<Int, MediaFileError> {
        do throws(MediaFileError) {
            return .success(try file.read(into: bytes, offset: offset))
        } catch {
            return .failure(error)
        }
    }

    /// Takes the next `count` bytes; `nil`, and nothing is taken, if the file has fewer.
    func take(_ count: Int) throws(MediaFileError) -> ByteBuffer? {
        guard count >= 0, try self.fill(count), let slice = self.buffer.readSlice(length: count) else { return nil }
        self.offset += Int64(count)
        // A slice of a buffer that is read into again would have it copied as a whole.
        return self.file == nil ? slice : ByteBuffer(bytes: slice.readableBytesView)
    }

    /// Looks at the next `count` bytes without taking them; fewer at the end.
    func peek(_ count: Int) throws(MediaFileError) -> ByteBuffer {
        _ = try self.fill(count)
        return ByteBuffer(bytes: self.buffer.readableBytesView.prefix(count))
    }

    /// Drops up to `count` bytes; returns how many there were.
    @discardableResult
    func skip(_ count: Int64) throws(MediaFileError) -> Int64 {
        var left = max(0, count)
        while left > 0, try self.fill(1) {
            let step = Int(min(left, Int64(self.buffer.readableBytes)))
            self.buffer.moveReaderIndex(forwardBy: step)
            self.offset += Int64(step)
            left -= Int64(step)
        }
        return count - left
    }

    /// Back to the first byte.
    func rewind() throws(MediaFileError) {
        if let file {
            try file.rewind()
            self.buffer.clear()
            self.hasEnded = false
        } else {
            self.buffer.moveReaderIndex(to: self.buffer.readerIndex - Int(self.offset))
        }
        self.offset = 0
    }

    /// An error at the next byte.
    func error(_ code: MediaFileError.Code, _ reason: String) -> MediaFileError {
        MediaFileError(code, reason, offset: self.offset)
    }
}
