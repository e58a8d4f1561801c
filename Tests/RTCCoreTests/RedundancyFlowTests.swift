import NIOCore
import RTCBase
import RTCRTP
import RTCSDP
import RTCTestKit
import Testing

@testable import RTCCore

/// What is sent ahead of loss, from one session to another in virtual time.
@Suite("Redundancy between two sessions")
struct RedundancyFlowTests {
    private static let protectedVP8 = ["VP8", "rtx", "flexfec-03"].compactMap { name in
        RTCMediaCapabilities.defaults.video.codecs.first { $0.isNamed(name) }
    }
    private static let redundantOpus = ["red", "opus", "telephone-event"].compactMap { name in
        RTCMediaCapabilities.defaults.audio.codecs.first { $0.isNamed(name) }
    }

    private static func link(delay: Int64 = 1, loss: Double = 0, burst: Double = 1) -> SimulatedNetwork.Link {
        var link = SimulatedNetwork.Link()
        link.delay = .milliseconds(delay)
        link.loss = loss
        link.lossBurst = burst
        return link
    }

    /// Takes away that lost packets are asked for again.
    private static func withoutNACK(_ offer: inout SDPSession) {
        for index in offer.media.indices {
            let feedback = offer.media[index].attributes.all("rtcp-fb").filter { !$0.hasSuffix(" nack") }
            offer.media[index].attributes.setAll("rtcp-fb", feedback)
        }
    }

    // MARK: FlexFEC

    @Test(
        "at five percent loss and a long round trip, pictures are whole without being asked for again",
        arguments: 1...3
    )
    func pictures(seed: UInt64) throws {
        func share(_ preferences: [RTCRtpCodec]) throws -> (whole: Double, call: MediaCall) {
            let call = try MediaCall(
                .video,
                seed: seed,
                link: Self.link(delay: 150, loss: 0.05),
                isOneWay: true,
                preferences: preferences,
                alteringOffer: Self.withoutNACK
            )
            call.pair.right.session.setWants(packets: true, frames: false, target: nil, of: call.right)
            try call.play(150, bytes: 4000)
            let before = call.rightEvents.packets.count
            let sent = call.left(\.packetCount)
            try call.play(600, from: 150, bytes: 4000)
            call.advance(.seconds(1))
            let arrived = Double(call.rightEvents.packets.count - before)
            return (arrived / Double(call.left(\.packetCount) - sent), call)
        }
        let plain = try share(Array(Self.protectedVP8.dropLast()))
        let protected = try share(Self.protectedVP8)
        #expect(plain.whole < 0.965, "seed \(seed): \(plain.whole)")
        #expect(protected.whole > 0.985, "seed \(seed): \(protected.whole)")
        let inbound = try #require(protected.call.report(protected.call.pair.right).inbound.first)
        let outbound = try #require(protected.call.report(protected.call.pair.left).outbound.first)
        let sent = try #require(outbound.fecPacketsSent)
        let received = try #require(inbound.fecPacketsReceived)
        #expect(sent > 100 && received <= sent && Double(received) > 0.85 * Double(sent), "seed \(seed)")
        #expect(inbound.fecSsrc == outbound.fecSsrc && inbound.fecSsrc != nil)
        #expect(inbound.nackCount == 0 && outbound.retransmittedPacketsSent == 0)
        #expect(outbound.packetsSent == UInt64(protected.call.left(\.packetCount)) + sent)
        // The loss itself is reported as it was.
        #expect(inbound.packetsLost > 50, "seed \(seed): \(inbound.packetsLost)")
    }

