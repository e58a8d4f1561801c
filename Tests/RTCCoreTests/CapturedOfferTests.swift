import Foundation
import NIOCore
import RTCBase
import RTCRTP
import RTCSDP
import RTCTestKit
import Testing

@testable import RTCCore

/// Offers as Chromium, Firefox, libwebrtc, Pion and aiortc made them.
@Suite("Captured offers", .serialized)
struct CapturedOfferTests {
    private static func sample(_ name: String) throws -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appending(path: "RTCSDPTests/Samples/\(name).sdp")
        return try String(contentsOf: file, encoding: .utf8)
    }

    private static func answer(to name: String, tracks: Bool = false) throws -> (SDPSession, SDPSession, PeerPair.Peer)
    {
        let pair = try PeerPair(seed: 1)
        if tracks {
            _ = try pair.right.session.addTrack(.audio, id: "a", streams: ["s"])
            _ = try pair.right.session.addTrack(.video, id: "v", streams: ["s"])
        }
        let text = try Self.sample(name)
        try pair.right.session.setRemoteDescription(RTCSessionDescription(type: .offer, sdp: text), now: pair.now)
        try pair.right.session.setLocalDescription(nil, now: pair.now)
        pair.settle()
        let answer = try #require(pair.right.session.currentLocalDescription?.sdp)
        return (try SDPSession(parsing: text), try SDPSession(parsing: answer), pair.right)
    }

    @Test(
        "is answered: same sections, nothing that was not offered, nothing rejected that can be carried",
        arguments: ["chromium-offer", "firefox-offer", "wrtc-offer", "pion-media-offer", "aiortc-offer"],
        [false, true]
    )
    func answered(name: String, tracks: Bool) throws {
        let (offer, answer, _) = try Self.answer(to: name, tracks: tracks)
        try answer.validate()
        #expect(answer.media.count == offer.media.count)
        for (answered, offered) in zip(answer.media, offer.media) {
            #expect(answered.kind == offered.kind && answered.mid == offered.mid)
            #expect(!answered.isRejected)
            #expect(answered.setup == .active && answered.iceUfrag != nil && !answered.fingerprints.isEmpty)
            guard answered.isRTPSection else { continue }
            let (ours, theirs) = (SectionFormats(answered), SectionFormats(offered))
            #expect(!answered.codecNames.isEmpty)
            for format in ours.formats {
                let other = try #require(theirs[format.payloadType])
                #expect(format.codec.isNamed(other.codec.name))
                #expect(Set(format.feedback).isSubset(of: other.feedback))
                #expect(format.retransmits == other.retransmits)
            }
            for extmap in answered.extmaps {
                #expect(offered.extmaps.contains { $0.id == extmap.id && $0.uri == extmap.uri })
            }
            let direction = try #require(answered.direction)
            #expect(direction.receives == (offered.direction ?? .sendrecv).sends)
            #expect(!direction.sends || tracks)
            #expect(answered.msids.isEmpty != direction.sends)
        }
        let bundled = try #require(answer.bundleGroups.first)
        #expect(bundled.mids == answer.media.compactMap(\.mid))
    }

    @Test(
        "Chromium's: VP8 first, H.264 profiles with their modes, VP9, AV1, Opus with RED, and no FEC that nobody makes"
    )
    func chromium() throws {
        let (_, answer, peer) = try Self.answer(to: "chromium-offer", tracks: true)
        let video = SectionFormats(answer.media[1])
        #expect(answer.media[1].codecNames == ["VP8"] + Array(repeating: "H264", count: 6) + ["AV1", "VP9", "VP9"])
        #expect(
            video[102]?.codec.sdpFmtpLine == "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"
        )
        #expect(video[97]?.retransmits == 96)
        #expect(!video.formats.contains { $0.codec.isNamed("ulpfec") || $0.codec.isNamed("red") })
        let sections = peer.session.negotiatedMedia.sections
        #expect(sections.map(\.kind) == [.audio, .video])
        #expect(
            sections[0].send.formats.red == [
                NegotiatedMedia.Redundancy(
                    payloadType: try #require(PayloadType(rawValue: 63)),
                    carries: Array(repeating: try #require(PayloadType(rawValue: 111)), count: 2)
                )
            ]
        )
        #expect(sections[0].send.formats.telephoneEvents.keys.sorted() == [8_000, 48_000])
        #expect(sections[1].receive.sources.map(\.ssrc) == [SSRC(4_108_515_601)])
        #expect(sections[1].receive.sources.first?.rtxSSRC == SSRC(1_286_977_372))
        #expect(sections[1].receive.sources.first?.cname == "lZpjNv9xC8+uNDKA")
        #expect(sections[1].receive.headerExtensions[.transportSequenceNumber] == 3)
        #expect(sections[1].receive.headerExtensions[.rid] == 10)
    }

    @Test("Firefox's: the fingerprint stands for the session, and mixed header extensions are taken up as offered")
    func firefox() throws {
        let (offer, answer, peer) = try Self.answer(to: "firefox-offer")
        let isOffered = offer.media.indices.contains { offer.extmapAllowMixed(of: $0) }
        #expect(answer.extmapAllowMixed == isOffered)
        #expect(peer.session.negotiatedMedia.sections.allSatisfy { $0.receive.isActive && !$0.send.isActive })
        #expect(peer.session.transceiverStates.allSatisfy { $0.direction == .recvonly })
    }

    @Test(
        "of data alone is answered without any media",
        arguments: ["chromium-data-offer", "firefox-data-offer", "pion-offer", "ldc-offer"]
    )
    func dataAlone(name: String) throws {
        let (offer, answer, peer) = try Self.answer(to: name)
        #expect(answer.media.count == offer.media.count && answer.media.allSatisfy { !$0.isRejected })
        #expect(peer.session.transceiverStates.isEmpty && peer.session.negotiatedMedia.sections.isEmpty)
    }
}
