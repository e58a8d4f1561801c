import NIOCore
import RTCBase
import RTCRTP
import RTCTestKit
import Testing

@testable import RTCCore

/// Frames and packets from one session to another, in virtual time.
@Suite("Media between two sessions")
struct MediaFlowTests {
    private static let vp8 = RTCRtpCodec(mimeType: "video/VP8", clockRate: 90_000)
    private static let opus = RTCRtpCodec(mimeType: "audio/opus", clockRate: 48_000, channels: 2)

    private static func link(_ change: (inout SimulatedNetwork.Link) -> Void) -> SimulatedNetwork.Link {
        var link = SimulatedNetwork.Link()
        change(&link)
        return link
    }

    /// What a receiver got.
    private struct Received {
        var frames: [RTCEncodedFrame] = []
        var packets: [RTCReceivedPacket] = []
        var keyFrameRequests = 0
        var targets: [Bitrate] = []
    }

    /// Two sessions, the left of which sends.
    private final class Flow {
        let pair: PeerPair
        let ids: (left: TransceiverID, right: TransceiverID)
        var left = Received()
        var right = Received()

        init(
            _ kind: MediaKind,
            seed: UInt64,
            link: SimulatedNetwork.Link = .init(),
            encodings: [RTCRtpEncodingParameters] = []
        ) throws {
            self.pair = try PeerPair(seed: seed)
            let id = try self.pair.left.session.addTransceiver(
                kind,
                trackID: "t",
                TransceiverInit(direction: .sendonly, sendEncodings: encodings)
            )
            try self.pair.negotiate()
            self.ids = (id, try #require(self.pair.right.session.transceiverStates.first).id)
            _ = self.pair.run(for: .seconds(3)) { self.pair.left.session.connectionState == .connected }
            // Loss inside the handshake would be OpenSSL's affair, and its clock is not virtual.
            self.pair.network.link = link
        }

        func advance(_ time: TimeAmount) {
            let end = self.pair.now + time
            while self.pair.step(until: end) { self.collect() }
            self.collect()
        }

        func collect() {
            Self.collect(self.pair.left.session.takeMedia(), into: &self.left)
            Self.collect(self.pair.right.session.takeMedia(), into: &self.right)
        }

        private static func collect(_ events: [MediaEvent], into received: inout Received) {
            for event in events {
                switch event {
                case .frame(_, let frame): received.frames.append(frame)
                case .packet(_, let packet): received.packets.append(packet)
                case .keyFrameRequest: received.keyFrameRequests += 1
                case .targetBitrate(_, _, let rate): received.targets.append(rate)
                case .arrived, .left, .tone, .toneChange: break
                }
            }
        }
    }

    /// A picture that VP8's packets can carry: the header of a frame, and a pattern that says which one it is.
    private static func picture(_ number: Int, isKeyFrame: Bool, bytes: Int) -> RTCEncodedFrame {
        var data = ByteBuffer()
        data.writeBytes(
            isKeyFrame ? [0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xF0, 0x00] : [0x11, 0x02, 0x00]
        )
        data.writeInteger(UInt32(number))
        while data.readableBytes < bytes {
            data.writeInteger(UInt8(truncatingIfNeeded: data.readableBytes &* 31 &+ number))
        }
        return RTCEncodedFrame(
            data: data,
            timestamp: UInt32(number) &* 3000,
            isKeyFrame: isKeyFrame,
            codec: Self.vp8
        )
    }

    private func play(
        _ flow: Flow,
        frames: Int,
        bytes: Int = 4000,
        answersRequests: Bool = true
    ) throws -> [Int: ByteBuffer] {
        var sent: [Int: ByteBuffer] = [:]
        var wanted = true
        var requests = flow.left.keyFrameRequests
        for number in 0..<frames {
            if flow.left.keyFrameRequests != requests, answersRequests { wanted = true }
            requests = flow.left.keyFrameRequests
            let frame = Self.picture(number, isKeyFrame: wanted, bytes: bytes)
            wanted = false
            sent[number] = frame.data
            try flow.pair.left.session.send(frame, of: flow.ids.left, source: 1, now: flow.pair.now)
            flow.advance(.milliseconds(33))
        }
        return sent
    }

    private func number(of frame: RTCEncodedFrame) -> Int {
        Int(frame.data.getInteger(at: frame.data.readerIndex + (frame.isKeyFrame ? 10 : 3), as: UInt32.self) ?? 0)
    }

