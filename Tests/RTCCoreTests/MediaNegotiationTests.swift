import NIOCore
import RTCBase
import RTCRTP
import RTCSCTP
import RTCSDP
import RTCTestKit
import Testing

@testable import RTCCore

/// Transceivers through offers and answers: RFC 9429 section 5, W3C webrtc-pc sections 4.4 and 5.
@Suite("Media negotiation", .serialized)
struct MediaNegotiationTests {
    // MARK: Offers

    @Test("an offer has a section for each transceiver, in their order, and data last")
    func offerSections() throws {
        let pair = try PeerPair(seed: 1)
        _ = try pair.left.session.createDataChannel(DataChannelParameters(label: "d"), id: nil, now: pair.now)
        _ = try pair.left.session.addTransceiver(.video, trackID: nil, TransceiverInit(direction: .recvonly))
        _ = try pair.left.session.addTrack(.audio, id: "track", streams: ["stream"])
        let offer = try pair.left.offer()
        #expect(offer.media.map(\.kind) == ["video", "audio", "application"])
        #expect(offer.media.map(\.mid) == ["0", "1", "2"])
        #expect(offer.groups == [SDPGroup(semantics: "BUNDLE", mids: ["0", "1", "2"])])
        #expect(offer.media[0].direction == .recvonly && offer.media[1].direction == .sendrecv)
        #expect(offer.media[0].msids.isEmpty && offer.media[0].ssrcs.isEmpty)
        #expect(offer.media[1].msids == [SDPMediaStreamID(stream: "stream", track: "track")])
        #expect(offer.media[0].rtcpMux && offer.media[0].rtcpRsize && offer.extmapAllowMixed)
        try offer.validate()
    }

    @Test("payload types are valid and unique within the bundle, and each retransmission names a format before it")
    func payloadTypes() throws {
        let pair = try PeerPair(seed: 2)
        for kind in [MediaKind.audio, .video] {
            _ = try pair.left.session.addTransceiver(kind, trackID: nil, TransceiverInit())
        }
        let offer = try pair.left.offer()
        let formats = offer.media.map { SectionFormats($0).formats }
        let numbers = formats.joined().map(\.payloadType)
        #expect(Set(numbers).count == numbers.count)
        #expect(numbers.allSatisfy { $0 < 64 || $0 > 95 })
        for format in formats[1] where format.codec.isNamed("rtx") {
            #expect(format.retransmits.map(Set(numbers).contains) == true)
        }
        #expect(formats[0].first { $0.codec.isNamed("red") }?.carries == [111, 111])
        #expect(offer.media[1].codecNames.prefix(1) == ["VP8"])
    }

    @Test("made twice, an offer is the same text; changed, it has a higher version")
    func stableOffers() throws {
        let pair = try PeerPair(seed: 3)
        _ = try pair.left.session.addTrack(.video, id: "v", streams: [])
        let first = try pair.left.session.createOffer().sdp
        #expect(try pair.left.session.createOffer().sdp == first)
        _ = try pair.left.session.addTrack(.audio, id: "a", streams: [])
        let (before, after) = (try SDPSession(parsing: first), try pair.left.offer())
        #expect(after.origin.sessionVersion == before.origin.sessionVersion + 1)
        #expect(after.media[0].mid == before.media[0].mid)
    }

    @Test(
        "the bundle policy says which sections have candidates and which are for the bundle only",
        arguments: [
            (RTCBundlePolicy.maxBundle, [true, false, false, false], [false, true, true, true]),
            (.balanced, [true, false, true, true], [false, false, false, false]),
            (.maxCompat, [true, true, true, true], [false, false, false, false]),
        ]
    )
    func bundlePolicies(policy: RTCBundlePolicy, candidates: [Bool], bundleOnly: [Bool]) throws {
        let pair = try PeerPair(seed: 4, leftConfiguration: RTCConfiguration(bundlePolicy: policy))
        for (index, kind) in [MediaKind.audio, .audio, .video].enumerated() {
            _ = try pair.left.session.addTrack(kind, id: "\(index)", streams: [])
        }
        _ = try pair.left.session.createDataChannel(DataChannelParameters(label: "d"), id: nil, now: pair.now)
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        pair.settle()
        let text = try #require(pair.left.session.pendingLocalDescription?.sdp)
        let offer = try SDPSession(parsing: text)
        #expect(offer.media.map { !$0.candidates.isEmpty } == candidates)
        #expect(offer.media.map(\.bundleOnly) == bundleOnly)
        try pair.right.session.setRemoteDescription(RTCSessionDescription(type: .offer, sdp: text), now: pair.now)
        let answer = try SDPSession(parsing: pair.right.session.createAnswer().sdp)
        #expect(answer.media.allSatisfy { !$0.isRejected })
    }

