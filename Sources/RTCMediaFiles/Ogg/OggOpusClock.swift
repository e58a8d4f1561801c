internal import NIOCore
internal import RTCRTP

/// Gives the packets of an Ogg Opus stream their times (RFC 7845 section 4).
struct OggOpusClock {
    /// How many packets were not Opus.
    private(set) var brokenPacketCount = 0
    /// Where the next packet begins by what was read so far, in samples at 48,000 Hz; `nil` before the first.
    private var position: UInt64?
    /// What granule positions begin with, which is not 0 in the middle of a broadcast.
    private var origin: UInt64 = 0

    /// The frames of the packets that end on a page.
    mutating func frames(_ packets: [ByteBuffer], of page: OggPage) -> [MediaFileFrame] {
        let sound = packets.compactMap { packet -> (ByteBuffer, UInt64)? in
            OpusPacket(packet.readableBytesSpan).map { (packet, UInt64($0.duration)) }
        }
        self.brokenPacketCount += packets.count - sound.count
        guard !sound.isEmpty else { return [] }
        let total = sound.reduce(0) { $0 + $1.1 }
        var start = self.begin(page, total: total)
        let end =
            page.flags.contains(.last)
            ? page.granulePosition.flatMap { $0 >= self.origin ? $0 - self.origin : nil } : nil
        var frames: [MediaFileFrame] = []
        for (packet, duration) in sound {
            let left = end.map { $0 > start ? $0 - start : 0 } ?? duration
            frames.append(Self.frame(packet, start: start, duration: min(duration, left)))
            start += duration
        }
        self.position = start
        return frames
    }

    /// Where the first packet of a page begins.
    private mutating func begin(_ page: OggPage, total: UInt64) -> UInt64 {
        let granule = page.granulePosition.flatMap { $0 <= Self.maximum ? $0 : nil }
        guard let position else {
            // Only a stream that ends with its first page may have a position below its length: it is cut short.
            if let granule, granule > total { self.origin = granule - total }
            return 0
        }
        guard let granule, granule >= self.origin + total else { return position }
        // Later than the packets add up to: something is missing in between. Never earlier, whatever the file says; at the
        // end of the stream that only means that the last packet is cut short.
        return max(position, granule - self.origin - total)
    }

    /// Positions beyond this are no time: 2^53 samples are 6,000 years.
    private static let maximum: UInt64 = 1 << 53

    private static func frame(_ packet: ByteBuffer, start: UInt64, duration: UInt64) -> MediaFileFrame {
        let frame = EncodedFrame(payload: packet, timestamp: UInt32(truncatingIfNeeded: start), isKeyFrame: true)
        return MediaFileFrame(
            frame: frame,
            time: Timebase.opus.duration(of: start) ?? .zero,
            duration: Timebase.opus.duration(of: duration)
        )
    }
}
