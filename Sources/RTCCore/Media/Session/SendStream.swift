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
    /// The repair packets for it; without effect where none were agreed upon.
    var protection: StreamProtection
    /// `nil` where sound goes out alone.
    var redundancy: StreamRedundancy?
    /// What the track delivered for this encoding.
    var source = SourceCounts()
    /// The number of the first packet that was sent.
    private(set) var firstSequence: UInt16?
    /// Whether the peer has reported on the stream: it knows where the stream belongs.
    var isKnownToPeer = false
    /// Whether the bandwidth suffices for it; frames of an encoding that is off are not sent.
    var isOn = true
    var target: Bitrate?
    private var retransmissions = RetransmissionShare()
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
        let numbers = random.next()
        self.retransmissionSequence = UInt16(truncatingIfNeeded: numbers) & 0x7FFF
        self.protection = StreamProtection(firstSequence: UInt16(truncatingIfNeeded: numbers >> 16) & 0x7FFF)
        self.firstPictureID = UInt16(truncatingIfNeeded: random.next()) & 0x7FFF
    }

    var ssrc: SSRC { self.encoding.ssrc }

    /// Counts a packet that was sent for the first time.
    ///
    /// - Parameter captureTime: What its timestamp stands for; `nil` for now.
    func noteSent(
        _ header: RTPHeader,
        payloadSize: Int,
        overhead: Int,
        captureTime: NIODeadline? = nil,
        now: NIODeadline
    ) {
        if self.firstSequence == nil { self.firstSequence = header.sequenceNumber }
        self.statistics.send(
            timestamp: header.timestamp,
            payloadSize: payloadSize,
            overhead: overhead,
            captureTime: captureTime,
            now: now
        )
        if self.kind == .video { self.counts.notePicture(bytes: payloadSize, endsFrame: header.marker) }
    }

    func countRetransmission(of packet: OutgoingPacket, headerSize: Int) {
        self.counts.retransmittedPackets &+= 1
        self.counts.retransmittedBytes &+= UInt64(packet.source.view.payloadRange.count)
        self.counts.retransmittedHeaderBytes &+= UInt64(headerSize)
    }

    /// How much of what is sent are packets sent again, 0 to a half.
    func retransmissionShare(now: NIODeadline) -> Double {
        self.retransmissions.update(
            sent: self.statistics.payloadByteCount,
            retransmitted: self.counts.retransmittedBytes,
            now: now
        )
        return self.retransmissions.value
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
