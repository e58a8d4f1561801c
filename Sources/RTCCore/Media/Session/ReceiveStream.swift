import NIOCore
import RTCRTP

/// One stream of a peer's: what came of it, what is missing, its frames.
final class ReceiveStream {
    let ssrc: SSRC
    let encoding: Int
    private(set) var format: RTPStreamFormat
    var statistics: RTPReceiveStatistics
    var clock: SenderClock
    /// `nil` where nothing is asked for again.
    var missing: NACKGenerator?
    /// `nil` while nobody wants frames.
    var frames: FrameBuffer?
    /// Made with the first packet of redundant sound.
    var redundancy: RedundantAudioReceiver?
    /// Made with the first packet of error correction.
    var repair: FlexFECReceiver?
    /// The stream that its error correction came in.
    var fecSSRC: SSRC?
    /// Made with the first telephone event.
    var tones: TelephoneEventReceiver?
    var toneClockRate: UInt32 = 0
    var lastReport: RTCPSenderInfo?
    var lastReportArrival: NIODeadline?
    var reportCount: UInt64 = 0
    var counts = Counts()
    /// What frame buffers before the present one counted.
    private var pastFrames = FrameBuffer.Counters()
    /// The stream that its retransmissions came in.
    var rtxSSRC: SSRC?
    /// What answers to reference times gave (RFC 3611 section 4.5).
    var roundTrips = RoundTrips()
    /// The last packet, for `getSynchronizationSources`.
    var latest: (timestamp: UInt32, arrival: NIODeadline, level: AudioLevel?)?
    var contributors: [Contributor] = []
    private(set) var lastKeyFrameRequest: NIODeadline?
    var isWaitingForKeyFrame = false

    /// What is counted beyond ``RTPReceiveStatistics``.
    struct Counts {
        var retransmittedPackets: UInt64 = 0
        var retransmittedBytes: UInt64 = 0
        var requests: UInt64 = 0
        var pictureLosses: UInt64 = 0
        var fullIntras: UInt64 = 0
        var retransmittedHeaderBytes: UInt64 = 0
    }

    /// Round trips as the peer's answers to reference times let them be measured.
    struct RoundTrips {
        var last: TimeAmount?
        var total = TimeAmount.zero
        var count: UInt64 = 0

        mutating func note(_ time: TimeAmount) {
            self.last = time
            self.total = self.total + time
            self.count &+= 1
        }
    }

    /// A source that was mixed into this stream.
    struct Contributor {
        var ssrc: SSRC
        var timestamp: UInt32
        var arrival: NIODeadline
    }

    init(_ ssrc: SSRC, encoding: Int, format: RTPStreamFormat, asksAgain: Bool) {
        self.ssrc = ssrc
        self.encoding = encoding
        self.format = format
        self.statistics = RTPReceiveStatistics(clockRate: format.codec.clockRate)
        self.clock = SenderClock(clockRate: format.codec.clockRate)
        self.missing = asksAgain ? NACKGenerator() : nil
    }

    /// Takes note of a packet as it came over the network.
    ///
    /// - Parameter isTimed: Whether its timestamp says when it was sent: that of a telephone event does not.
    /// - Returns: Whether it belongs to the stream: far from all others it may be a stray.
    func account(_ packet: RTPPacket, isTimed: Bool, now: NIODeadline) -> Bool {
        guard self.statistics.receive(packet.view, isTimed: isTimed, now: now) != .suspect else { return false }
        packet.withBytes { self.note(packet.view, in: $0, now: now) }
        return true
    }

    /// Another format begins; the stream goes on.
    func change(to format: RTPStreamFormat) {
        guard format !== self.format else { return }
        let isSameCodec = format.payloadFormat == self.format.payloadFormat
        self.format = format
        if format.codec.clockRate != self.statistics.clockRate {
            self.statistics.clockRate = format.codec.clockRate
            self.clock = SenderClock(clockRate: format.codec.clockRate)
        }
        if !isSameCodec { self.dropFrames() }
    }

    private func dropFrames() {
        if let frames = self.frames { self.pastFrames.add(frames.counters) }
        self.frames = nil
    }

    /// What became of frames; `nil` if nobody ever wanted any.
    var frameCounts: FrameBuffer.Counters? {
        var counts = self.pastFrames
        if let frames = self.frames { counts.add(frames.counters) }
        return self.frames == nil && counts == FrameBuffer.Counters() ? nil : counts
    }

    /// Makes or drops the frame buffer as the user wants frames or not.
    func setFrames(_ wants: MediaReceiver.Wants) {
        guard wants.frames, let payload = self.format.payloadFormat else { return self.dropFrames() }
        if self.frames == nil { self.frames = FrameBuffer(format: payload) }
        self.frames?.delays.target = wants.target
    }

    /// How long a gap is waited for: as long as asking again a few times takes, or else as reordering may.
    func waitForGaps(roundTripTime: TimeAmount) -> TimeAmount {
        let jitter = self.statistics.jitterTime.nanoseconds
        guard self.missing != nil else {
            // Repair packets come when a few frames are through.
            let (least, most): (Int64, Int64) =
                self.repair == nil ? (20_000_000, 150_000_000) : (180_000_000, 300_000_000)
            return .nanoseconds(min(max(jitter * 4, least), most))
        }
        let tries = roundTripTime.nanoseconds * 6 + jitter * 2 + 150_000_000
        return .nanoseconds(min(tries, 2_000_000_000))
    }

    /// Whether a key frame may be asked for again; notes that it is.
    func mayRequestKeyFrame(roundTripTime: TimeAmount, now: NIODeadline) -> Bool {
        let interval = max(roundTripTime + roundTripTime, .milliseconds(200))
        if let last = self.lastKeyFrameRequest, now - last < interval { return false }
        self.lastKeyFrameRequest = now
        return true
    }

    func note(_ view: RTPPacketView, in packet: RawSpan, now: NIODeadline) {
        let level: AudioLevel? = view.value(in: packet, map: self.format.headerExtensions)
        self.latest = (view.header.timestamp, now, level ?? self.latest?.level)
        for index in 0..<view.contributingSourceCount {
            guard let source = view.contributingSource(at: index, in: packet) else { break }
            let entry = Contributor(ssrc: source, timestamp: view.header.timestamp, arrival: now)
            if let known = self.contributors.firstIndex(where: { $0.ssrc == source }) {
                self.contributors[known] = entry
            } else {
                if self.contributors.count >= Self.maximumContributors { self.contributors.removeFirst() }
                self.contributors.append(entry)
            }
        }
    }

    var nextTimeout: NIODeadline? {
        .earliest(.earliest(self.missing?.nextTimeout, self.frames?.nextTimeout), self.tones?.nextTimeout)
    }

    private static let maximumContributors = 64
}
