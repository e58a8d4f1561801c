import RTCSDP
import Testing

@Suite("Typed attributes")
struct TypedViewTests {
    @Test("Chromium's data offer reads as values")
    func chromiumDataOffer() throws {
        let session = try SDPSession(parsing: try Samples.text("chromium-data-offer"))
        #expect(session.origin.sessionID == "629654670614171898")
        #expect(session.origin.sessionVersion == 2)
        #expect(session.origin.address == "127.0.0.1")
        #expect(session.name == "-")
        #expect(session.bundleGroups == [SDPGroup(semantics: "BUNDLE", mids: ["0"])])
        #expect(session.extmapAllowMixed)
        #expect(!session.iceLite)
        let section = try #require(session.media.first)
        #expect(section.kind == "application")
        #expect(section.port == 37106)
        #expect(section.portCount == nil)
        #expect(section.proto == "UDP/DTLS/SCTP")
        #expect(section.formats == ["webrtc-datachannel"])
        #expect(section.connection?.address == "127.0.0.1")
        #expect(section.mid == "0")
        #expect(section.iceUfrag == "jsnY")
        #expect(section.icePwd == "nHAa9LYGsZxPCws9Oiwh1ke1")
        #expect(section.iceOptions == ["trickle"])
        #expect(section.setup == .actpass)
        #expect(section.sctpPort == 5000)
        #expect(section.dataChannelPort == 5000)
        #expect(section.maxMessageSize == 262_144)
        #expect(section.direction == nil)
        #expect(session.direction(of: 0) == .sendrecv)
        #expect(!section.endOfCandidates)
        #expect(!section.isRejected)
        #expect(section.fingerprints.first?.algorithm == "sha-256")
        #expect(section.fingerprints.first?.value.prefix(3) == [0x7F, 0x33, 0xB5])
        #expect(section.fingerprints.first?.value.count == 32)
        #expect(section.candidates.map(\.address) == ["127.0.0.1", "192.0.2.2", "::1", "fd00::2"])
        #expect(section.candidates.first?.generation == 0)
        #expect(section.candidates.first?.value(ofExtension: "network-cost") == "50")
    }

    @Test("What the section lacks comes from the session level")
    func sessionLevel() throws {
        let session = try SDPSession(parsing: try Samples.text("firefox-data-offer"))
        #expect(session.media[0].fingerprints.isEmpty)
        #expect(session.fingerprints(of: 0).first?.value.prefix(2) == [0x02, 0x82])
        #expect(session.iceOptions(of: 0) == ["trickle"])
        #expect(session.direction(of: 0) == .sendrecv)
        #expect(session.iceUfrag(of: 0) == "423fd086")
        #expect(session.icePwd(of: 0) == "acdb9871edb388ea5b0e17b936b5f401")
        #expect(session.setup(of: 0) == .actpass)
        #expect(session.tlsID(of: 0) == nil)
        #expect(session.media[0].endOfCandidates)
        #expect(session.media[0].candidates[2].tcpType == "active")
        #expect(session.iceUfrag(of: 1) == nil)
        #expect(session.iceUfrag(of: -1) == nil)
        #expect(session.mediaIndex(mid: "0") == 0)
        #expect(session.mediaIndex(mid: "1") == nil)
    }

    @Test("The section's own attributes come before the session's")
    func ownFirst() throws {
        let session = try SDPSession(
            parsing: """
                v=0
                o=- 1 1 IN IP4 0.0.0.0
                s=-
                t=0 0
                a=ice-ufrag:sess
                a=ice-pwd:ssssssssssssssssssssss
                a=setup:passive
                a=tls-id:abcdefghijklmnopqrst
                a=fingerprint:sha-1 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00
                a=recvonly
                a=extmap:1 urn:session
                m=application 9 UDP/DTLS/SCTP webrtc-datachannel
                c=IN IP4 0.0.0.0
                a=ice-ufrag:sect
                a=ice-pwd:mmmmmmmmmmmmmmmmmmmmmm
                a=setup:active
                a=fingerprint:SHA-1 01:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00
                a=inactive
                a=extmap:2 urn:section
                m=audio 9 UDP/TLS/RTP/SAVPF 0

                """
        )
        try session.validate()
        #expect(session.iceUfrag(of: 0) == "sect")
        #expect(session.icePwd(of: 0) == "mmmmmmmmmmmmmmmmmmmmmm")
        #expect(session.setup(of: 0) == .active)
        #expect(session.tlsID(of: 0) == "abcdefghijklmnopqrst")
        #expect(session.fingerprints(of: 0).map { $0.value.first } == [1])
        #expect(session.fingerprints(of: 0).first?.algorithm == "sha-1")
        #expect(session.direction(of: 0) == .inactive)
        #expect(session.extmaps(of: 0).map(\.uri) == ["urn:section", "urn:session"])
        #expect(session.iceUfrag(of: 1) == "sess")
        #expect(session.setup(of: 1) == .passive)
        #expect(session.fingerprints(of: 1).map { $0.value.first } == [0])
        #expect(session.direction(of: 1) == .recvonly)
    }

