internal import NIOCore

/// Finds the pages of an Ogg file, past damage.
struct OggPageReader {
    private let input: FileInput
    /// How many bytes were passed over because no sound page began with them.
    private(set) var skippedByteCount: Int64 = 0

    init(_ input: FileInput) { self.input = input }

    /// Where the next page would begin.
    var offset: Int64 { self.input.offset }

    /// The next sound page; `nil` at the end.
    mutating func next() throws(MediaFileError) -> OggPage? {
        while try self.findSignature() {
            if let page = try self.readPage() { return page }
            // The signature may be data, and a page may begin inside what this one claims.
            self.skippedByteCount += try self.input.skip(1)
        }
        return nil
    }

    /// The page that begins here, if it is whole.
    private func readPage() throws(MediaFileError) -> OggPage? {
        let header = try self.input.peek(OggPage.headerSize + OggPage.maximumSegments)
        guard let count = header.getInteger(at: OggPage.headerSize - 1, as: UInt8.self),
            let segments = header.getBytes(at: OggPage.headerSize, length: Int(count))
        else { return nil }
        let size = OggPage.headerSize + segments.count + segments.reduce(0) { $0 + Int($1) }
        let bytes = try self.input.peek(size)
        guard bytes.readableBytes == size, let page = OggPage(bytes) else { return nil }
        try self.input.skip(Int64(size))
        return page
    }

    /// Goes on to the next `OggS`; `false` if there is none.
    private mutating func findSignature() throws(MediaFileError) -> Bool {
        while try self.input.fill(OggPage.headerSize) {
            let place = self.input.withAvailable(Self.signature)
            self.skippedByteCount += try self.input.skip(Int64(place ?? self.input.availableCount - 3))
            if place != nil { return try self.input.fill(OggPage.headerSize) }
        }
        self.skippedByteCount += try self.input.skip(Int64(OggPage.headerSize))
        return false
    }

    private static func signature(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (0...bytes.count - 4).first { offset in
            bytes[offset] == 0x4F && bytes[offset + 1] == 0x67 && bytes[offset + 2] == 0x67 && bytes[offset + 3] == 0x53
        }
    }
}
