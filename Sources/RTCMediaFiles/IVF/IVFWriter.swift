public import NIOCore
internal import RTCRTP

/// Writes IVF files of VP8, VP9 and AV1.
///
/// The file can be played at any moment of its making: only the number of frames, which players do not need, is filled in by
/// ``close()``.
public final class IVFWriter {
    private let output: FileOutput
    private let header: IVFHeader
    private var frameCount: UInt32 = 0

    /// Writes the header.
    public init(_ output: FileOutput, header: IVFHeader) throws(MediaFileError) {
        self.output = output
        self.header = header
        try output.write { Self.write(header, to: &$0) }
    }

    /// Writes a frame with its time in ticks of the header's timebase.
    ///
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for a frame without bytes, or of 4 GiB and more.
    public func write(_ packet: IVFPacket) throws(MediaFileError) {
        guard let size = UInt32(exactly: packet.payload.readableBytes), size > 0 else {
            throw MediaFileError(.invalidArgument, "a frame of \(packet.payload.readableBytes) bytes")
        }
        try self.output.write { bytes in
            bytes.writeInteger(size, endianness: .little)
            bytes.writeInteger(packet.time, endianness: .little)
            bytes.writeImmutableBuffer(packet.payload)
        }
        self.frameCount &+= 1
    }

    /// Writes a frame that is shown at `time`, counted from the beginning of the file.
    ///
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for a negative time too.
    public func write(_ payload: ByteBuffer, time: Duration) throws(MediaFileError) {
        guard let ticks = self.header.timebase.ticks(in: time) else {
            throw MediaFileError(.invalidArgument, "a frame at \(time)")
        }
        try self.write(IVFPacket(payload: payload, time: ticks))
    }

    /// Hands to the system what waits in memory.
    public func flush() throws(MediaFileError) { try self.output.flush() }

    /// Fills in the number of frames and closes the file.
    public func close() throws(MediaFileError) {
        let count = self.frameCount
        try self.output.patch(at: IVFHeader.frameCountOffset) { $0.writeInteger(count, endianness: .little) }
        try self.output.close()
    }

    private static func write(_ header: IVFHeader, to bytes: inout ByteBuffer) {
        bytes.writeString(IVFHeader.signature)
        bytes.writeInteger(UInt16(0), endianness: .little)
        bytes.writeInteger(UInt16(IVFHeader.size), endianness: .little)
        bytes.writeString(IVFHeader.fourCC(of: header.format) ?? "")
        bytes.writeInteger(UInt16(truncatingIfNeeded: header.size.width), endianness: .little)
        bytes.writeInteger(UInt16(truncatingIfNeeded: header.size.height), endianness: .little)
        bytes.writeInteger(header.timebase.denominator, endianness: .little)
        bytes.writeInteger(header.timebase.numerator, endianness: .little)
        // The number of frames, and a field without use.
        bytes.writeInteger(UInt64(0))
    }
}
