public import NIOCore
internal import RTCBase

/// Writes byte streams of H.264 and H.265: access units one behind the other.
public final class AnnexBWriter {
    private let output: FileOutput

    /// A writer. The file has no header.
    public init(_ output: FileOutput) { self.output = output }

    /// Writes an access unit in Annex B form, as an encoder and a depacketizer give it.
    ///
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for what does not begin with a start code.
    public func write(_ accessUnit: ByteBuffer) throws(MediaFileError) {
        let code = accessUnit.withUnsafeReadableBytes { bytes in
            AnnexB.startCode(in: UnsafeRawBufferPointer(rebasing: bytes.prefix(4)), from: 0)
        }
        guard code != nil else { throw MediaFileError(.invalidArgument, "an access unit without a start code") }
        try self.output.write { $0.writeImmutableBuffer(accessUnit) }
    }

    /// Hands to the system what waits in memory.
    public func flush() throws(MediaFileError) { try self.output.flush() }

    /// Closes the file.
    public func close() throws(MediaFileError) { try self.output.close() }
}
