import NIOCore
import RTCBase
import RTCRTP
import RTCTestKit
import Testing

@testable import RTCCore

/// What each side counts of streams, held against what the other side counts.
@Suite("Statistics of media")
struct MediaStatisticsTests {
    private static func link(_ change: (inout SimulatedNetwork.Link) -> Void) -> SimulatedNetwork.Link {
        var link = SimulatedNetwork.Link()
        change(&link)
        return link
    }

    @Test("reports say when pictures were handed over, not when the pacer let them go", arguments: [UInt64(1), 2])
    func reportsOfPacedPictures(seed: UInt64) throws {
        let call = try MediaCall(.video, seed: seed, isOneWay: true)
        call.pair.right.session.setWants(packets: false, frames: true, target: nil, of: call.right)
        let start = call.pair.now
        // More than the path seems to carry at first.
        try call.play(150, bytes: 20_000)
        call.advance(.seconds(2))
        let frames = call.rightEvents.compactMap { event -> RTCEncodedFrame? in
            guard case .frame(_, let frame) = event else { return nil }
            return frame
        }
        let first = try #require(frames.first?.timestamp)
        let errors = frames.compactMap { frame -> Double? in
            guard let time = frame.captureTime else { return nil }
            let handedOver = Double(start.uptimeNanoseconds) + Double(frame.timestamp &- first) / 90_000 * 1e9
            return (Double(time.unixNanoseconds) - handedOver) / 1e6
        }
        #expect(errors.count > 50 && errors.allSatisfy { abs($0) < 5 }, "seed \(seed): \(errors)")
    }

    @Test("without loss both sides count the same, to the byte", arguments: [MediaKind.audio, .video])
    func lossless(kind: MediaKind) throws {
        let call = try MediaCall(kind, seed: 3, link: Self.link { $0.delay = .milliseconds(40) })
        call.pair.right.session.setWants(packets: false, frames: true, target: nil, of: call.right)
        try call.play(150)
        call.advance(.seconds(2))
        let sent = try #require(call.report(call.pair.left).outbound.first)
        let received = try #require(call.report(call.pair.right).inbound.first)
        #expect(sent.ssrc == received.ssrc && sent.kind == kind && received.kind == kind)
        #expect(sent.packetsSent == received.packetsReceived && sent.packetsSent >= 150)
        #expect(sent.bytesSent == received.bytesReceived)
        #expect(sent.headerBytesSent == received.headerBytesReceived)
        #expect(received.packetsLost == 0 && received.nackCount == 0)
        #expect(received.trackIdentifier == call.pair.right.transceivers.first?.receiverTrackID)
        #expect(sent.mid == "0" && received.mid == "0" && sent.active && sent.encodingIndex == 0)
        if kind == .video {
            #expect(sent.framesEncoded == 150 && sent.keyFramesEncoded == 5)
            #expect(sent.framesSent == 150 && received.framesReceived == 150 && received.framesDropped == 0)
            #expect(received.framesAssembledFromMultiplePackets == 150 && received.jitterBufferEmittedCount == 150)
            #expect(sent.rtxSsrc != nil && (sent.targetBitrate ?? 0) > 0)
        } else {
            #expect(sent.framesSent == nil && received.framesReceived == nil && sent.pliCount == nil)
            #expect(abs((received.audioLevel ?? 0) - 0.1) < 0.001)
            #expect(received.packetsDiscarded == 0 && received.jitter < 0.001)
        }
        let last = try #require(received.lastPacketReceivedTimestamp)
        let age = MediaCall.milliseconds(call.pair.now) - last
        #expect(age > 1800 && age < 2100, "\(age)")
    }