    @Test("Chromium's media offer reads as values")
    func chromiumOffer() throws {
        let session = try SDPSession(parsing: try Samples.text("chromium-offer"))
        #expect(session.media.map(\.kind) == ["audio", "video", "application"])
        #expect(session.media.map(\.mid) == ["0", "1", "2"])
        let audio = session.media[0]
        #expect(audio.rtcpMux)
        #expect(audio.rtcpRsize)
        #expect(!audio.rtcpMuxOnly)
        #expect(!audio.bundleOnly)
        #expect(audio.direction == .sendrecv)
        #expect(audio.rtcp == SDPRTCPAddress(port: 9, connection: .unspecified))
        #expect(
            audio.rtpmap(of: 111)
                == SDPRTPMap(payloadType: 111, encodingName: "opus", clockRate: 48_000, channels: 2)
        )
        #expect(audio.rtpmap(of: 9)?.encodingName == "G722")
        #expect(audio.fmtp(of: "111")?["USEINBANDFEC"] == "1")
        #expect(audio.fmtp(of: "63")?.parameters == [.init(name: "111/111")])
        #expect(audio.rtcpFeedback == [SDPRTCPFeedback(payloadType: 111, type: "transport-cc")])
        #expect(audio.extmaps.first == SDPExtmap(id: 1, uri: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"))
        #expect(audio.msids.first?.stream == "1fe6b498-ece5-45b2-88a5-000191a401e5")
        #expect(audio.msids.first?.track == "6b30297e-35f0-4dee-a28a-0346baa44e6c")
        #expect(audio.ssrcs.first == SDPSourceAttribute(ssrc: 3_147_871_348, name: "cname", value: "lZpjNv9xC8+uNDKA"))
        let video = session.media[1]
        #expect(video.ssrcGroups == [SDPSourceGroup(semantics: "FID", ssrcs: [4_108_515_601, 1_286_977_372])])
        #expect(video.rtcpFeedback.contains(SDPRTCPFeedback(payloadType: 96, type: "nack", parameter: "pli")))
        #expect(video.fmtp(of: "97")?["apt"] == "96")
    }

    @Test("Simulcast and its encodings read and write")
    func simulcast() throws {
        var section = SDPMedia(kind: "video", proto: "UDP/TLS/RTP/SAVPF", formats: ["96", "97"])
        section.attributes.append("rid", "hi send pt=96,97;max-width=1280")
        section.attributes.append("rid", "lo send")
        section.attributes.append("simulcast", "recv c send hi,~lo;x")
        #expect(section.rids.map(\.id) == ["hi", "lo"])
        #expect(section.rids[0].payloadTypes == [96, 97])
        #expect(section.rids[0].restriction("max-width") == "1280")
        #expect(section.rids[1].restrictions == nil)
        let simulcast = try #require(section.simulcast)
        #expect(simulcast.send == [[.init(rid: "hi"), .init(rid: "lo", isPaused: true)], [.init(rid: "x")]])
        #expect(simulcast.recv == [[.init(rid: "c")]])
        #expect(simulcast.description == "recv c send hi,~lo;x")
        section.simulcast = SDPSimulcast(send: [[.init(rid: "hi")], [.init(rid: "lo", isPaused: true)]])
        #expect(section.attributes[first: "simulcast"] == "send hi;~lo")
    }

    @Test(
        "The SCTP port of data channels is found in the new and the old form",
        arguments: [
            ("UDP/DTLS/SCTP webrtc-datachannel", "sctp-port:5001", 5001),
            ("TCP/DTLS/SCTP webrtc-datachannel", "sctp-port:5001", 5001),
            ("DTLS/SCTP 5000", "sctpmap:5000 webrtc-datachannel 1024", 5000),
            ("DTLS/SCTP webrtc-datachannel", "sctp-port:7", 7),
            ("DTLS/SCTP webrtc-datachannel", "sctpmap:8 webrtc-datachannel", 8),
            ("DTLS/SCTP 5001", "sctpmap:5000 webrtc-datachannel 1024", nil),
            ("DTLS/SCTP 5000", "sctpmap:5000 other 1024", nil),
            ("UDP/DTLS/SCTP webrtc-datachannel", "mid:0", nil),
            ("UDP/TLS/RTP/SAVPF 0", "sctp-port:5000", nil),
        ] as [(String, String, Int?)]
    )
    func dataChannelPort(line: String, attribute: String, port: Int?) throws {
        let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\nm=application 9 \(line)\na=\(attribute)\n"
        let session = try SDPSession(parsing: text)
        try session.validate()
        #expect(session.media[0].dataChannelPort == port)
    }

    @Test("A section with port 0 is rejected unless it is bundle-only")
    func rejected() {
        var section = SDPMedia(kind: "video", port: 0, proto: "UDP/TLS/RTP/SAVPF", formats: ["96"])
        #expect(section.isRejected)
        section.bundleOnly = true
        #expect(!section.isRejected)
        section.bundleOnly = false
        #expect(section.isRejected)
    }

    @Test("Setting a value keeps the order of the others")
    func setting() {
        var attributes: SDPAttributes = [.init("a", "1"), .init("b", "1"), .init("a", "2"), .init("c")]
        attributes.setAll("a", ["x", "y", "z"])
        #expect(attributes.map(\.description) == ["a:x", "b:1", "a:y", "a:z", "c"])
        attributes.setAll("a", ["w"])
        #expect(attributes.map(\.description) == ["a:w", "b:1", "c"])
        attributes.set("b", "2")
        attributes.set("d")
        #expect(attributes.map(\.description) == ["a:w", "b:2", "c", "d"])
        attributes[first: "c"] = nil
        attributes[first: "e"] = "3"
        #expect(attributes.map(\.description) == ["a:w", "b:2", "d", "e:3"])
        #expect(attributes.contains("d"))
        #expect(attributes[first: "d"] == nil)
        #expect(attributes.all("d") == [""])
        attributes.removeAll("b")
        #expect(attributes.count == 3)
    }

    @Test("A candidate takes its place behind the others")
    func appendingCandidate() throws {
        var session = try SDPSession(parsing: try Samples.text("ldc-offer"))
        var candidate = try #require(session.media[0].candidates.first)
        candidate.address = "192.0.2.1"
        session.media[0].append(candidate)
        #expect(session.media[0].attributes.suffix(3).map(\.name) == ["candidate", "candidate", "end-of-candidates"])
        #expect(session.media[0].candidates.last?.address == "192.0.2.1")
        var section = SDPMedia(kind: "application", proto: "UDP/DTLS/SCTP", formats: ["webrtc-datachannel"])
        section.append(candidate)
        #expect(section.candidates == [candidate])
    }

    @Test("Setting a typed value that is there already keeps the text it was written with")
    func keepsText() throws {
        var section = SDPMedia(kind: "video", proto: "UDP/TLS/RTP/SAVPF", formats: ["96"])
        section.attributes.append("rtcp-fb", "96 nack ")
        section.rtcpFeedback.append(SDPRTCPFeedback(payloadType: 96, type: "nack", parameter: "pli"))
        #expect(section.attributes.all("rtcp-fb") == ["96 nack ", "96 nack pli"])
    }

    @Test("A value with a line break in it begins no line of its own")
    func injection() throws {
        var session = SDPSession(origin: SDPOrigin(sessionID: 1, sessionVersion: 1))
        session.attributes.append("x", "1\r\na=y:2\nm=audio")
        #expect(bytes(session.description).suffix(22) == bytes("a=x:1  a=y:2 m=audio\r\n"))
        #expect(throws: SDPError(line: 5, reason: "a line break or NUL within a line")) { try session.validate() }
    }

    @Test("Bandwidths and connections take their place before the attributes")
    func placedLines() throws {
        var section = SDPMedia(kind: "audio", proto: "UDP/TLS/RTP/SAVPF", formats: ["0"])
        section.mid = "0"
        section.bandwidths = [SDPBandwidth(type: "AS", value: 128), SDPBandwidth(type: "TIAS", value: 64_000)]
        #expect(
            sameBytes(
                section.description,
                "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\nb=AS:128\r\nb=TIAS:64000\r\na=mid:0\r\n"
            )
        )
        section.connection = nil
        section.bandwidths.removeFirst()
        section.connection = SDPConnection(addressType: "IP6", address: "::")
        #expect(
            sameBytes(
                section.description,
                "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP6 ::\r\nb=TIAS:64000\r\na=mid:0\r\n"
            )
        )
        var session = SDPSession(origin: SDPOrigin(sessionID: 1, sessionVersion: 1))
        session.connection = .unspecified
        #expect(session.lines.map(\.type) == ["v", "o", "s", "c", "t"])
    }
}