    // MARK: Negotiating

    @Test("tracks both ways connect; each side learns mid, direction and streams", arguments: [UInt64(1), 2, 3])
    func bothWays(seed: UInt64) throws {
        let pair = try PeerPair(seed: seed)
        _ = try pair.left.session.addTrack(.audio, id: "a", streams: ["s1"])
        _ = try pair.left.session.addTrack(.video, id: "v", streams: ["s1", "s2"])
        _ = try pair.right.session.addTrack(.audio, id: "b", streams: [])
        try pair.negotiate()
        #expect(pair.left.transceivers.map(\.mid) == ["0", "1"], "seed \(seed)")
        #expect(pair.right.transceivers.map(\.mid) == ["0", "1"], "seed \(seed)")
        #expect(pair.left.directions() == [.sendrecv, .sendonly], "seed \(seed)")
        #expect(pair.right.directions() == [.sendrecv, .recvonly], "seed \(seed)")
        let connected = pair.run(for: .seconds(5)) {
            pair.left.session.connectionState == .connected && pair.right.session.connectionState == .connected
        }
        #expect(connected, "seed \(seed)")
        #expect(pair.right.mediaEvents.contains("track 1 s1,s2"), "seed \(seed): \(pair.right.mediaEvents)")
        #expect(pair.left.mediaEvents.contains("track 0 "), "seed \(seed): \(pair.left.mediaEvents)")
    }