    @Test("media flows over the next transport, after the last section of one was rejected", arguments: [UInt64(1), 2])
    func nextTransport(seed: UInt64) throws {
        let call = try MediaCall(.video, seed: seed, isOneWay: true)
        let pair = call.pair
        try call.play(5)
        try pair.left.session.stop(call.left)
        try pair.negotiate()
        // The keys were the association's, and go with it.
        #expect(pair.left.session.media?.srtp == nil && pair.right.session.media?.srtp == nil, "seed \(seed)")
        let left = try pair.left.session.addTransceiver(.video, trackID: "n", TransceiverInit(direction: .sendonly))
        try pair.negotiate()
        let isConnected = pair.run(for: .seconds(3)) {
            [pair.left, pair.right].allSatisfy { $0.session.connectionState == .connected }
        }
        #expect(isConnected, "seed \(seed)")
        let right = try #require(pair.right.session.transceiverStates.first).id
        pair.right.session.setWants(packets: true, frames: false, target: nil, of: right)
        for number in 0..<5 {
            let picture = MediaCall.picture(number, isKeyFrame: number == 0, bytes: 500)
            try pair.left.session.send(picture, of: left, source: 2, now: pair.now)
            call.advance(.milliseconds(33))
        }
        let received = call.rightEvents.count { event in
            guard case .packet(right, _) = event else { return false }
            return true
        }
        #expect(received == 5, "seed \(seed)")
    }

    @Test("frames arrive whole, in order and unaltered, and the track is unmuted by the first packet")
    func frames() throws {
        let flow = try Flow(.video, seed: 11)
        flow.pair.right.session.setWants(packets: false, frames: true, target: nil, of: flow.ids.right)
        let sent = try self.play(flow, frames: 60)
        flow.advance(.seconds(1))
        #expect(flow.right.frames.map(self.number) == Array(0..<60))
        #expect(flow.right.frames.allSatisfy { $0.data == sent[self.number(of: $0)] })
        #expect(flow.pair.right.mediaEvents.contains("unmute \(flow.ids.right.number)"))
        // The sender's reports tell when a frame was captured.
        let captured = try #require(flow.right.frames.last?.captureTime)
        #expect(
            abs(
                captured.duration(to: flow.pair.right.session.environment.wallClock.time(at: flow.pair.now)).nanoseconds
            ) < 3_000_000_000
        )
    }

