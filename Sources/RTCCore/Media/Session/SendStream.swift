import NIOCore
import RTCBase
import RTCRTP

/// One stream that is sent: an encoding of a sender's track.
final class SendStream {
    var encoding: NegotiatedMedia.Encoding
    let kind: MediaKind
    var continuity: StreamContinuity
    var statistics = RTPSendStatistics(clockRate: 90_000)
    var history = RetransmissionHistory()
    var counts = Counts()
    /// What the track delivered for this encoding.
    var source = SourceCounts()
    /// The number of the first packet that was sent.
    private(set) var firstSequence: UInt16?
    /// Whether the peer has reported on the stream: it knows where the stream belongs.
    var isKnownToPeer = false
    /// Whether the bandwidth suffices for it; frames of an encoding that is off are not sent.
    var isOn = true
    var target: Bitrate?
    /// The payload format that ``packetizer`` is for.
    private var packetizerKey: (format: PayloadFormat, mode: H264PacketizationMode)?
    private var packetizer: (any RTPPacketizer)?
    private var retransmissionSequence: UInt16
    private let firstPictureID: UInt16
    var lastFormat: RTCRtpCodec?
    var lastPayloadType: PayloadType?

    /// What is counted beyond `RTPSendStatistics`.
    struct Counts {
        /// Pictures whose last packet was sent.
        var frames: UInt64 = 0
        var hugeFrames: UInt64 = 0
        /// Frames that were taken to be sent.
        var encodedFrames: UInt64 = 0
        var encodedKeyFrames: UInt64 = 0
        /// Bytes of the picture under way, and of those before.
        var frameBytes: UInt64 = 0
        var totalFrameBytes: UInt64 = 0
        var droppedFrames: UInt64 = 0
        var requests: UInt64 = 0
        var pictureLosses: UInt64 = 0
        var fullIntras: UInt64 = 0
        var retransmittedPackets: UInt64 = 0
        var retransmittedBytes: UInt64 = 0
        var retransmittedHeaderBytes: UInt64 = 0
        var totalQueueTime = TimeAmount.zero

        /// Counts a packet of a picture.
        mutating func notePicture(bytes: Int, endsFrame: Bool) {
            self.frameBytes &+= UInt64(bytes)
            guard endsFrame else { return }
            // W3C webrtc-stats: huge is 2.5 times the average.
            if self.frames > 0, self.frameBytes * 2 * self.frames >= self.totalFrameBytes * 5 { self.hugeFrames &+= 1 }
            self.frames &+= 1
            self.totalFrameBytes &+= self.frameBytes
            self.frameBytes = 0
        }
    }

    init(_ encoding: NegotiatedMedia.Encoding, _ kind: MediaKind, random: inout RandomSource) {
        self.encoding = encoding
        self.kind = kind
        // RFC 3711 section 3.3.1: begin below 2¹⁵, so that an early loss cannot hide a rollover.
        self.continuity = StreamContinuity(
            nextSequence: UInt16(truncatingIfNeeded: random.next()) & 0x7FFF,
            timestampOffset: UInt32(truncatingIfNeeded: random.next())
        )
        self.retransmissionSequence = UInt16(truncatingIfNeeded: random.next()) & 0x7FFF
        self.firstPictureID = UInt16(truncatingIfNeeded: random.next()) & 0x7FFF
    }

    var ssrc: SSRC { self.encoding.ssrc }

    /// Counts a packet that was sent for the first time.
    func noteSent(_ header: RTPHeader, payloadSize: Int, overhead: Int, now: NIODeadline) {
        if self.firstSequence == nil { self.firstSequence = header.sequenceNumber }
        self.statistics.send(timestamp: header.timestamp, payloadSize: payloadSize, overhead: overhead, now: now)
        if self.kind == .video { self.counts.notePicture(bytes: payloadSize, endsFrame: header.marker) }
    }

    func countRetransmission(of packet: OutgoingPacket, headerSize: Int) {
        self.counts.retransmittedPackets &+= 1
        self.counts.retransmittedBytes &+= UInt64(packet.source.view.payloadRange.count)
        self.counts.retransmittedHeaderBytes &+= UInt64(headerSize)
    }

    func nextRetransmissionSequence() -> UInt16 {
        defer { self.retransmissionSequence &+= 1 }
        return self.retransmissionSequence
    }

    /// Cuts a frame into payloads.
    func packetize(
        _ frame: EncodedFrame,
        as format: PayloadFormat,
        mode: H264PacketizationMode,
        maximumPayloadSize: Int,
        _ emit: (RTPPayload) -> Void
    ) throws(PacketizationError) {
        if self.packetizerKey?.format != format || self.packetizerKey?.mode != mode {
            self.packetizerKey = (format, mode)
            self.packetizer = format.makePacketizer(
                PacketizerOptions(firstPictureID: self.firstPictureID, h264PacketizationMode: mode)
            )
        }
        try self.packetizer?.packetize(frame, maximumPayloadSize: maximumPayloadSize, emit)
    }
}

