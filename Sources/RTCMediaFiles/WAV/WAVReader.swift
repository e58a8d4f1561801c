public import NIOCore

/// Reads WAV files with linear samples of 16 bits and with G.711, RIFF and RF64.
///
/// A file whose header does not know how long it is is read to its end.
public final class WAVReader {
    /// How the samples are stored.
    public let format: WAVFormat
    /// How many samples each channel has; `nil` where the header does not know.
    public let sampleCount: UInt64?
    private let input: FileInput
    private let header: WAVHeaderReader.Header
    private var readSize: UInt64 = 0

    /// Reads the header.
    ///
    /// - Throws: What is wrong with it; ``MediaFileError/Code/unsupported`` for other codings.
    public init(_ input: FileInput, limits: MediaFileLimits = .defaults) throws(MediaFileError) {
        self.input = input
        var reader = WAVHeaderReader(input, limits: limits)
        self.header = try reader.read()
        self.format = self.header.format
        self.sampleCount = self.header.dataSize.map { [format] in $0 / UInt64(format.blockSize) }
    }

    /// The next samples as they are stored, those of all channels taking turns; `nil` at the end.
    ///
    /// - Parameter count: How many of each channel, at least 1; the last block has fewer.
    public func nextBlock(sampleCount count: Int) throws(MediaFileError) -> ByteBuffer? {
        let blockSize = self.format.blockSize
        let (wanted, overflow) = max(1, count).multipliedReportingOverflow(by: blockSize)
        guard !overflow else { throw MediaFileError(.invalidArgument, "a block of \(count) samples") }
        let left = self.header.dataSize.map { $0 - min($0, self.readSize) } ?? .max
        var size = Int(min(UInt64(wanted), left))
        if try !self.input.fill(size) { size = min(size, self.input.availableCount) }
        // What is not a whole sample of all channels was cut off.
        size -= size % blockSize
        guard size > 0, let block = try self.input.take(size) else { return nil }
        self.readSize += UInt64(size)
        return block
    }

    /// Begins again with the first sample.
    public func rewind() throws(MediaFileError) {
        try self.input.rewind()
        try self.input.skip(self.header.dataOffset)
        self.readSize = 0
    }
}
