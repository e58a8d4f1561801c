public import NIOCore

/// Writes WAV files with linear samples of 16 bits or with G.711.
///
/// Until ``close()`` fills in the sizes the header says that they are not known, and players read such a file to its end. A
/// file that became larger than 4 GiB is closed as RF64 (EBU Tech 3306).
public final class WAVWriter {
    /// How the samples are stored.
    public let format: WAVFormat
    private let output: FileOutput
    private var dataSize: UInt64 = 0
    private var isClosed = false
    /// What the 32-bit sizes hold; tests have less.
    var shortSizeLimit = UInt64(UInt32.max)

    /// Writes the header.
    public init(_ output: FileOutput, format: WAVFormat) throws(MediaFileError) {
        self.output = output
        self.format = format
        try output.write { Self.writeHeader(format, to: &$0) }
    }

    /// How much sound was written.
    public var duration: Duration { self.format.duration(ofSamples: self.dataSize / UInt64(self.format.blockSize)) }

    /// Writes samples as the file stores them, those of all channels taking turns.
    ///
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for what is not whole samples of all channels.
    public func write(_ samples: ByteBuffer) throws(MediaFileError) {
        guard samples.readableBytes % self.format.blockSize == 0 else {
            throw MediaFileError(.invalidArgument, "\(samples.readableBytes) bytes are not whole samples")
        }
        try self.output.write { $0.writeImmutableBuffer(samples) }
        self.dataSize += UInt64(samples.readableBytes)
    }

    /// Writes linear samples, those of all channels taking turns.
    public func write(samples: some Collection<Int16>) throws(MediaFileError) {
        guard self.format.encoding == .pcm16 else {
            throw MediaFileError(.invalidArgument, "linear samples for a file of G.711")
        }
        var bytes = ByteBuffer()
        for sample in samples { bytes.writeInteger(sample, endianness: .little) }
        try self.write(bytes)
    }

    /// Writes silence, for what was not received.
    ///
    /// - Parameter sampleCount: How many samples of each channel; none for numbers below 1.
    public func writeSilence(sampleCount: Int) throws(MediaFileError) {
        var left = max(0, sampleCount)
        while left > 0 {
            let count = min(left, 4096)
            let byte: UInt8 =
                switch self.format.encoding {
                case .pcm16: 0
                case .aLaw: 0xD5
                case .muLaw: 0xFF
                }
            try self.write(ByteBuffer(repeating: byte, count: count * self.format.blockSize))
            left -= count
        }
    }

    /// Hands to the system what waits in memory.
    public func flush() throws(MediaFileError) { try self.output.flush() }

    /// Fills in the sizes and closes the file.
    public func close() throws(MediaFileError) {
        guard !self.isClosed else { return }
        self.isClosed = true
        if self.dataSize & 1 == 1 { try self.output.write { $0.writeInteger(UInt8(0)) } }
        try self.patchSizes()
        try self.output.close()
    }

    private func patchSizes() throws(MediaFileError) {
        let (dataSize, fileSize) = (self.dataSize, UInt64(self.output.count) - 8)
        let sampleCount = dataSize / UInt64(self.format.blockSize)
        let sizeOffset = Int64(Self.headerSize(self.format) - 4)
        guard fileSize <= self.shortSizeLimit, let short = UInt32(exactly: fileSize) else {
            return try self.patchLong(fileSize, sampleCount)
        }
        try self.output.patch(at: 4) { $0.writeInteger(short, endianness: .little) }
        try self.output.patch(at: sizeOffset) { bytes in
            bytes.writeInteger(UInt32(truncatingIfNeeded: dataSize), endianness: .little)
        }
        guard self.format.encoding != .pcm16 else { return }
        try self.output.patch(at: sizeOffset - 8) { bytes in
            bytes.writeInteger(UInt32(truncatingIfNeeded: sampleCount), endianness: .little)
        }
    }

    /// Makes the space kept behind the header the 64-bit sizes of an RF64 file.
    private func patchLong(_ fileSize: UInt64, _ sampleCount: UInt64) throws(MediaFileError) {
        let dataSize = self.dataSize
        try self.output.patch(at: 0) { $0.writeString("RF64") }
        try self.output.patch(at: 12) { bytes in
            bytes.writeString("ds64")
            bytes.writeInteger(UInt32(28), endianness: .little)
            for size in [fileSize, dataSize, sampleCount] { bytes.writeInteger(size, endianness: .little) }
        }
    }

    private static func writeHeader(_ format: WAVFormat, to bytes: inout ByteBuffer) {
        func write(_ name: String, _ size: UInt32) {
            bytes.writeString(name)
            bytes.writeInteger(size, endianness: .little)
        }
        write("RIFF", .max)
        bytes.writeString("WAVE")
        write("JUNK", 28)
        bytes.writeRepeatingByte(0, count: 28)
        write("fmt ", format.encoding == .pcm16 ? 16 : 18)
        bytes.writeInteger(format.encoding.tag, endianness: .little)
        bytes.writeInteger(UInt16(clamping: format.channelCount), endianness: .little)
        bytes.writeInteger(UInt32(clamping: format.sampleRate), endianness: .little)
        bytes.writeInteger(UInt32(clamping: format.sampleRate * format.blockSize), endianness: .little)
        bytes.writeInteger(UInt16(clamping: format.blockSize), endianness: .little)
        bytes.writeInteger(UInt16(clamping: format.encoding.sampleSize * 8), endianness: .little)
        if format.encoding != .pcm16 {
            bytes.writeInteger(UInt16(0))
            write("fact", 4)
            bytes.writeInteger(UInt32.max, endianness: .little)
        }
        write("data", .max)
    }

    private static func headerSize(_ format: WAVFormat) -> Int { format.encoding == .pcm16 ? 80 : 94 }
}