    @Test("with loss, each side's view of the other is what the other counted", arguments: [1, 2, 3] as [UInt64])
    func loss(seed: UInt64) throws {
        let link = Self.link {
            $0.delay = .milliseconds(40)
            $0.loss = 0.05
        }
        let call = try MediaCall(.video, seed: seed, link: link)
        call.pair.right.session.setWants(packets: false, frames: true, target: nil, of: call.right)
        try call.play(600)
        call.pair.network.link = Self.link { $0.delay = .milliseconds(40) }
        try call.play(60, from: 600)
        call.advance(.seconds(3))
        let left = call.report(call.pair.left)
        let right = call.report(call.pair.right)
        let sent = try #require(left.outbound.first)
        let received = try #require(right.inbound.first)
        let original = sent.packetsSent - sent.retransmittedPacketsSent
        let again = try #require(received.retransmittedPacketsReceived)
        #expect(
            received.packetsLost > 30
                && Int64(received.packetsReceived - again) + received.packetsLost == Int64(original)
        )
        #expect(again > 0 && again <= sent.retransmittedPacketsSent)
        #expect(received.bytesReceived <= sent.bytesSent && received.rtxSsrc == sent.rtxSsrc)
        #expect(sent.nackCount > 0 && sent.nackCount <= received.nackCount)
        #expect((sent.pliCount ?? 0) <= (received.pliCount ?? 0))
        // Nothing was lost since: the last report has the same numbers.
        let told = try #require(left.remoteInbound.first)
        #expect(told.packetsLost == received.packetsLost && told.packetsReceived == received.packetsReceived - again)
        #expect(told.fractionLost == 0 && told.ssrc == sent.ssrc && sent.remoteId != nil)
        let time = try #require(told.roundTripTime)
        #expect(time > 0.079 && time < 0.09 && told.roundTripTimeMeasurements > 5)
        #expect(abs(told.totalRoundTripTime / Double(told.roundTripTimeMeasurements) - 0.08) < 0.01)
        let claimed = try #require(right.remoteOutbound.first)
        #expect(claimed.packetsSent == original && claimed.bytesSent == sent.bytesSent - sent.retransmittedBytesSent)
        #expect(claimed.reportsSent > 3 && claimed.ssrc == sent.ssrc)
    }

    @Test("a side that only receives measures the round trip by reference times")
    func referenceTimes() throws {
        let call = try MediaCall(.audio, seed: 9, link: Self.link { $0.delay = .milliseconds(30) }, isOneWay: true)
        try call.play(1500)
        let report = call.report(call.pair.right)
        let remote = try #require(report.remoteOutbound.first)
        let time = try #require(remote.roundTripTime)
        #expect(time > 0.058 && time < 0.07 && remote.roundTripTimeMeasurements > 0)
        #expect(report.outbound.isEmpty && report.remoteInbound.isEmpty && report.sources.isEmpty)
        let now = MediaCall.milliseconds(call.pair.now)
        let entry = try #require(report.entries.first { $0.type == "remote-outbound-rtp" })
        #expect(
            entry.timestamp < now && entry.timestamp - remote.remoteTimestamp > 29
                && entry.timestamp - remote.remoteTimestamp < 32
        )
    }

    @Test("ids are unique, stay the same, and whatever is referred to exists")
    func references() throws {
        let call = try MediaCall(.video, seed: 4)
        var known: [String: String] = [:]
        for round in 0..<4 {
            try call.play(90, from: round * 90, bothWays: true)
            for peer in [call.pair.left, call.pair.right] {
                let report = call.report(peer)
                #expect(Set(report.entries.map(\.id)).count == report.entries.count)
                for entry in report.entries {
                    for id in entry.references { #expect(report[id] != nil, "\(entry.type) refers to \(id)") }
                    let key = "\(peer.address) \(entry.id)"
                    #expect(known[key] == nil || known[key] == entry.type)
                    known[key] = entry.type
                }
                #expect(Set(report.entries.map(\.type)).isSuperset(of: Self.types), "round \(round)")
                // VP8 is all that was used, each way.
                #expect(report.codecs.count == 2 && report.codecs.allSatisfy { $0.mimeType == "video/VP8" })
            }
            if round > 0 { #expect(call.report(call.pair.left).remoteInbound.count == 1) }
        }
        // Two peers, and in each: streams both ways and what the peer says of them.
        #expect(known.values.filter { $0.hasSuffix("-rtp") }.count == 8)
    }

    private static let types = [
        "codec", "inbound-rtp", "outbound-rtp", "media-source", "transport", "candidate-pair", "certificate",
    ]

    @Test("a stream is there from negotiation on, its codec from the first packet, until the transceiver is stopped")
    func lifetimes() throws {
        let call = try MediaCall(.video, seed: 6)
        let before = call.report(call.pair.left)
        #expect(before.sources.map(\.trackIdentifier) == ["left"] && before.sources.first?.frames == 0)
        #expect(before.outbound.map(\.packetsSent) == [0] && before.codecs.isEmpty)
        #expect(before.inbound.isEmpty && call.report(call.pair.left, .receiver(call.left)).entries.isEmpty)
        try call.play(60)
        let source = try #require(call.report(call.pair.left).sources.first)
        #expect(source.frames == 60 && abs((source.framesPerSecond ?? 0) - 30) <= 3)
        try call.pair.left.session.replaceTrack(of: call.left, with: "other")
        try call.play(30, from: 60)
        let other = try #require(call.report(call.pair.left).sources.first)
        #expect(other.trackIdentifier == "other" && other.frames == 30)
        try call.pair.left.session.replaceTrack(of: call.left, with: nil)
        call.advance(.seconds(2))
        let after = call.report(call.pair.left)
        #expect(after.sources.isEmpty && after.outbound.first?.framesSent == 90)
        #expect(after.outbound.first?.mediaSourceId == nil)
        try call.pair.left.session.stop(call.left)
        #expect(call.report(call.pair.left, .sender(call.left)).entries.isEmpty)
        #expect(call.report(call.pair.left).entries.contains { $0.type == "transport" })
    }

    @Test("a sender's or receiver's report has what belongs to its streams, and no more")
    func selection() throws {
        let call = try MediaCall(.video, seed: 7)
        try call.play(120, bothWays: true)
        let sender = call.report(call.pair.left, .sender(call.left))
        let receiver = call.report(call.pair.left, .receiver(call.left))
        #expect(sender.outbound.count == 1 && sender.inbound.isEmpty && sender.sources.count == 1)
        #expect(sender.remoteInbound.count == 1 && sender.remoteOutbound.isEmpty && sender.codecs.count == 1)
        #expect(receiver.inbound.count == 1 && receiver.outbound.isEmpty && receiver.sources.isEmpty)
        #expect(receiver.remoteOutbound.count == 1 && receiver.codecs.count == 1)
        for report in [sender, receiver] {
            #expect(report.selectedCandidatePair != nil)
            #expect(
                report.entries.contains { $0.type == "transport" }
                    && !report.entries.contains { $0.type == "peer-connection" }
            )
        }
    }

    @Test("the selected pair says what may be sent in all, and huge pictures are told from others")
    func bandwidth() throws {
        let call = try MediaCall(.video, seed: 8, link: Self.link { $0.delay = .milliseconds(10) })
        #expect((call.report(call.pair.left).selectedCandidatePair?.availableOutgoingBitrate ?? 0) > 0)
        try call.play(30, bytes: 1500)
        try call.play(1, from: 30, bytes: 9000)
        try call.play(29, from: 31, bytes: 1500)
        let report = call.report(call.pair.left)
        #expect(report.outbound.first?.hugeFramesSent == 1)
        #expect((report.outbound.first?.totalPacketSendDelay ?? -1) >= 0)
        let pairs = report.entries.filter { $0.type == "candidate-pair" }
        let rates = pairs.compactMap { entry -> Double? in
            guard case .candidatePair(let pair) = entry.content else { return nil }
            return pair.availableOutgoingBitrate
        }
        #expect(rates.count == 1)
    }
}

extension RTCStatsReport {
    var inbound: [RTCInboundRtpStreamStats] {
        self.entries.compactMap { if case .inboundRtp(let stats) = $0.content { stats } else { nil } }
    }
    var outbound: [RTCOutboundRtpStreamStats] {
        self.entries.compactMap { if case .outboundRtp(let stats) = $0.content { stats } else { nil } }
    }
    var remoteInbound: [RTCRemoteInboundRtpStreamStats] {
        self.entries.compactMap { if case .remoteInboundRtp(let stats) = $0.content { stats } else { nil } }
    }
    var remoteOutbound: [RTCRemoteOutboundRtpStreamStats] {
        self.entries.compactMap { if case .remoteOutboundRtp(let stats) = $0.content { stats } else { nil } }
    }
    var sources: [RTCMediaSourceStats] {
        self.entries.compactMap { if case .mediaSource(let stats) = $0.content { stats } else { nil } }
    }
    var codecs: [RTCCodecStats] {
        self.entries.compactMap { if case .codec(let stats) = $0.content { stats } else { nil } }
    }
}
