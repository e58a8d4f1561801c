import NIOCore
import RTCBase
import RTCRTP
import RTCSCTP
import RTCSDP
import RTCTestKit
import Testing

@testable import RTCCore

/// What a peer may put into the media sections of a description.
@Suite("Hostile media descriptions", .serialized)
struct HostileMediaDescriptionTests {
    @Test("descriptions with lines changed, doubled and lost never trap", arguments: [UInt64(31), 32, 33, 34])
    func mutatedOffers(seed: UInt64) throws {
        let pair = try PeerPair(seed: seed)
        _ = try pair.left.session.createDataChannel(DataChannelParameters(label: "d"), id: nil, now: pair.now)
        let encodings = ["h", "l"].map { RTCRtpEncodingParameters(rid: $0) }
        _ = try pair.left.session.addTransceiver(.video, trackID: "v", TransceiverInit(sendEncodings: encodings))
        _ = try pair.left.session.addTrack(.audio, id: "a", streams: ["s"])
        let lines = try pair.left.session.createOffer().sdp.split(separator: "\r\n").map(String.init)
        var random = RandomSource.seeded(seed)
        var taken = 0
        for _ in 0..<150 {
            let other = try PeerPair(seed: seed)
            var changed = lines
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 4..<changed.count, using: &random)
                switch Int.random(in: 0...3, using: &random) {
                case 0: changed.remove(at: index)
                case 1: changed.insert(changed[index], at: Int.random(in: 4..<changed.count, using: &random))
                case 2: changed.swapAt(index, Int.random(in: 4..<changed.count, using: &random))
                default: changed[index] = String(changed[index].dropLast(Int.random(in: 1...6, using: &random)))
                }
            }
            let text = changed.map { $0 + "\r\n" }.joined()
            do {
                try other.right.session.setRemoteDescription(
                    RTCSessionDescription(type: .offer, sdp: text),
                    now: other.now
                )
                try other.right.session.setLocalDescription(nil, now: other.now)
                other.settle()
                taken += 1
            } catch {
                #expect(!error.message.isEmpty, "seed \(seed)")
            }
        }
        #expect(taken > 10, "seed \(seed)")
    }

    @Test("of thousands of streams, encodings, sources and formats only so many are kept")
    func flood() throws {
        let pair = try PeerPair(seed: 22)
        _ = try pair.left.session.addTrack(.video, id: "v", streams: [])
        var offer = try pair.left.offer()
        offer.media[0].msids = (0..<2_000).map { SDPMediaStreamID(stream: "s\($0)") }
        offer.media[0].rids = (0..<2_000).map { SDPRID(id: "r\($0)", direction: .send) }
        offer.media[0].ssrcs = (0..<2_000).map { SDPSourceAttribute(ssrc: $0, name: "cname", value: "c") }
        offer.media[0].extmaps += (0..<1_000).map { SDPExtmap(id: 20, uri: "urn:x:\($0)") }
        try pair.take(.offer, offer, at: pair.right)
        try pair.right.session.setLocalDescription(nil, now: pair.now)
        pair.settle()
        #expect(pair.right.mediaEvents.count { $0.hasPrefix("add ") } == 32)
        let section = try #require(pair.right.session.negotiatedMedia.sections.first)
        #expect(section.receive.rids.count == 16)
        #expect(section.receive.sources.count == 64)
    }

    @Test("more sections than transceivers are allowed are refused")
    func tooManySections() throws {
        var configuration = RTCConfiguration()
        configuration.limits.transceivers = 3
        let pair = try PeerPair(seed: 21, rightConfiguration: configuration)
        for index in 0..<4 { _ = try pair.left.session.addTrack(.audio, id: "\(index)", streams: []) }
        let offer = try pair.left.offer()
        #expect(throws: RTCError.self) { try pair.take(.offer, offer, at: pair.right) }
        #expect(pair.right.transceivers.isEmpty && pair.right.session.signalingState == .stable)
    }
}