    @Test("events of an offer come in W3C's order: signaling state, streams, tracks")
    func eventOrder() throws {
        let pair = try PeerPair(seed: 5)
        _ = try pair.left.session.addTrack(.audio, id: "a", streams: ["s"])
        _ = try pair.left.session.addTrack(.video, id: "v", streams: ["s"])
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        pair.settle()
        let offer = try #require(pair.left.session.pendingLocalDescription)
        try pair.right.session.setRemoteDescription(offer, now: pair.now)
        pair.settle()
        #expect(
            pair.right.mediaEvents == [
                "signaling have-remote-offer", "add s 0", "add s 1", "track 0 s", "track 1 s",
            ]
        )
    }

    @Test("a data channel added to a media session opens over the same transport")
    func dataAfterMedia() throws {
        let pair = try PeerPair(seed: 6)
        _ = try pair.left.session.addTrack(.audio, id: "a", streams: [])
        try pair.negotiate()
        #expect(pair.run(for: .seconds(5)) { pair.left.session.connectionState == .connected })
        let (handle, _) = try pair.left.session.createDataChannel(
            DataChannelParameters(label: "late"),
            id: nil,
            now: pair.now
        )
        try pair.negotiate()
        let opened = pair.run(for: .seconds(5)) {
            pair.left.events.contains { if case .dataChannelOpen(handle) = $0 { return true } else { return false } }
        }
        #expect(opened)
    }

    @Test("what is negotiated is told with payload types, header extensions and streams of both directions")
    func negotiatedMedia() throws {
        let pair = try PeerPair(seed: 7)
        _ = try pair.left.session.addTrack(.video, id: "v", streams: [])
        try pair.negotiate()
        let left = try #require(pair.left.session.negotiatedMedia.sections.first)
        let right = try #require(pair.right.session.negotiatedMedia.sections.first)
        #expect(left.send.isActive && !left.receive.isActive && !right.send.isActive && right.receive.isActive)
        #expect(left.mid == right.mid && left.kind == .video && left.isReducedSizeRTCP)
        #expect(left.send.formats.codecs == right.receive.formats.codecs)
        let vp8 = try #require(left.send.formats.codecs.first)
        #expect(vp8.codec.name == "VP8" && vp8.payloadType.rawValue == 96 && vp8.rtx?.rawValue == 97)
        #expect(vp8.feedback == [.nack, .pictureLoss, .fullIntra, .receiverEstimate, .transportWide])
        #expect(left.send.headerExtensions == right.receive.headerExtensions)
        #expect(left.send.headerExtensions[.mid] == 9)
        let source = try #require(right.receive.sources.first)
        #expect(source.ssrc == left.send.encodings.first?.ssrc && source.rtxSSRC == left.send.encodings.first?.rtxSSRC)
        #expect(source.cname == pair.left.session.negotiatedMedia.cname)
        #expect(pair.left.session.negotiatedMedia.cname.count == 16)
    }

    @Test("without a bundle one section has the transport and the others are rejected")
    func withoutBundle() throws {
        let pair = try PeerPair(seed: 8)
        _ = try pair.left.session.addTrack(.audio, id: "a", streams: [])
        _ = try pair.left.session.addTrack(.video, id: "v", streams: [])
        var offer = try pair.left.offer()
        offer.groups = []
        try pair.take(.offer, offer, at: pair.right)
        #expect(pair.right.transceivers.count == 2)
        let answer = try SDPSession(parsing: pair.right.session.createAnswer().sdp)
        #expect(answer.media.map(\.isRejected) == [false, true])
        #expect(answer.groups.isEmpty)
    }

    @Test("a peer that rejects the first section gets the transport of the second", arguments: [UInt64(1), 2])
    func firstRejected(seed: UInt64) throws {
        var configuration = RTCConfiguration()
        configuration.media.audio.codecs = [RTCRtpCodec(mimeType: "audio/L16", clockRate: 44_100)]
        let pair = try PeerPair(seed: seed, rightConfiguration: configuration)
        _ = try pair.left.session.addTrack(.audio, id: "a", streams: [])
        _ = try pair.left.session.addTrack(.video, id: "v", streams: [])
        try pair.negotiate()
        #expect(pair.left.transceivers.map(\.kind) == [.video], "seed \(seed)")
        #expect(pair.left.mediaEvents.contains("ended 0"), "seed \(seed)")
        #expect(pair.run(for: .seconds(5)) { pair.left.session.connectionState == .connected }, "seed \(seed)")
    }

    // MARK: Changes

    @Test("addTrack takes a free sender that never sent, and no other")
    func addTrackReuse() throws {
        let pair = try PeerPair(seed: 9)
        let session = pair.left.session
        let first = try session.addTransceiver(.audio, trackID: nil, TransceiverInit(direction: .recvonly))
        #expect(try session.addTrack(.audio, id: "a", streams: []) == first)
        #expect(session.transceiverStates[0].direction == .sendrecv)
        #expect(throws: RTCError.self) { _ = try session.addTrack(.audio, id: "a", streams: []) }
        try pair.negotiate()
        #expect(try session.removeTrack(from: first))
        #expect(try !session.removeTrack(from: first))
        #expect(session.transceiverStates[0].direction == .recvonly)
        #expect(try session.addTrack(.audio, id: "b", streams: []) != first)
    }

    @Test("a direction that one side gives up mutes the track at the other, and coming back tells of it again")
    func directions() throws {
        let pair = try PeerPair(seed: 10)
        let id = try pair.left.session.addTrack(.video, id: "v", streams: ["s"])
        try pair.negotiate()
        let remote = pair.right.transceivers[0].id
        pair.right.session.mediaArrives(for: remote)
        pair.settle()
        pair.right.clearEvents()
        try pair.left.session.setDirection(.inactive, of: id)
        try pair.negotiate()
        #expect(
            pair.right.mediaEvents == [
                "signaling have-remote-offer", "mute 0", "remove s 0", "signaling stable",
            ]
        )
        #expect(pair.right.directions() == [.inactive])
        pair.right.clearEvents()
        try pair.left.session.setDirection(.sendrecv, of: id)
        try pair.negotiate()
        #expect(
            pair.right.mediaEvents == [
                "signaling have-remote-offer", "add s 0", "track 0 s", "signaling stable",
            ]
        )
    }

    @Test("a stopped transceiver's section is rejected, leaves both sides and is used again under another mid")
    func stopAndRecycle() throws {
        let pair = try PeerPair(seed: 11)
        let id = try pair.left.session.addTrack(.audio, id: "a", streams: [])
        _ = try pair.left.session.addTrack(.video, id: "v", streams: [])
        try pair.negotiate()
        try pair.left.session.stop(id)
        #expect(pair.left.transceivers[0].direction == .stopped)
        #expect(pair.left.transceivers[0].currentDirection == .sendonly)
        try pair.negotiate()
        #expect(pair.left.transceivers.map(\.kind) == [.video] && pair.right.transceivers.map(\.kind) == [.video])
        #expect(pair.right.mediaEvents.contains("ended 0"))
        _ = try pair.left.session.addTrack(.video, id: "w", streams: [])
        let offer = try pair.left.offer()
        #expect(offer.media.map(\.kind) == ["video", "video"])
        #expect(offer.media[0].mid == "2")
        try pair.negotiate()
        #expect(pair.right.transceivers.map(\.mid) == ["1", "2"])
        #expect(pair.right.directions() == [.recvonly, .recvonly])
    }

    @Test("an answerer that stops answers inactive and rejects with its own next offer")
    func stopAtAnswerer() throws {
        let pair = try PeerPair(seed: 12)
        _ = try pair.left.session.addTrack(.audio, id: "a", streams: [])
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        let offer = try #require(pair.left.session.pendingLocalDescription)
        try pair.right.session.setRemoteDescription(offer, now: pair.now)
        try pair.right.session.stop(pair.right.transceivers[0].id)
        try pair.right.session.setLocalDescription(nil, now: pair.now)
        let answer = try #require(pair.right.session.currentLocalDescription)
        try pair.left.session.setRemoteDescription(answer, now: pair.now)
        #expect(pair.left.directions() == [.inactive] && pair.right.directions() == [.inactive])
        pair.settle()
        #expect(pair.right.mediaEvents.last == "negotiationneeded")
        try pair.negotiate(offerer: pair.right)
        #expect(pair.left.transceivers.isEmpty && pair.right.transceivers.isEmpty)
    }

    @Test("a codec's preferences lead in the offer and in the answer; a codec left out is not used")
    func preferences() throws {
        let pair = try PeerPair(seed: 13)
        let codecs = RTCMediaCapabilities.defaults.video.codecs
        let vp8 = try #require(codecs.first { $0.isNamed("VP8") })
        let av1 = try #require(codecs.first { $0.isNamed("AV1") })
        let id = try pair.left.session.addTrack(.video, id: "v", streams: [])
        try pair.left.session.setCodecPreferences([av1, vp8], of: id)
        var offer = try pair.left.offer()
        #expect(offer.media[0].codecNames == ["AV1", "VP8"])
        #expect(!SectionFormats(offer.media[0]).formats.contains { $0.codec.isNamed("rtx") })
        try pair.left.session.setCodecPreferences([], of: id)
        offer = try pair.left.offer()
        try pair.take(.offer, offer, at: pair.right)
        let remote = pair.right.transceivers[0].id
        try pair.right.session.setCodecPreferences([av1, vp8], of: remote)
        let answer = try SDPSession(parsing: pair.right.session.createAnswer().sdp)
        #expect(answer.media[0].codecNames == ["AV1", "VP8"])
        #expect(throws: RTCError.self) {
            try pair.right.session.setCodecPreferences(
                [RTCRtpCodec(mimeType: "video/VP7", clockRate: 90_000)],
                of: remote
            )
        }
    }

    @Test("a later offer keeps the payload types and header extension numbers of the peer's")
    func numbersStay() throws {
        let pair = try PeerPair(seed: 14)
        _ = try pair.left.session.addTrack(.video, id: "v", streams: [])
        let text = try pair.left.offer().description
            .replacing("a=extmap:9 ", with: "a=extmap:8 ")
        var offer = try SDPSession(parsing: text)
        offer.media[0].formats = ["120"]
        offer.media[0].rtpmaps = [SDPRTPMap(payloadType: 120, encodingName: "VP8", clockRate: 90_000)]
        offer.media[0].fmtps = []
        try pair.take(.offer, offer, at: pair.right)
        try pair.right.session.setLocalDescription(nil, now: pair.now)
        _ = try pair.right.session.addTrack(.video, id: "w", streams: [])
        _ = try pair.right.session.addTrack(.video, id: "x", streams: [])
        let next = try pair.right.offer()
        #expect(next.media.count == 2)
        for media in next.media {
            #expect(SectionFormats(media).formats.first { $0.codec.isNamed("VP8") }?.payloadType == 120)
            #expect(media.extmaps.first { $0.uri == HeaderExtensionKind.mid.uri }?.id == 8)
        }
    }

    // MARK: Rollback

    @Test("numbers of an offer that gave way to the peer's mean nothing any more", arguments: [true, false])
    func numbersAfterGlare(isSet: Bool) throws {
        let pair = try PeerPair(seed: 31)
        _ = try pair.right.session.addTrack(.audio, id: "a", streams: [])
        if isSet {
            try pair.right.session.setLocalDescription(nil, now: pair.now)
        } else {
            _ = try pair.right.offer()
        }
        _ = try pair.left.session.addTrack(.video, id: "v", streams: [])
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        // The peer has its own way of counting: 111 is sound here, and these are other extensions.
        var offer = try SDPSession(parsing: #require(pair.left.session.pendingLocalDescription?.sdp))
        offer.media[0].extmaps = offer.media[0].extmaps.enumerated().map { index, extmap in
            SDPExtmap(id: UInt16(index + 1), direction: extmap.direction, uri: extmap.uri)
        }
        offer.media[0].formats = ["111"]
        offer.media[0].rtpmaps = [SDPRTPMap(payloadType: 111, encodingName: "VP8", clockRate: 90_000)]
        offer.media[0].fmtps = []
        try pair.take(.offer, offer, at: pair.right)
        try pair.right.session.setLocalDescription(nil, now: pair.now)

        let next = try pair.right.offer()
        #expect(next.media.map(\.kind) == ["video", "audio"])
        var meanings: [UInt16: Set<String>] = [:]
        for extmap in next.media.flatMap(\.extmaps) { meanings[extmap.id, default: []].insert(extmap.uri) }
        #expect(meanings.allSatisfy { $0.value.count == 1 }, "\(meanings.filter { $0.value.count > 1 })")
        let numbers = next.media.flatMap { SectionFormats($0).formats.map(\.payloadType) }
        #expect(Set(numbers).count == numbers.count)
    }

    @Test("a rollback takes back what an offer of the peer made, unless addTrack used it")
    func remoteRollback() throws {
        let pair = try PeerPair(seed: 15)
        _ = try pair.left.session.addTrack(.audio, id: "a", streams: ["s"])
        _ = try pair.left.session.addTrack(.video, id: "v", streams: ["s"])
        let offer = try pair.left.offer()
        try pair.take(.offer, offer, at: pair.right)
        _ = try pair.right.session.addTrack(.video, id: "w", streams: [])
        try pair.right.session.setRemoteDescription(RTCSessionDescription(type: .rollback), now: pair.now)
        pair.settle()
        #expect(pair.right.transceivers.map(\.kind) == [.video])
        #expect(pair.right.transceivers[0].mid == nil)
        #expect(pair.right.mediaEvents.contains("remove s 0") && pair.right.mediaEvents.contains("ended 0"))
        #expect(!pair.right.mediaEvents.contains("ended 1"))
        // What stayed is taken up by the same offer again.
        try pair.take(.offer, offer, at: pair.right)
        #expect(pair.right.transceivers.count == 2)
    }

    @Test(
        "offers that cross are settled by rolling back, and both sides' tracks are negotiated",
        arguments: [UInt64(1), 2, 3]
    )
    func glare(seed: UInt64) throws {
        let pair = try PeerPair(seed: seed)
        _ = try pair.left.session.addTrack(.audio, id: "a", streams: [])
        _ = try pair.right.session.addTrack(.audio, id: "b", streams: [])
        _ = try pair.right.session.addTrack(.video, id: "w", streams: [])
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        try pair.right.session.setLocalDescription(nil, now: pair.now)
        let offer = try #require(pair.left.session.pendingLocalDescription)
        try pair.right.session.setRemoteDescription(offer, now: pair.now)
        #expect(pair.right.transceivers.map(\.mid) == ["0", nil], "seed \(seed)")
        try pair.right.session.setLocalDescription(nil, now: pair.now)
        let answer = try #require(pair.right.session.currentLocalDescription)
        try pair.left.session.setRemoteDescription(answer, now: pair.now)
        pair.settle()
        #expect(pair.right.mediaEvents.last == "negotiationneeded", "seed \(seed)")
        try pair.negotiate(offerer: pair.right)
        #expect(pair.left.directions() == [.sendrecv, .recvonly], "seed \(seed)")
        #expect(pair.run(for: .seconds(5)) { pair.left.session.connectionState == .connected }, "seed \(seed)")
    }
}
