internal import NIOCore
public import RTCRTP

/// Reads Opus from Ogg files (RFC 7845).
///
/// Damaged pages are passed over and counted, and times go on from the granule positions behind them. Other streams that are
/// multiplexed with the Opus stream are passed over. A chain of streams is refused where the second begins, and so are
/// streams of more than two channels, whose packets are not those of RTP.
public final class OggOpusReader: MediaFrameReader {
    /// The identification header.
    public let head: OpusHead
    /// The comment header.
    public let tags: OpusTags
    private let input: FileInput
    private var pages: OggPageReader
    private var assembler: OggPacketAssembler
    private var clock = OggOpusClock()
    private let serialNumber: UInt32
    private let limits: MediaFileLimits
    private var ready: CircularBuffer<MediaFileFrame> = []
    private var hasEnded = false

    /// Reads both headers.
    ///
    /// - Throws: What is wrong with them; ``MediaFileError/Code/unsupported`` for more than two channels.
    public init(_ input: FileInput, limits: MediaFileLimits = .defaults) throws(MediaFileError) {
        self.input = input
        self.limits = limits
        self.pages = OggPageReader(input)
        self.assembler = OggPacketAssembler(limit: max(limits.headerSize, limits.frameSize))
        (self.head, self.serialNumber) = try Self.findHead(&self.pages)
        self.tags = try Self.readTags(&self.pages, &self.assembler, serialNumber: self.serialNumber)
    }

    /// Opus.
    public var format: PayloadFormat { .opus }

    /// How many bytes lay outside sound pages.
    public var skippedByteCount: Int64 { self.pages.skippedByteCount }

    /// How many packets were lost with missing pages, broken, or too large.
    public var lostPacketCount: Int { self.assembler.lostPacketCount + self.clock.brokenPacketCount }

    /// The next packet.
    ///
    /// Its time counts from the first sample that a decoder puts out, which it is told to throw away up to
    /// ``OpusHead/preSkip``. The duration of the last packet is cut where the stream says that it ends.
    public func nextFrame() throws(MediaFileError) -> MediaFileFrame? {
        while self.ready.isEmpty {
            guard !self.hasEnded, let page = try self.nextPage() else { return nil }
            let packets = self.assembler.append(page)
            self.hasEnded = page.flags.contains(.last)
            self.ready.append(contentsOf: self.clock.frames(packets, of: page))
        }
        return self.ready.popFirst()
    }

    /// Begins again with the first packet.
    public func rewind() throws(MediaFileError) {
        try self.input.rewind()
        self.pages = OggPageReader(self.input)
        self.assembler = OggPacketAssembler(limit: max(self.limits.headerSize, self.limits.frameSize))
        self.clock = OggOpusClock()
        self.ready.removeAll()
        self.hasEnded = false
        _ = try Self.findHead(&self.pages)
        _ = try Self.readTags(&self.pages, &self.assembler, serialNumber: self.serialNumber)
    }

    private func nextPage() throws(MediaFileError) -> OggPage? {
        while let page = try self.pages.next() {
            guard !page.flags.contains(.first) else {
                throw self.input.error(.unsupported, "another stream begins: chained files are not read on")
            }
            if page.serialNumber == self.serialNumber { return page }
        }
        return nil
    }

    /// The first page that begins an Opus stream; the first pages of all streams stand together.
    private static func findHead(_ pages: inout OggPageReader) throws(MediaFileError) -> (OpusHead, UInt32) {
        while let page = try pages.next(), page.flags.contains(.first) {
            guard page.payload.getString(at: page.payload.readerIndex, length: 8) == OpusHead.signature else {
                continue
            }
            guard let head = OpusHead(page.payload) else {
                throw MediaFileError(.malformed, "a broken OpusHead", offset: pages.offset)
            }
            guard head.streamCount == 1, head.channelCount <= 2 else {
                throw MediaFileError(.unsupported, "Opus of \(head.channelCount) channels", offset: pages.offset)
            }
            return (head, page.serialNumber)
        }
        throw MediaFileError(.malformed, "no page of an Ogg file that begins an Opus stream", offset: pages.offset)
    }

    private static func readTags(
        _ pages: inout OggPageReader,
        _ assembler: inout OggPacketAssembler,
        serialNumber: UInt32
    ) throws(MediaFileError) -> OpusTags {
        while let page = try pages.next() {
            guard page.serialNumber == serialNumber else { continue }
            let packets = assembler.append(page)
            if packets.isEmpty && !page.flags.contains(.last) { continue }
            guard packets.count == 1, let tags = OpusTags(packets[0]) else { break }
            return tags
        }
        throw MediaFileError(.malformed, "no sound OpusTags behind OpusHead", offset: pages.offset)
    }
}