    @Test("five in a hundred packets lost on a way of 100 ms cost next to no frame", arguments: [1, 2, 3])
    func loss(seed: UInt64) throws {
        let link = Self.link {
            $0.delay = .milliseconds(100)
            $0.loss = 0.05
        }
        let flow = try Flow(.video, seed: seed, link: link)
        flow.pair.right.session.setWants(packets: false, frames: true, target: nil, of: flow.ids.right)
        let sent = try self.play(flow, frames: 600)
        flow.advance(.seconds(3))
        let share = Double(flow.right.frames.count) / 600
        #expect(share > 0.95, "seed \(seed): \(share)")
        #expect(flow.right.frames.allSatisfy { $0.data == sent[self.number(of: $0)] })
        let numbers = flow.right.frames.map(self.number)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed): out of order")
    }

    @Test("sound crosses with its level, and the round trip is measured by both sides")
    func sound() throws {
        let flow = try Flow(.audio, seed: 5, link: Self.link { $0.delay = .milliseconds(40) })
        flow.pair.right.session.setWants(packets: true, frames: true, target: nil, of: flow.ids.right)
        for number in 0..<200 {
            var frame = RTCEncodedFrame(
                data: ByteBuffer(bytes: [0xFC, UInt8(number & 0xFF), 7]),
                timestamp: UInt32(number) &* 960,
                codec: Self.opus
            )
            frame.audioLevel = AudioLevel(level: 30, hasVoiceActivity: true)
            try flow.pair.left.session.send(frame, of: flow.ids.left, source: 1, now: flow.pair.now)
            flow.advance(.milliseconds(20))
        }
        flow.advance(.seconds(1))
        #expect(flow.right.frames.count == 200 && flow.right.packets.count == 200)
        #expect(flow.right.frames.last?.audioLevel?.level == 30)
        for session in [flow.pair.left.session, flow.pair.right.session] {
            let time = try #require(session.media).roundTripTime
            #expect(time > .milliseconds(78) && time < .milliseconds(90), "\(time)")
        }
        let source = flow.pair.right.session.synchronizationSources(of: flow.ids.right, now: flow.pair.now).first
        #expect(abs((source?.audioLevel ?? 0) - 0.0316) < 0.001)
    }

    @Test("a packet is forwarded under the names and numbers of the other connection")
    func forwarding() throws {
        let first = try Flow(.video, seed: 21)
        let second = try Flow(.video, seed: 22)
        first.pair.right.session.setWants(packets: true, frames: false, target: nil, of: first.ids.right)
        second.pair.right.session.setWants(packets: true, frames: true, target: nil, of: second.ids.right)
        let sent = try self.play(first, frames: 20)
        #expect(!first.right.packets.isEmpty)
        for packet in first.right.packets {
            second.pair.left.session.send(packet, of: second.ids.left, encoding: 0, now: second.pair.now)
            second.advance(.milliseconds(5))
        }
        second.advance(.seconds(1))
        #expect(second.right.packets.count == first.right.packets.count)
        #expect(
            second.right.frames.allSatisfy { $0.data == sent[self.number(of: $0)] } && second.right.frames.count == 20
        )
        let numbers = second.right.packets.map(\.packet.sequenceNumber)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
        let announced = second.pair.left.session.negotiatedMedia.sections.first?.send.encodings.first?.ssrc
        #expect(second.right.packets.allSatisfy { $0.packet.ssrc == announced })
    }

    @Test("three encodings arrive apart, known by their names, and a rate too small for all switches the largest off")
    func simulcast() throws {
        let rates: [(String, UInt64)] = [("q", 100_000), ("h", 300_000), ("f", 900_000)]
        let encodings = rates.map { RTCRtpEncodingParameters(rid: $0.0, maxBitrate: $0.1) }
        let flow = try Flow(.video, seed: 51, encodings: encodings)
        flow.pair.right.session.setWants(packets: false, frames: true, target: nil, of: flow.ids.right)
        func play(_ frames: Range<Int>) throws {
            for number in frames {
                for encoding in 0..<3 {
                    var frame = Self.picture(number, isKeyFrame: number % 30 == 0, bytes: 300 << encoding)
                    frame.encoding = encoding
                    try flow.pair.left.session.send(frame, of: flow.ids.left, source: 1, now: flow.pair.now)
                }
                flow.advance(.milliseconds(33))
            }
        }
        try play(0..<450)
        flow.advance(.milliseconds(500))
        for encoding in 0..<3 {
            let frames = flow.right.frames.filter { $0.encoding == encoding }
            #expect(frames.count > 60, "encoding \(encoding): \(frames.count)")
            #expect(frames.allSatisfy { $0.data.readableBytes == 300 << encoding })
        }
        flow.pair.network.link = Self.link {
            $0.delay = .milliseconds(20)
            $0.rate = 350_000 / 8
            $0.queue = 8 << 10
        }
        try play(450..<900)
        let streams = try #require(flow.pair.left.session.media?.senders.first?.streams)
        #expect(streams[0].isOn && !streams[2].isOn, "\(streams.map { ($0.isOn, $0.target) })")
    }

    @Test("a picture that is lost for good is followed by a request for a key frame")
    func recovery() throws {
        let flow = try Flow(.video, seed: 31)
        flow.pair.right.session.setWants(packets: false, frames: true, target: nil, of: flow.ids.right)
        _ = try self.play(flow, frames: 10)
        let before = flow.left.keyFrameRequests
        flow.pair.network.link = Self.link { $0.loss = 1 }
        _ = try self.play(flow, frames: 90, answersRequests: false)
        flow.pair.network.link = SimulatedNetwork.Link()
        _ = try self.play(flow, frames: 120)
        flow.advance(.seconds(2))
        #expect(flow.left.keyFrameRequests > before)
        #expect(flow.right.frames.last.map(self.number) == 119)
    }

    @Test("what is encoded for more than the path carries is told what it may use")
    func congestion() throws {
        let link = Self.link {
            $0.delay = .milliseconds(20)
            $0.rate = 1_000_000 / 8
        }
        let flow = try Flow(.video, seed: 41, link: link)
        flow.pair.right.session.setWants(packets: false, frames: true, target: nil, of: flow.ids.right)
        _ = try self.play(flow, frames: 300, bytes: 2500)
        let last = try #require(flow.left.targets.last)
        #expect(last > .kilobitsPerSecond(300) && last < .kilobitsPerSecond(1500), "\(last)")
    }
}
