internal import NIOCore

/// Finds format and samples among the chunks of a WAV file.
struct WAVHeaderReader {
    private let input: FileInput
    private let limits: MediaFileLimits
    private var format: WAVFormat?
    /// The size of the samples by the 64-bit header, where there is one.
    private var longSize: UInt64?

    /// What the header says.
    struct Header {
        var format: WAVFormat
        /// Where the samples begin, in bytes.
        var dataOffset: Int64
        /// How many bytes of samples there are; `nil` where the file does not know.
        var dataSize: UInt64?
    }

    init(_ input: FileInput, limits: MediaFileLimits) {
        self.input = input
        self.limits = limits
    }

    /// Reads up to the first sample.
    mutating func read() throws(MediaFileError) -> Header {
        guard var start = try self.input.take(12), let form = start.readString(length: 4),
            start.readInteger(as: UInt32.self) != nil, start.readString(length: 4) == "WAVE",
            form == "RIFF" || form == "RF64"
        else { throw MediaFileError(.malformed, "a WAV file begins with RIFF or RF64, a size and WAVE", offset: 0) }
        while var chunk = try self.input.take(8) {
            let name = chunk.readString(length: 4) ?? ""
            let size = chunk.readInteger(endianness: .little, as: UInt32.self) ?? 0
            if name == "data" { return try self.header(dataSize: size) }
            try self.readChunk(name, size: size)
        }
        throw self.input.error(.malformed, "the file ends before its samples")
    }

    private func header(dataSize: UInt32) throws(MediaFileError) -> Header {
        guard let format else { throw self.input.error(.malformed, "samples before their format") }
        // Zero and the largest number are what recorders write that do not know yet, or never came to write it.
        let isUnknown = dataSize == 0 || dataSize == .max
        let size = isUnknown ? self.longSize : UInt64(dataSize)
        return Header(format: format, dataOffset: self.input.offset, dataSize: size)
    }

    private mutating func readChunk(_ name: String, size: UInt32) throws(MediaFileError) {
        guard name == "fmt " || name == "ds64" else {
            // Chunks begin at even bytes.
            try self.input.skip(Int64(size) + Int64(size & 1))
            return
        }
        guard size <= self.limits.headerSize else {
            throw self.input.error(.limitExceeded, "a header of \(size) bytes")
        }
        let offset = self.input.offset
        guard var bytes = try self.input.take(Int(size)) else {
            throw self.input.error(.malformed, "the file ends in its header")
        }
        try self.input.skip(Int64(size & 1))
        if name == "ds64" {
            bytes.moveReaderIndex(forwardBy: min(8, bytes.readableBytes))
            let size = bytes.readInteger(endianness: .little, as: UInt64.self) ?? 0
            self.longSize = size == 0 || size == .max ? nil : size
        } else {
            self.format = try Self.format(&bytes, offset: offset)
        }
    }

    private static func format(_ bytes: inout ByteBuffer, offset: Int64) throws(MediaFileError) -> WAVFormat {
        guard var tag = bytes.readInteger(endianness: .little, as: UInt16.self),
            let channels = bytes.readInteger(endianness: .little, as: UInt16.self),
            let rate = bytes.readInteger(endianness: .little, as: UInt32.self),
            bytes.readInteger(as: UInt32.self) != nil,
            let blockSize = bytes.readInteger(endianness: .little, as: UInt16.self),
            let bits = bytes.readInteger(endianness: .little, as: UInt16.self)
        else { throw MediaFileError(.malformed, "a format of less than 16 bytes", offset: offset) }
        // The extensible form: a size, the bits in use, a mask of channels, and then the tag again.
        if tag == 0xFFFE {
            tag = bytes.getInteger(at: bytes.readerIndex + 8, endianness: .little, as: UInt16.self) ?? tag
        }
        guard let encoding = WAVFormat.Encoding.allCases.first(where: { $0.tag == tag }),
            Int(bits) == encoding.sampleSize * 8
        else { throw MediaFileError(.unsupported, "samples of \(bits) bits in format \(tag)", offset: offset) }
        guard let format = try? WAVFormat(encoding: encoding, sampleRate: Int(rate), channelCount: Int(channels)),
            format.blockSize == Int(blockSize)
        else {
            let what = "\(channels) channels of \(rate) Hz in blocks of \(blockSize) bytes"
            throw MediaFileError(.malformed, what, offset: offset)
        }
        return format
    }
}