    @Test("frames that were found again are handed out whole and unaltered", arguments: 4...6)
    func frames(seed: UInt64) throws {
        let call = try MediaCall(
            .video,
            seed: seed,
            link: Self.link(delay: 150, loss: 0.05),
            isOneWay: true,
            preferences: Self.protectedVP8,
            alteringOffer: Self.withoutNACK
        )
        call.pair.right.session.setWants(packets: true, frames: true, target: nil, of: call.right)
        try call.play(600, bytes: 4000)
        call.advance(.seconds(1))
        let found = Set(call.rightEvents.packets.filter(\.isRecovered).map(\.packet.timestamp))
        #expect(found.count > 40, "seed \(seed): \(found.count)")
        let base = try #require(call.rightEvents.frames.first).timestamp
        for frame in call.rightEvents.frames {
            let number = Int((frame.timestamp &- base) / 3000)
            let sent = MediaCall.picture(number, isKeyFrame: number % 30 == 0, bytes: 4000)
            #expect(frame.data == sent.data, "seed \(seed), frame \(number)")
        }
        #expect(call.rightEvents.frames.contains { found.contains($0.timestamp) })
    }

    @Test("nothing is protected where one side has no error correction, nor unless somebody asked for it")
    func unwanted() throws {
        for preferences in [[], Array(Self.protectedVP8.dropLast())] {
            let call = try MediaCall(.video, seed: 7, link: Self.link(delay: 150, loss: 0.05), preferences: preferences)
            #expect(call.pair.left.session.negotiatedMedia.sections.first?.send.formats.flexFEC == nil)
            try call.play(300)
            let outbound = try #require(call.report(call.pair.left).outbound.first)
            #expect(outbound.fecPacketsSent == nil && outbound.fecSsrc == nil)
            #expect(call.pair.left.session.media?.senders.first?.streams.first?.protection.packets == 0)
        }
        let deaf = try MediaCall(
            .video,
            seed: 8,
            link: Self.link(delay: 150, loss: 0.05),
            preferences: Self.protectedVP8,
            alteringOffer: { offer in
                let maps = offer.media[0].attributes.all("rtpmap").filter { !$0.contains("flexfec") }
                offer.media[0].attributes.setAll("rtpmap", maps)
            }
        )
        try deaf.play(300)
        #expect(deaf.report(deaf.pair.left).outbound.first?.fecPacketsSent == nil)
    }

    @Test("protection follows the loss, ends with it, and is taken from what encoders may use")
    func adaptation() throws {
        let call = try MediaCall(
            .video,
            seed: 9,
            link: Self.link(delay: 100),
            isOneWay: true,
            preferences: Self.protectedVP8
        )
        let stream = try #require(call.pair.left.session.media?.senders.first?.streams.first)
        try call.play(300)
        #expect(stream.protection.level == 0 && stream.protection.packets == 0)
        call.pair.network.link = Self.link(delay: 100, loss: 0.05)
        try call.play(600, from: 300)
        let level = stream.protection.level
        #expect(level > 0.1 && level <= 0.5, "\(level)")
        let media = Double(stream.statistics.packetCount)
        #expect(Double(stream.protection.packets) / media < 0.4)
        let target = try #require(stream.target)
        let estimate = try #require(call.pair.left.session.media?.congestion?.estimate.target)
        let most = min(Double(estimate.bitsPerSecond), 4_000_000 * (1 + level))
        #expect(Double(target.bitsPerSecond) <= most / (1 + level) * 1.02, "\(target), \(estimate), \(level)")
        call.pair.network.link = Self.link(delay: 100)
        try call.play(1500, from: 900)
        #expect(stream.protection.level == 0)
        let packets = stream.protection.packets
        try call.play(60, from: 2400)
        #expect(stream.protection.packets == packets)
    }

    @Test("on a short way lost packets are asked for again, and nothing is protected")
    func shortWay() throws {
        let call = try MediaCall(
            .video,
            seed: 10,
            link: Self.link(delay: 5, loss: 0.05),
            preferences: Self.protectedVP8
        )
        try call.play(600)
        let outbound = try #require(call.report(call.pair.left).outbound.first)
        #expect(outbound.retransmittedPacketsSent > 20)
        // Until the round trip is known it is taken for longer.
        #expect((outbound.fecPacketsSent ?? .max) < 20, "\(outbound.fecPacketsSent ?? 0)")
    }

