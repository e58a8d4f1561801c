internal import NIOCore

/// Whole packets on their way to a page.
struct OggPageBuilder {
    private(set) var segments: [UInt8] = []
    private(set) var payload = ByteBuffer()
    /// How long the packets last together, in samples at 48,000 Hz.
    private(set) var duration = 0

    var isEmpty: Bool { self.segments.isEmpty }

    /// Whether a packet still fits on the page.
    func fits(_ packet: ByteBuffer) -> Bool {
        self.segments.count + packet.readableBytes / 255 + 1 <= OggPage.maximumSegments
    }

    /// Adds a packet; `false`, and nothing is added, if it does not fit.
    mutating func append(_ packet: ByteBuffer, duration: Int = 0) -> Bool {
        guard self.fits(packet) else { return false }
        self.segments += repeatElement(255, count: packet.readableBytes / 255)
        self.segments.append(UInt8(packet.readableBytes % 255))
        self.payload.writeImmutableBuffer(packet)
        self.duration += duration
        return true
    }
}
