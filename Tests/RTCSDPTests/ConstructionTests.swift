import RTCSDP
import Testing

@Suite("Building descriptions from values")
struct ConstructionTests {
    @Test("A data-channel offer reads as RFC 9429 wants it")
    func dataChannelOffer() throws {
        var session = SDPSession(origin: SDPOrigin(sessionID: 4_962_303_333_179_871_722, sessionVersion: 1))
        session.attributes.append("ice-options", "trickle ice2")
        session.groups = [SDPGroup(semantics: SDPGroup.bundle, mids: ["0"])]
        session.extmapAllowMixed = true
        var section = SDPMedia(
            kind: "application",
            proto: "UDP/DTLS/SCTP",
            formats: ["webrtc-datachannel"]
        )
        section.mid = "0"
        section.iceUfrag = "7sFv"
        section.icePwd = "dOTZKZNVlO9RSGsEGM63JXT2"
        section.fingerprints = [SDPFingerprint(algorithm: "SHA-256", value: (0..<32).map { UInt8($0 * 8) })]
        section.setup = .actpass
        section.tlsID = "91bbf309c0990a6bec11e38ba2933cee"
        section.sctpPort = 5000
        section.maxMessageSize = 65_536
        section.append(
            SDPCandidate(
                foundation: "1",
                component: 1,
                transport: "udp",
                priority: 2_113_929_471,
                address: "203.0.113.100",
                port: 10_100,
                type: .host
            )
        )
        section.endOfCandidates = true
        session.media.append(section)
        let expected = [
            "v=0",
            "o=- 4962303333179871722 1 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            "a=ice-options:trickle ice2",
            "a=group:BUNDLE 0",
            "a=extmap-allow-mixed",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "c=IN IP4 0.0.0.0",
            "a=mid:0",
            "a=ice-ufrag:7sFv",
            "a=ice-pwd:dOTZKZNVlO9RSGsEGM63JXT2",
            "a=fingerprint:sha-256 00:08:10:18:20:28:30:38:40:48:50:58:60:68:70:78:80:88:90:98:A0:A8:B0:B8:C0:C8:D0:D8:"
                + "E0:E8:F0:F8",
            "a=setup:actpass",
            "a=tls-id:91bbf309c0990a6bec11e38ba2933cee",
            "a=sctp-port:5000",
            "a=max-message-size:65536",
            "a=candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host",
            "a=end-of-candidates",
            "",
        ]
        #expect(session.description == expected.joined(separator: "\r\n"))
        try session.validate()
        #expect(try SDPSession(parsing: session.description) == session)
    }

    @Test("An answer that rejects a section keeps its place")
    func rejectingAnswer() throws {
        let offer = try SDPSession(parsing: try Samples.text("chromium-offer"))
        var answer = SDPSession(origin: SDPOrigin(sessionID: 1, sessionVersion: 1))
        for offered in offer.media {
            var section = SDPMedia(kind: offered.kind, proto: offered.proto, formats: offered.formats)
            section.mid = offered.mid
            if offered.dataChannelPort == nil { section.port = 0 }
            answer.media.append(section)
        }
        #expect(answer.media.map(\.isRejected) == [true, true, false])
        let lines = answer.description.split(separator: "\r\n").filter { $0.hasPrefix("m=") }
        #expect(lines.last == "m=application 9 UDP/DTLS/SCTP webrtc-datachannel")
        #expect(lines.first == "m=audio 0 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126")
    }
}
