import NIOCore
import RTCBase
import RTCDTLS
package import RTCRTP
import RTCSRTP

/// The media of a session: from SRTP packets to frames and back. Confined like the session that owns it.
///
/// It learns from ``NegotiatedMedia`` which streams there are, and from DTLS the keys. Packets come in by
/// ``receive(_:now:)``, packets and frames to send by ``send(_:of:now:)``; what is to go out collects in ``batcher``, what the
/// user is to hear of in ``events``.
final class MediaSession {
    /// What was dropped, and why.
    struct Counters: Sendable, Hashable {
        /// Packets that came before the keys were known.
        var tooEarly: UInt64 = 0
        /// Packets that SRTP refused.
        var unauthenticated: UInt64 = 0
        /// Packets that are neither RTP nor RTCP, or malformed.
        var malformed: UInt64 = 0
        /// Packets of a stream that belongs to nothing negotiated.
        var unrouted: UInt64 = 0
        /// Packets and frames that were not sent: no keys, no such codec, not active.
        var unsendable: UInt64 = 0
    }

    var srtp: SRTPSession?
    var demultiplexer = RTPDemultiplexer()
    var negotiated = NegotiatedMedia()
    var receivers: [MediaReceiver] = []
    var senders: [MediaSender] = []
    /// The receiver of each section of the demultiplexer.
    var receiversBySection: [MediaReceiver] = []
    var batcher = DatagramBatcher()
    var events: [MediaEvent] = []
    var congestion: CongestionControl?
    /// Made with the first packet that has a number for it: it is large.
    var feedback: TransportFeedbackGenerator?
    /// Made with the first packet that it reports on, where arrivals are reported by stream (RFC 8888).
    var streamFeedback: CongestionControlFeedbackGenerator?
    /// Whether the peer is to be told of arrivals by stream, and whether it tells so.
    var reportsArrivalsByStream = false
    var arrivalsComeByStream = false
    /// The number of the header extension that feedback is made from, if agreed upon.
    var transportSequenceID: UInt8?
    var reports: RTCPScheduler?
    var referenceTimes = ReferenceTimeExchange()
    var clock: NTPClock
    var random: RandomSource
    var counters = Counters()
    /// As measured by RTCP, or until then by ICE.
    var roundTripTime = TimeAmount.milliseconds(100)
    /// Whether feedback waits that is to go out soon.
    var pendingFeedback: [PendingFeedback] = []
    /// Packets that came before the keys.
    var early: [ByteBuffer] = []
    /// A packet's memory; whoever keeps the packet keeps it, and the next one gets another.
    var scratch = ByteBuffer()
    /// What users want of receivers that are not negotiated yet.
    var earlyWants: [TransceiverID: MediaReceiver.Wants] = [:]
    /// A packet as error correction sees it.
    var protectionScratch = ByteBuffer()
    let headerScratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1536, alignment: 8)

    init(random: RandomSource, clock: NTPClock) {
        self.random = random
        self.clock = clock
    }

    deinit { self.headerScratch.deallocate() }

    /// Whether there is anything to do.
    var isIdle: Bool { self.receivers.isEmpty && self.senders.isEmpty }

    // MARK: Keys

    func start(_ keys: DTLSSRTPKeyingMaterial, isClient: Bool, now: NIODeadline) throws(SRTPError) {
        guard let profile = SRTPProfile(rawValue: keys.profile.rawValue) else {
            throw SRTPError(.invalidConfiguration, "unknown profile \(keys.profile)")
        }
        let client = SRTPMasterKey(key: keys.clientWriteKey, salt: keys.clientWriteSalt)
        let server = SRTPMasterKey(key: keys.serverWriteKey, salt: keys.serverWriteSalt)
        self.srtp = try SRTPSession(
            profile: profile,
            sending: isClient ? client : server,
            receiving: isClient ? server : client
        )
        self.reports = RTCPScheduler(random: self.random, now: now)
        _ = self.random.next()
        for sender in self.senders where sender.isActive { self.askForKeyFrames(of: sender) }
        self.takeEarly(now: now)
    }

    /// The association is gone, and its keys with it.
    func stop() {
        self.srtp = nil
        self.early = []
        self.congestion = nil
        self.streamFeedback = nil
        self.reports = nil
    }

    // MARK: Time

    func handleTimeout(now: NIODeadline) {
        guard self.srtp != nil else { return }
        self.pollReceivers(now: now)
        self.playTones(now: now)
        self.pace(now: now)
        self.sendFeedback(now: now)
        self.sendReports(now: now)
    }

    var nextTimeout: NIODeadline? {
        guard self.srtp != nil, !self.isIdle else { return nil }
        var earliest: NIODeadline? = .earliest(self.reports?.nextDeadline, self.feedback?.nextTimeout)
        earliest = .earliest(earliest, self.streamFeedback?.nextTimeout)
        earliest = .earliest(earliest, self.congestion?.nextTimeout)
        for receiver in self.receivers { earliest = .earliest(earliest, receiver.nextTimeout) }
        for sender in self.senders { earliest = .earliest(earliest, sender.tones?.nextTimeout) }
        return earliest
    }

    /// Does what follows from what came in, when all of it is in.
    func settle(now: NIODeadline) {
        guard self.srtp != nil else { return }
        self.pace(now: now)
        if !self.pendingFeedback.isEmpty { self.sendFeedback(now: now) }
    }
}

/// What the user is to hear of.
package enum MediaEvent: Sendable {
    /// A packet of a receiver's.
    case packet(TransceiverID, RTCReceivedPacket)
    /// A frame of a receiver's.
    case frame(TransceiverID, RTCEncodedFrame)
    /// The first media of a receiver's after silence.
    case arrived(TransceiverID)
    /// The peer said goodbye to a receiver's stream.
    case left(TransceiverID)
    /// The peer needs a key frame of an encoding.
    case keyFrameRequest(TransceiverID, encoding: Int)
    /// An encoding may use so much; zero switches it off.
    case targetBitrate(TransceiverID, encoding: Int, Bitrate)
    /// A sender begins a tone, or has played the last one: an empty text. `remaining` are those that wait.
    case toneChange(TransceiverID, String, remaining: String)
    /// The peer plays a tone.
    case tone(TransceiverID, RTCTelephoneEvent)
}

/// A message to the peer that should not wait for a report.
enum PendingFeedback {
    case nack(SSRC, [UInt16])
    case pictureLoss(SSRC)
    case fullIntra(SSRC, sequenceNumber: UInt8)
}