/// A packet as it is kept until it is sent, and afterwards in case that it is asked for again: where its content lies, and the
/// header that it gets.
struct OutgoingPacket {
    /// The packet as it came, or as it was made.
    var source: RTPPacket
    /// The fixed fields that it is sent with.
    var header: RTPHeader
    /// Which header extensions of ``source`` are kept.
    var remap: HeaderExtensionRemap
    /// The payload type of its retransmission, if any was agreed upon.
    var rtx: PayloadType?
    /// The header that it was sent with, where it can only be repeated as it was.
    var sentHeader: [UInt8]?
}

/// Keeps sequence numbers and timestamps of a stream running on while what feeds it changes.
struct StreamContinuity {
    private(set) var nextSequence: UInt16
    private var timestampOffset: UInt32
    private var sequenceOffset: UInt16 = 0
    /// Whether numbers were used for what does not come from the feed.
    private var hasInterjected = false
    /// How many numbers below ``nextSequence`` belong to the feed as it is mapped now.
    private var room = 0
    /// The stream, or source of frames, that the offsets are for.
    private var feed: Feed?
    private var last: (timestamp: UInt32, instant: NIODeadline)?

    /// What feeds a stream.
    enum Feed: Hashable {
        case packets(SSRC)
        case frames(source: Int)
    }

    init(nextSequence: UInt16, timestampOffset: UInt32) {
        self.nextSequence = nextSequence
        self.timestampOffset = timestampOffset
    }

    /// The outgoing timestamp of a frame.
    mutating func timestamp(_ timestamp: UInt32, from feed: Feed, clockRate: UInt32, now: NIODeadline) -> UInt32 {
        self.change(to: feed, at: timestamp, clockRate: clockRate, now: now)
        let mapped = timestamp &+ self.timestampOffset
        self.noteTimestamp(mapped, now: now)
        return mapped
    }

    /// The number of the next packet made here.
    mutating func takeSequence() -> UInt16 {
        defer { self.nextSequence &+= 1 }
        return self.nextSequence
    }

    /// The number of the next packet that comes in between, whatever feeds the stream.
    mutating func interject() -> UInt16 {
        self.hasInterjected = true
        return self.takeSequence()
    }

    /// The timestamp that stands for an instant, as the stream's clock goes on from what was sent last.
    mutating func timestamp(at instant: NIODeadline, clockRate: UInt32) -> UInt32 {
        guard let last = self.last else {
            self.last = (self.timestampOffset, instant)
            return self.timestampOffset
        }
        return last.timestamp &+ Self.ticks(instant - last.instant, clockRate: clockRate)
    }

    private static func ticks(_ time: TimeAmount, clockRate: UInt32) -> UInt32 {
        let elapsed = Double(time.nanoseconds) / 1e9 * Double(clockRate)
        return UInt32(truncatingIfNeeded: Int64(max(0, min(elapsed, 1e15))))
    }

    /// The outgoing sequence number and timestamp of a packet that is forwarded. Gaps and reordering stay as they are.
    ///
    /// - Returns: `nil` for a late packet whose place other packets have taken: two packets must never share a number, because SRTP would
    ///   encrypt both with the same key stream (RFC 3711 section 9.1).
    mutating func map(
        _ header: RTPHeader,
        clockRate: UInt32,
        now: NIODeadline
    ) -> (sequence: UInt16, timestamp: UInt32)? {
        let feed = Feed.packets(header.ssrc)
        let hasChanged = feed != self.feed
        if hasChanged {
            self.change(to: feed, at: header.timestamp, clockRate: clockRate, now: now)
        }
        if hasChanged || self.hasInterjected { self.beginMapping(at: header.sequenceNumber) }
        var sequence = header.sequenceNumber &+ self.sequenceOffset
        var distance = SequenceNumbers.distance(from: self.nextSequence, to: sequence)
        if distance < -Self.maximumMisorder {
            // Too far to be late: the feed's numbers began elsewhere.
            self.beginMapping(at: header.sequenceNumber)
            (sequence, distance) = (self.nextSequence, 0)
        }
        let timestamp = header.timestamp &+ self.timestampOffset
        guard distance >= -self.room else { return nil }
        if distance >= 0 {
            self.nextSequence = sequence &+ 1
            self.room = min(self.room + distance + 1, Self.maximumMisorder)
            self.noteTimestamp(timestamp, now: now)
        }
        return (sequence, timestamp)
    }

    /// The packet with this number is to be the next.
    private mutating func beginMapping(at number: UInt16) {
        self.hasInterjected = false
        self.sequenceOffset = self.nextSequence &- number
        self.room = 0
    }

    private mutating func change(to feed: Feed, at timestamp: UInt32, clockRate: UInt32, now: NIODeadline) {
        guard feed != self.feed else { return }
        self.feed = feed
        guard let last = self.last else { return }
        // The stream's clock went on while nothing fed it; by one tick at least.
        let ticks = max(1, Self.ticks(now - last.instant, clockRate: clockRate))
        self.timestampOffset = last.timestamp &+ ticks &- timestamp
    }

    private mutating func noteTimestamp(_ timestamp: UInt32, now: NIODeadline) {
        if self.last?.timestamp != timestamp { self.last = (timestamp, now) }
    }

    /// How late a packet may be; receivers take no more either.
    private static let maximumMisorder = 1000
}
