import NIOCore
import RTCBase
import RTCRTP
import RTCSDP
import RTCTestKit
import Testing

@testable import RTCCore

/// Two connected sessions that send each other one track of a kind, in virtual time.
final class MediaCall {
    static let vp8 = RTCRtpCodec(mimeType: "video/VP8", clockRate: 90_000)
    static let opus = RTCRtpCodec(mimeType: "audio/opus", clockRate: 48_000, channels: 2)

    let pair: PeerPair
    let kind: MediaKind
    let left: TransceiverID
    let right: TransceiverID
    /// What the sessions had to tell of media.
    private(set) var leftEvents: [MediaEvent] = []
    private(set) var rightEvents: [MediaEvent] = []

    init(
        _ kind: MediaKind,
        seed: UInt64,
        link: SimulatedNetwork.Link = .init(),
        isOneWay: Bool = false,
        encodings: [RTCRtpEncodingParameters] = [],
        preferences: [RTCRtpCodec] = [],
        alteringOffer alter: ((inout SDPSession) -> Void)? = nil
    ) throws {
        self.kind = kind
        self.pair = try PeerPair(seed: seed)
        let direction = isOneWay ? RTCRtpTransceiverDirection.sendonly : .sendrecv
        let settings = TransceiverInit(direction: direction, sendEncodings: encodings)
        self.left = try self.pair.left.session.addTransceiver(kind, trackID: "left", settings)
        if !isOneWay { _ = try self.pair.right.session.addTrack(kind, id: "right", streams: []) }
        try self.pair.left.session.setCodecPreferences(preferences, of: self.left)
        if let alter {
            try self.pair.negotiate(altering: alter)
        } else {
            try self.pair.negotiate()
        }
        self.right = try #require(self.pair.right.session.transceiverStates.first).id
        _ = self.pair.run(for: .seconds(3)) {
            self.pair.left.session.connectionState == .connected
                && self.pair.right.session.connectionState == .connected
        }
        // Loss inside the handshake would be OpenSSL's affair, and its clock is not virtual.
        self.pair.network.link = link
    }

    func advance(_ time: TimeAmount) {
        let end = self.pair.now + time
        while self.pair.step(until: end) { self.collect() }
        self.collect()
    }

    private func collect() {
        self.leftEvents += self.pair.left.session.takeMedia()
        self.rightEvents += self.pair.right.session.takeMedia()
    }

    /// Sends frames at the usual pace: 50 of sound or 30 pictures a second.
    func play(_ count: Int, from first: Int = 0, bytes: Int = 3000, bothWays: Bool = false) throws {
        for number in first..<first + count {
            let frame =
                self.kind == .audio
                ? Self.sound(number) : Self.picture(number, isKeyFrame: number % 30 == 0, bytes: bytes)
            try self.pair.left.session.send(frame, of: self.left, source: 1, now: self.pair.now)
            if bothWays { try self.pair.right.session.send(frame, of: self.right, source: 2, now: self.pair.now) }
            self.advance(self.kind == .audio ? .milliseconds(20) : .microseconds(33_333))
        }
    }

    /// Sends pictures as large as the target lets them be, 30 a second.
    func playAtTarget(_ seconds: Int, from first: Int) throws {
        for number in first..<first + seconds * 30 {
            let target = self.leftEvents.targets.last ?? .kilobitsPerSecond(300)
            try self.play(1, from: number, bytes: max(200, target.bitsPerSecond / 8 / 30 - 60))
        }
    }

    static func sound(_ number: Int) -> RTCEncodedFrame {
        var frame = RTCEncodedFrame(
            data: ByteBuffer(bytes: [0xFC, UInt8(number & 0xFF), 7]),
            timestamp: UInt32(number) &* 960,
            codec: Self.opus
        )
        frame.audioLevel = AudioLevel(level: 20, hasVoiceActivity: true)
        return frame
    }

    static func picture(_ number: Int, isKeyFrame: Bool, bytes: Int) -> RTCEncodedFrame {
        var data = ByteBuffer()
        data.writeBytes(
            isKeyFrame ? [0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xF0, 0x00] : [0x11, 0x02, 0x00]
        )
        while data.readableBytes < bytes {
            data.writeInteger(UInt8(truncatingIfNeeded: data.readableBytes &* 31 &+ number))
        }
        return RTCEncodedFrame(data: data, timestamp: UInt32(number) &* 3000, isKeyFrame: isKeyFrame, codec: Self.vp8)
    }

    func report(_ peer: PeerPair.Peer, _ selector: StatsSelector = .connection) -> RTCStatsReport {
        peer.session.statistics(of: selector, now: self.pair.now, timestamp: Self.milliseconds(self.pair.now))
    }

    /// The time of day that the sessions' wall clocks show.
    static func milliseconds(_ instant: NIODeadline) -> Double { Double(instant.uptimeNanoseconds) / 1e6 }
}

extension [MediaEvent] {
    var toneChanges: [(tone: String, remaining: String)] {
        self.compactMap { if case .toneChange(_, let tone, let remaining) = $0 { (tone, remaining) } else { nil } }
    }
    var tones: [RTCTelephoneEvent] {
        self.compactMap { if case .tone(_, let tone) = $0 { tone } else { nil } }
    }
    var packets: [RTCReceivedPacket] {
        self.compactMap { if case .packet(_, let packet) = $0 { packet } else { nil } }
    }
    var frames: [RTCEncodedFrame] {
        self.compactMap { if case .frame(_, let frame) = $0 { frame } else { nil } }
    }
    var targets: [Bitrate] {
        self.compactMap { if case .targetBitrate(_, _, let rate) = $0 { rate } else { nil } }
    }
}