    @Test("an offer names error correction for those that asked for it, and again for a peer that has it")
    func offers() throws {
        let pair = try PeerPair(seed: 11)
        _ = try pair.left.session.addTransceiver(.video, trackID: "t", TransceiverInit())
        let plain = try pair.left.offer().description
        #expect(!plain.contains("flexfec"))
        let call = try MediaCall(.video, seed: 12, preferences: Self.protectedVP8)
        let offer = try #require(call.pair.left.session.currentLocalDescription).sdp
        let answer = try #require(call.pair.right.session.currentLocalDescription).sdp
        #expect(offer.contains("a=ssrc-group:FEC-FR ") && answer.contains("a=ssrc-group:FEC-FR "))
        let again = try call.pair.right.offer().description
        #expect(again.contains("flexfec-03/90000"))
    }

    // MARK: RED

    private static func payloads(_ call: MediaCall) -> [RTCReceivedPacket] {
        call.rightEvents.packets.filter { $0.format.codec.isNamed("opus") }
    }

    @Test("single losses of sound are found in the next packet", arguments: 1...3)
    func sound(seed: UInt64) throws {
        let call = try MediaCall(
            .audio,
            seed: seed,
            link: Self.link(delay: 40, loss: 0.05),
            isOneWay: true,
            preferences: Self.redundantOpus
        )
        call.pair.right.session.setWants(packets: true, frames: true, target: nil, of: call.right)
        try call.play(1000)
        call.advance(.seconds(1))
        let packets = Self.payloads(call)
        #expect(packets.count > 985, "seed \(seed): \(packets.count)")
        #expect(call.rightEvents.frames.count == packets.count, "seed \(seed)")
        #expect(call.rightEvents.frames.count { $0.audioLevel?.level == 20 } > 900, "seed \(seed)")
        #expect(packets.contains { $0.isRecovered })
        let base = try #require(packets.first).packet
        for packet in packets {
            // Each is the sound of its number, whatever packet brought it.
            let number = Int(packet.packet.sequenceNumber &- base.sequenceNumber)
            let first = base.buffer.getInteger(
                at: base.buffer.readerIndex + base.view.payloadRange.lowerBound + 1,
                as: UInt8.self
            )
            let byte = packet.packet.buffer.getInteger(
                at: packet.packet.buffer.readerIndex + packet.packet.view.payloadRange.lowerBound + 1,
                as: UInt8.self
            )
            #expect(byte == first.map { $0 &+ UInt8(truncatingIfNeeded: number) }, "seed \(seed)")
        }
        let inbound = try #require(call.report(call.pair.right).inbound.first)
        let recovered = UInt64(packets.count { $0.isRecovered })
        #expect((inbound.fecPacketsReceived ?? 0) > 900)
        #expect(inbound.fecPacketsReceived.flatMap { all in inbound.fecPacketsDiscarded.map { all - $0 } } == recovered)
    }

    @Test("bursts of losses bring two earlier frames into each packet", arguments: 4...6)
    func bursts(seed: UInt64) throws {
        func share(_ preferences: [RTCRtpCodec]) throws -> (arrived: Double, redundancy: Int) {
            let call = try MediaCall(
                .audio,
                seed: seed,
                link: Self.link(delay: 40, loss: 0.15, burst: 1.5),
                isOneWay: true,
                preferences: preferences
            )
            call.pair.right.session.setWants(packets: true, frames: false, target: nil, of: call.right)
            try call.play(1500)
            let stream = call.pair.left.session.media?.senders.first?.streams.first
            return (Double(Self.payloads(call).count) / 1500, stream?.redundancy?.redundancy ?? 0)
        }
        let plain = try share(Array(Self.redundantOpus.dropFirst()))
        let redundant = try share(Self.redundantOpus)
        #expect(plain.arrived < 0.9 && plain.redundancy == 0, "seed \(seed): \(plain)")
        #expect(redundant.arrived > 0.96 && redundant.redundancy == 2, "seed \(seed): \(redundant)")
    }

