import NIOCore
import RTCBase
import RTCCore
import RTCRTP
import Testing
import WebRTC

/// What users read of media between two connections with sockets.
@Suite("Statistics and tones of connections", .timeLimit(.minutes(1)))
struct ConnectedMediaTests {
    private static let opus = RTCRtpCodec(mimeType: "audio/opus", clockRate: 48_000, channels: 2)

    @Test("a call is measured as a whole and in parts, and its tones are heard")
    func call() async throws {
        let (left, right) = (try RTCPeerConnection(), try RTCPeerConnection())
        let source = MediaStreamTrackSource(kind: .audio)
        let track = MediaStreamTrack(source: source)
        let sender = try await left.addTrack(track)
        let dtmf = try #require(sender.dtmf)
        #expect(!dtmf.canInsertDTMF && dtmf.toneBuffer == "")
        await #expect(throws: RTCError.self) { try await dtmf.insertDTMF("1") }
        try await left.setLocalDescription()
        try await right.setRemoteDescription(left.gatheredDescription())
        let receiver = try #require(right.getReceivers().first)
        var tones = receiver.tones().makeAsyncIterator()
        try await right.setLocalDescription()
        try await left.setRemoteDescription(right.gatheredDescription())
        while !dtmf.canInsertDTMF { try await Task.sleep(for: .milliseconds(5)) }
        #expect(await !sender.getStats().entries.contains { $0.type == "codec" })
        for number in 0..<10 {
            let data = ByteBuffer(bytes: [0xFC, UInt8(number)])
            source.write(RTCEncodedFrame(data: data, timestamp: UInt32(number) * 960, codec: Self.opus))
            try await Task.sleep(for: .milliseconds(20))
        }
        try await dtmf.insertDTMF("4", duration: .milliseconds(40), interToneGap: .milliseconds(30))
        #expect(await tones.next()?.tone == .four)
        guard case .ended(let duration)? = await tones.next()?.phase else { throw RTCError(.abort, "no end") }
        #expect(duration == .milliseconds(40))
        var changes = dtmf.toneChanges.makeAsyncIterator()
        #expect(await changes.next() == "4")
        #expect(await changes.next() == "")

        let sent = await sender.getStats()
        let received = await receiver.getStats()
        #expect(Set(sent.entries.map(\.type)).isSuperset(of: ["outbound-rtp", "codec", "media-source", "transport"]))
        #expect(received.entries.contains { $0.type == "inbound-rtp" && $0.id.hasPrefix("IT") })
        #expect(!sent.entries.contains { $0.type == "inbound-rtp" })
        #expect(try await left.getStats(track).entries.map(\.id).sorted() == sent.entries.map(\.id).sorted())
        let stranger = MediaStreamTrack(source: source)
        await #expect(throws: RTCError.self) { _ = try await left.getStats(stranger) }
        await left.close()
        #expect(await sender.getStats().entries.isEmpty)
        #expect(await left.getStats().entries.contains { $0.type == "outbound-rtp" })
        #expect(!dtmf.canInsertDTMF)
        #expect(await changes.next() == nil)
        await right.close()
    }
}
