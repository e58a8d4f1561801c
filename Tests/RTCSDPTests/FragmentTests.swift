import RTCSDP
import Testing

@Suite("Trickle fragments")
struct FragmentTests {
    private static let text = [
        "a=group:BUNDLE 0 1",
        "a=ice-ufrag:EsAw",
        "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
        "m=audio 9 RTP/AVP 0",
        "a=mid:0",
        "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1",
        "a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0 ufrag EsAw network-id 2",
        "a=end-of-candidates",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:1",
        "",
    ].joined(separator: "\r\n")

    @Test("A fragment reads as values and serialises to its own bytes")
    func reading() throws {
        let fragment = try SDPFragment(parsing: Self.text)
        try fragment.validate()
        #expect(sameBytes(fragment.description, Self.text))
        #expect(fragment.iceUfrag == "EsAw")
        #expect(fragment.icePwd(of: 1) == "P2uYro0UCOQ4zxjKXaWCBui1")
        #expect(fragment.groups.first?.mids == ["0", "1"])
        #expect(fragment.media.map(\.mid) == ["0", "1"])
        #expect(fragment.media[0].candidates.map(\.port) == [61764, 61765])
        #expect(fragment.media[0].candidates.first?.ufrag == "EsAw")
        #expect(fragment.media[0].endOfCandidates)
        #expect(!fragment.media[1].endOfCandidates)
        #expect(!fragment.endOfCandidates)
    }

    @Test("A fragment is built from values")
    func building() throws {
        var fragment = SDPFragment()
        fragment.iceUfrag = "abcd"
        fragment.icePwd = "0123456789012345678901"
        var section = SDPMedia(kind: "audio", proto: "RTP/AVP", formats: ["0"])
        section.connection = nil
        section.mid = "0"
        section.endOfCandidates = true
        fragment.media = [section]
        let text =
            "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
            + "a=end-of-candidates\r\n"
        #expect(sameBytes(fragment.description, text))
        #expect(try SDPFragment(parsing: text) == fragment)
    }

    @Test(
        "A text that is no fragment is refused with its line",
        arguments: [
            ("", 1, "empty"), ("\r\n", 1, "empty"), ("a=x\r\nv=0\r\n", 2, "whole description"),
            ("garbage", 1, "a line is"), ("m=audio 9\n", 1, "an m= line"),
        ]
    )
    func broken(text: String, line: Int, reason: String) {
        let error = #expect(throws: SDPError.self) { try SDPFragment(parsing: text) }
        #expect(error?.line == line)
        #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
    }

    @Test("A malformed candidate of a fragment fails validation with its line")
    func invalid() throws {
        let fragment = try SDPFragment(parsing: "a=ice-ufrag:abcd\nm=audio 9 RTP/AVP 0\na=mid:0\na=candidate:1 1\n")
        let error = #expect(throws: SDPError.self) { try fragment.validate() }
        #expect(error?.line == 4)
    }
}