    @Test("sound goes out alone where redundancy is not put first")
    func plainSound() throws {
        let call = try MediaCall(.audio, seed: 13, link: Self.link(loss: 0.05), isOneWay: true)
        let formats = try #require(call.pair.left.session.negotiatedMedia.sections.first?.send.formats)
        #expect(!formats.red.isEmpty)
        try call.play(200)
        #expect(call.pair.left.session.media?.senders.first?.streams.first?.redundancy == nil)
    }

    @Test(
        "tones between redundant sounds keep their numbers, and no sound is taken for one of them",
        arguments: 14...16
    )
    func tones(seed: UInt64) throws {
        let call = try MediaCall(
            .audio,
            seed: seed,
            link: Self.link(delay: 20, loss: 0.1),
            isOneWay: true,
            preferences: Self.redundantOpus
        )
        call.pair.right.session.setWants(packets: true, frames: false, target: nil, of: call.right)
        for round in 0..<10 {
            try call.play(20, from: round * 40)
            try call.pair.left.session.insertDTMF(
                "5",
                duration: .milliseconds(100),
                gap: .milliseconds(50),
                of: call.left,
                now: call.pair.now
            )
            try call.play(20, from: round * 40 + 20)
        }
        call.advance(.seconds(1))
        let packets = call.rightEvents.packets
        #expect(Set(packets.map(\.packet.sequenceNumber)).count == packets.count, "seed \(seed)")
        var tones = 0
        var latest: (number: UInt16, timestamp: UInt32)?
        for packet in packets.sorted(by: { Int16(bitPattern: $0.packet.sequenceNumber &- $1.packet.sequenceNumber) < 0 }
        ) {
            guard packet.format.codec.isNamed("opus") else {
                tones += 1
                continue
            }
            if let latest {
                #expect(Int32(bitPattern: packet.packet.timestamp &- latest.timestamp) > 0, "seed \(seed)")
            }
            latest = (packet.packet.sequenceNumber, packet.packet.timestamp)
        }
        #expect(tones > 30, "seed \(seed): \(tones)")
        #expect(call.rightEvents.tones.filter { $0.phase == .began }.count > 8)
    }

    @Test("packets that are forwarded get the sound before them too")
    func forwarding() throws {
        let first = try MediaCall(.audio, seed: 17, isOneWay: true)
        let second = try MediaCall(
            .audio,
            seed: 18,
            link: Self.link(delay: 40, loss: 0.05),
            isOneWay: true,
            preferences: Self.redundantOpus
        )
        first.pair.right.session.setWants(packets: true, frames: false, target: nil, of: first.right)
        second.pair.right.session.setWants(packets: true, frames: false, target: nil, of: second.right)
        var taken = 0
        for number in 0..<500 {
            try first.play(1, from: number)
            for packet in first.rightEvents.packets[taken...] {
                second.pair.left.session.send(packet, of: second.left, encoding: 0, now: second.pair.now)
            }
            taken = first.rightEvents.packets.count
            second.advance(.milliseconds(20))
        }
        let packets = Self.payloads(second)
        #expect(taken >= 499 && packets.count > 485, "\(packets.count)")
        #expect(packets.contains { $0.isRecovered })
        #expect(packets.filter { !$0.isRecovered }.allSatisfy { $0.packet.audioLevel(second) == 20 })
    }
}

extension MediaCall {
    /// Something of what the left side counts of its first stream.
    fileprivate func left(_ path: KeyPath<RTPSendStatistics, UInt64>) -> Int {
        Int(self.pair.left.session.media?.senders.first?.streams.first?.statistics[keyPath: path] ?? 0)
    }
}

extension RTPPacket {
    fileprivate func audioLevel(_ call: MediaCall) -> UInt8? {
        let map = call.pair.right.session.negotiatedMedia.sections.first?.receive.headerExtensions.map
        let level: AudioLevel? = map.flatMap { self.value(map: $0) }
        return level?.level
    }
}
