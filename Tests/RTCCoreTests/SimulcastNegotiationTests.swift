import NIOCore
import RTCBase
import RTCRTP
import RTCSCTP
import RTCSDP
import RTCTestKit
import Testing

@testable import RTCCore

/// Encodings through offers and answers: RFC 8851 to 8853, W3C webrtc-pc section 5.2.
@Suite("Simulcast negotiation", .serialized)
struct SimulcastNegotiationTests {
    @Test("encodings are offered as simulcast, restricted to what the answer takes")
    func sentSimulcast() throws {
        let pair = try PeerPair(seed: 16)
        let encodings = ["h", "m", "l"].map { RTCRtpEncodingParameters(rid: $0, active: $0 != "m") }
        _ = try pair.left.session.addTransceiver(.video, trackID: "v", TransceiverInit(sendEncodings: encodings))
        let offer = try pair.left.offer()
        #expect(offer.media[0].simulcast?.description == "send h;~m;l")
        #expect(offer.media[0].rids.map(\.id) == ["h", "m", "l"] && offer.media[0].ssrcs.isEmpty)
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        try pair.take(.offer, offer, at: pair.right)
        #expect(
            try SDPSession(parsing: pair.right.session.createAnswer().sdp).media[0].simulcast?.description
                == "recv h;~m;l"
        )
        var answer = try SDPSession(parsing: pair.right.session.createAnswer().sdp)
        answer.media[0].simulcast = try SDPSimulcast(parsing: "recv h;~l")
        answer.media[0].rids.removeAll { $0.id == "m" }
        try pair.take(.answer, answer, at: pair.left)
        let section = try #require(pair.left.session.negotiatedMedia.sections.first)
        #expect(section.send.encodings.map(\.rid) == ["h", "l"])
        #expect(section.send.encodings.map(\.isWanted) == [true, false])
        #expect(section.send.encodings.map(\.parameters.scaleResolutionDownBy) == [4, 1])
        #expect(Set(section.send.encodings.flatMap { [$0.ssrc, $0.rtxSSRC, $0.fecSSRC] }).count == 6)
    }

    @Test("an answer without simulcast leaves one encoding")
    func simulcastRefused() throws {
        let pair = try PeerPair(seed: 17)
        let encodings = ["0", "1"].map { RTCRtpEncodingParameters(rid: $0) }
        _ = try pair.left.session.addTransceiver(.video, trackID: "v", TransceiverInit(sendEncodings: encodings))
        try pair.left.session.setLocalDescription(nil, now: pair.now)
        let offer = try #require(pair.left.session.pendingLocalDescription)
        try pair.right.session.setRemoteDescription(offer, now: pair.now)
        var answer = try SDPSession(parsing: pair.right.session.createAnswer().sdp)
        answer.media[0].simulcast = nil
        answer.media[0].rids = []
        try pair.take(.answer, answer, at: pair.left)
        #expect(pair.left.transceivers[0].sendParameters.encodings.map(\.rid) == [nil])
        #expect(pair.left.session.negotiatedMedia.sections[0].send.encodings.count == 1)
    }

    @Test("a peer that asks for simulcast gets the encodings it named")
    func requestedSimulcast() throws {
        let pair = try PeerPair(seed: 18)
        _ = try pair.left.session.addTransceiver(.video, trackID: nil, TransceiverInit(direction: .recvonly))
        var offer = try pair.left.offer()
        offer.media[0].rids = ["a", "b"].map { SDPRID(id: $0, direction: .recv) }
        offer.media[0].simulcast = try SDPSimulcast(parsing: "recv a;b")
        _ = try pair.right.session.addTrack(.video, id: "v", streams: [])
        try pair.take(.offer, offer, at: pair.right)
        try pair.right.session.setLocalDescription(nil, now: pair.now)
        let answer = try SDPSession(parsing: try #require(pair.right.session.currentLocalDescription?.sdp))
        #expect(answer.media[0].simulcast?.description == "send a;b")
        #expect(pair.right.session.negotiatedMedia.sections[0].send.encodings.map(\.rid) == ["a", "b"])
    }

    @Test(
        "encodings that W3C refuses are refused by name",
        arguments: [
            ([RTCRtpEncodingParameters(rid: "a b")], RTCError.Code.type),
            ([RTCRtpEncodingParameters(rid: "")], .type),
            ([RTCRtpEncodingParameters(rid: String(repeating: "a", count: 17))], .type),
            ([RTCRtpEncodingParameters(rid: "a"), RTCRtpEncodingParameters()], .type),
            ([RTCRtpEncodingParameters(rid: "a"), RTCRtpEncodingParameters(rid: "a")], .type),
            ([RTCRtpEncodingParameters(scaleResolutionDownBy: 0.5)], .range),
            ([RTCRtpEncodingParameters(scaleResolutionDownBy: .nan)], .range),
            ([RTCRtpEncodingParameters(maxFramerate: -1)], .range),
            ([RTCRtpEncodingParameters(codec: RTCRtpCodec(mimeType: "video/x", clockRate: 1))], .operation),
        ]
    )
    func refusedEncodings(encodings: [RTCRtpEncodingParameters], code: RTCError.Code) throws {
        let pair = try PeerPair(seed: 19)
        do {
            _ = try pair.left.session.addTransceiver(.video, trackID: nil, TransceiverInit(sendEncodings: encodings))
            Issue.record("taken")
        } catch {
            #expect(error.code == code)
        }
        #expect(pair.left.transceivers.isEmpty)
    }

    @Test("parameters may be changed once per reading, and only what is not read-only")
    func parameters() throws {
        let pair = try PeerPair(seed: 20)
        let id = try pair.left.session.addTransceiver(.video, trackID: "v", TransceiverInit())
        try pair.negotiate()
        var last = pair.left.transceivers[0].sendParameters
        last.transactionId = "1"
        func code(_ change: (inout RTCRtpSendParameters) -> Void) -> RTCError.Code? {
            var changed = last
            change(&changed)
            do {
                try pair.left.session.setParameters(changed, last: last, of: id)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(!last.codecs.isEmpty && !last.headerExtensions.isEmpty && last.rtcp.reducedSize)
        #expect(code { $0.encodings[0].maxBitrate = 1_000_000 } == nil)
        #expect(pair.left.session.negotiatedMedia.sections[0].send.encodings[0].parameters.maxBitrate == 1_000_000)
        #expect(code { $0.transactionId = "2" } == .invalidModification)
        #expect(code { $0.encodings.append(RTCRtpEncodingParameters(rid: "x")) } == .invalidModification)
        #expect(code { $0.codecs.removeLast() } == .invalidModification)
        #expect(code { $0.headerExtensions = [] } == .invalidModification)
        #expect(code { $0.rtcp.cname = "x" } == .invalidModification)
        #expect(code { $0.encodings[0].scaleResolutionDownBy = 0 } == .range)
        #expect(throws: RTCError.self) { try pair.left.session.setParameters(last, last: nil, of: id) }
        try pair.left.session.stop(id)
        #expect(code { _ in } == .invalidState)
    }
}
