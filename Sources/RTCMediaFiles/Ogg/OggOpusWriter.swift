public import NIOCore
internal import RTCRTP

/// Writes Opus to Ogg files (RFC 7845).
///
/// Pages go to the system when they hold a second of sound, so no more than that is lost with the process, and a file without
/// its last page still plays. Where RTP timestamps show that packets are missing, packets without data stand in for them
/// (RFC 7845 section 4.1), which decoders conceal: sound keeps its place in time.
public final class OggOpusWriter {
    private let output: FileOutput
    private let serialNumber: UInt32
    private let maximumGap: Int64
    private var page = OggPageBuilder()
    private var sequenceNumber: UInt32 = 0
    /// Samples at 48,000 Hz written so far.
    private var position: UInt64 = 0
    private var timeline: Timeline?
    private var isClosed = false
    /// How many packets were not written because they were no later than the one before.
    public private(set) var droppedPacketCount = 0

    /// Where the stream's RTP timestamps stand.
    private struct Timeline {
        /// The newest timestamp, and its place in samples from the beginning of the file.
        var timestamp: UInt32
        var position: Int64
        /// The first byte of the newest packet.
        var tableOfContents: UInt8
    }

    /// Writes both headers.
    ///
    /// - Parameters:
    ///   - output: Where the file goes.
    ///   - head: The identification header; only mono and stereo.
    ///   - tags: The comments; together below 64 KiB.
    ///   - serialNumber: Tells streams of one file apart; give each file its own.
    ///   - maximumGap: Longer jumps of the timestamp count as a new beginning, and are not filled. Default ten minutes.
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for tags that are too long.
    public init(
        _ output: FileOutput,
        head: OpusHead = OpusHead(),
        tags: OpusTags = OpusTags(),
        serialNumber: UInt32 = .random(in: 1...(.max)),
        maximumGap: Duration = .seconds(600)
    ) throws(MediaFileError) {
        self.output = output
        self.serialNumber = serialNumber
        self.maximumGap = Int64(clamping: Timebase.opus.ticks(in: maximumGap) ?? 0)
        var tagPage = OggPageBuilder()
        guard tagPage.append(tags.bytes) else { throw MediaFileError(.invalidArgument, "tags of 64 KiB and more") }
        var headPage = OggPageBuilder()
        _ = headPage.append(head.bytes)
        try self.write(&headPage, flags: .first)
        try self.write(&tagPage)
    }

    /// Writes a packet with its RTP timestamp, which counts in 48 kHz and may wrap around. The first packet's is time zero.
    ///
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for what is not an Opus packet.
    public func write(_ packet: ByteBuffer, timestamp: UInt32) throws(MediaFileError) {
        guard let description = OpusPacket(packet.readableBytesSpan),
            let contents = packet.getInteger(at: packet.readerIndex, as: UInt8.self)
        else { throw MediaFileError(.invalidArgument, "\(packet.readableBytes) bytes that are not an Opus packet") }
        let previous = self.timeline
        guard let gap = self.advance(to: timestamp, tableOfContents: contents) else {
            self.droppedPacketCount += 1
            return
        }
        if gap > 0, let previous { try self.conceal(gap, after: previous.tableOfContents) }
        try self.append(packet, duration: description.duration)
    }

    /// Goes on to a packet's timestamp; returns how many samples are missing before it, `nil` for a packet that comes too late.
    private func advance(to timestamp: UInt32, tableOfContents: UInt8) -> Int64? {
        let written = Int64(self.position)
        guard let previous = self.timeline else {
            self.timeline = Timeline(timestamp: timestamp, position: 0, tableOfContents: tableOfContents)
            return 0
        }
        let step = Int64(Int32(bitPattern: timestamp &- previous.timestamp))
        guard step > 0 || step < -self.maximumGap else { return nil }
        let gap = previous.position + step - written
        let isBreak = step < 0 || gap > self.maximumGap
        self.timeline = Timeline(
            timestamp: timestamp,
            position: isBreak ? written : previous.position + step,
            tableOfContents: tableOfContents
        )
        return isBreak ? 0 : max(0, gap)
    }

    /// Writes the last page and closes the file.
    public func close() throws(MediaFileError) {
        guard !self.isClosed else { return }
        self.isClosed = true
        try self.write(&self.page, flags: .last)
        try self.output.close()
    }

    private func conceal(_ gap: Int64, after contents: UInt8) throws(MediaFileError) {
        var filler = OpusGapFiller(samples: gap, after: contents)
        while let packet = filler.next() { try self.append(packet.payload, duration: packet.duration) }
    }

    private func append(_ packet: ByteBuffer, duration: Int) throws(MediaFileError) {
        // Before the packet and not behind it: the page that ends the stream then has at least one.
        if self.page.duration + duration > Self.pageDuration || !self.page.fits(packet) {
            try self.write(&self.page)
            try self.output.flush()
        }
        guard self.page.append(packet, duration: duration) else {
            throw MediaFileError(.invalidArgument, "a packet of \(packet.readableBytes) bytes")
        }
        self.position += UInt64(duration)
    }

    /// One second.
    private static let pageDuration = 48_000

    private func write(_ builder: inout OggPageBuilder, flags: OggPage.Flags = []) throws(MediaFileError) {
        guard !builder.isEmpty || flags.contains(.last) else { return }
        let page = OggPage(
            flags: flags,
            granulePosition: self.position,
            serialNumber: self.serialNumber,
            sequenceNumber: self.sequenceNumber,
            segments: builder.segments,
            payload: builder.payload
        )
        self.sequenceNumber &+= 1
        builder = OggPageBuilder()
        try self.output.write { page.append(to: &$0) }
    }
}
