public import NIOCore

/// Where a writer's bytes go: a file, or memory.
///
/// What is written waits until there are 64 KiB of it, and whole frames go to the system together: a process that dies leaves
/// a file that ends with a whole frame. An output belongs to the writer that was made with it, and is not for use by two
/// tasks at a time.
public final class FileOutput {
    private var file: POSIXFile?
    private let isInMemory: Bool
    private var pending = ByteBuffer()
    private var flushedCount: Int64 = 0
    private var isClosed = false

    /// Makes the file at `path`, or empties the one that is there.
    ///
    /// - Throws: ``MediaFileError/Code/inputOutput``.
    public init(path: String) throws(MediaFileError) {
        self.file = try POSIXFile(writing: path)
        self.isInMemory = false
    }

    /// Writes to memory, which grows with what is written.
    public init() {
        self.file = nil
        self.isInMemory = true
    }

    deinit {
        // A writer that was not closed: nobody is left to tell of a failure.
        try? self.flush()
    }

    /// All that was written to memory; empty for a file.
    public var bytes: ByteBuffer { self.isInMemory ? self.pending : ByteBuffer() }

    /// How many bytes were written, those that wait included.
    public var count: Int64 { self.flushedCount + Int64(self.pending.readableBytes) }

    /// Hands what waits to the system.
    ///
    /// - Throws: ``MediaFileError/Code/inputOutput``.
    public func flush() throws(MediaFileError) {
        guard let file, self.pending.readableBytes > 0 else { return }
        try self.pending.withTypedUnsafeReadableBytes { bytes throws(MediaFileError) in try file.write(bytes) }
        self.flushedCount += Int64(self.pending.readableBytes)
        self.pending.clear()
    }

    private static let chunkSize = 64 << 10
}

extension FileOutput {
    /// Writes a whole part of the file: a header, a frame, a page.
    func write(_ write: (inout ByteBuffer) -> Void) throws(MediaFileError) {
        guard !self.isClosed else { throw MediaFileError(.closed, "the file was closed") }
        write(&self.pending)
        if self.pending.readableBytes >= Self.chunkSize { try self.flush() }
    }

    /// Writes over what is at `offset`, which must have been written.
    func patch(at offset: Int64, _ write: (inout ByteBuffer) -> Void) throws(MediaFileError) {
        guard !self.isClosed else { throw MediaFileError(.closed, "the file was closed") }
        var bytes = ByteBuffer()
        write(&bytes)
        guard let file else {
            _ = self.pending.setBuffer(bytes, at: Int(offset))
            return
        }
        try self.flush()
        try bytes.withTypedUnsafeReadableBytes { span throws(MediaFileError) in try file.write(span, at: offset) }
    }

    /// Writes what waits and closes the file. A second call does nothing.
    func close() throws(MediaFileError) {
        guard !self.isClosed else { return }
        try self.flush()
        self.isClosed = true
        try self.file?.close()
        self.file = nil
    }
}

extension ByteBuffer {
    /// `withUnsafeReadableBytes` for bodies that throw errors of this module.
    fileprivate func withTypedUnsafeReadableBytes(
        _ body: (UnsafeRawBufferPointer) throws(MediaFileError) -> Void
    ) throws(MediaFileError) {
        let result = self.withUnsafeReadableBytes { bytes -> Result<Void, MediaFileError> in
            do throws(MediaFileError) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
