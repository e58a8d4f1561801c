import RTCSDP
import Testing

@Suite("Broken descriptions")
struct BrokenDescriptionTests {
    private static let head = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\n"
    private static let section = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n"

    private static let unreadableTexts: [(String, Int, String)] = [
        ("", 1, "empty"),
        ("\r\n", 1, "empty"),
        ("hello", 1, "a line is a lower-case letter"),
        ("{\"type\":\"offer\"}", 1, "a line is a lower-case letter"),
        ("v", 1, "a line is a lower-case letter"),
        ("V=0\n", 1, "a line is a lower-case letter"),
        ("v=1\n", 1, "version 0"),
        ("v=0", 2, "no o="),
        ("o=- 1 1 IN IP4 0.0.0.0\n", 1, "expected v="),
        ("a=x\nv=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\n", 1, "expected v=, found a="),
        ("v=0\ns=-\n", 2, "expected o=, found s="),
        ("v=0\na=x\ns=-\nt=0 0\n", 2, "expected o=, found a="),
        ("v=0\no=- 1 1 IN IP4\n", 2, "six fields"),
        ("v=0\no=- 1 x IN IP4 0.0.0.0\n", 2, "session version"),
        ("v=0\no=- 1 18446744073709551616 IN IP4 0.0.0.0\n", 2, "session version"),
        ("v=0\no=- 1 1 IN IP4 0.0.0.0\n", 3, "no s="),
        ("v=0\no=- 1 1 IN IP4 0.0.0.0\nt=0 0\n", 3, "expected s=, found t="),
        ("v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\na=x\n", 4, "no t="),
        ("v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\n\(section)", 4, "no t="),
        ("v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0\n", 4, "two numbers"),
        (head + "v=0\n", 5, "second v="),
        (head + "\na=x\n", 5, "empty line"),
        (head + "a=\n", 5, "without a name"),
        (head + "a=:x\n", 5, "without a name"),
        (head + "a = x\n", 5, "a line is"),
        (head + "a=x\ry\n", 5, "carriage return"),
        (head + "a=x\r", 5, "carriage return"),
        (head + "a=x\0y\n", 5, "NUL"),
        (head + "c=IN IP4\n", 5, "three fields"),
        (head + "c=IN IP4 0.0.0.0\nc=IN IP4 0.0.0.0\n", 6, "second session-level c="),
        (head + "b=128\n", 5, "bandwidth"),
        (head + "m=audio\n", 5, "an m= line"),
        (head + "m=audio 9 RTP/AVP\n", 5, "an m= line"),
        (head + "m=audio 65536 RTP/AVP 0\n", 5, "port"),
        (head + "m=audio x RTP/AVP 0\n", 5, "port"),
        (head + "m=audio -1 RTP/AVP 0\n", 5, "port"),
        (head + "m=audio 9/0 RTP/AVP 0\n", 5, "number of ports"),
        (head + "m=audio 9/1/1 RTP/AVP 0\n", 5, "port"),
        (head + section + "t=0 0\n", 6, "within a media section"),
        (head + section + "o=- 1 1 IN IP4 0.0.0.0\n", 6, "second o="),
        (head + section + "c=IN\n", 6, "three fields"),
    ]

    @Test("A text that is no description is refused with line and reason", arguments: unreadableTexts)
    func unreadable(text: String, line: Int, reason: String) {
        let error = #expect(throws: SDPError.self) { try SDPSession(parsing: text) }
        #expect(error?.line == line, "\(String(describing: error))")
        #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
    }

    private static let invalidAttributes: [(String, String)] = [
        ("candidate:1 1 udp 1 192.0.2.1 1 typ", "candidate"),
        ("candidate", "no value"),
        ("sctp-port:65536", "sctp-port"),
        ("sctp-port:", "sctp-port"),
        ("sctp-port:5000 ", "sctp-port"),
        ("max-message-size:-1", "max-message-size"),
        ("max-message-size:18446744073709551616", "max-message-size"),
        ("sctpmap:webrtc-datachannel", "sctpmap"),
        ("fingerprint:sha-256", "fingerprint"),
        ("fingerprint:sha-256 AA:B", "two hexadecimal digits"),
        ("fingerprint:sha-256 AA:BB", "32 bytes"),
        ("fingerprint:new-hash AA:+1", "two hexadecimal digits"),
        ("fingerprint:new-hash AA:-1", "two hexadecimal digits"),
        ("fingerprint:new-hash AA::BB", "two hexadecimal digits"),
        ("setup:maybe", "setup"),
        ("setup", "no value"),
        ("ice-ufrag:abc", "ice-ufrag"),
        ("ice-ufrag:ab:cd", "ice-ufrag"),
        ("ice-ufrag:" + String(repeating: "a", count: 257), "ice-ufrag"),
        ("ice-pwd:123456789012345678901", "ice-pwd"),
        ("ice-pwd:12345678901234567890 2", "ice-pwd"),
        ("ice-pwd:" + String(repeating: "a", count: 257), "ice-pwd"),
        ("ice-options:", "ice-options"),
        ("tls-id:short", "tls-id"),
        ("mid:", "mid"),
        ("mid:a b", "mid"),
        ("group:", "group"),
        ("rtpmap:128 opus/48000", "rtpmap"),
        ("rtpmap:96 opus", "codec"),
        ("rtpmap:96 opus/48000/x", "channels"),
        ("fmtp:96", "fmtp"),
        ("rtcp-fb:nack", "rtcp-fb"),
        ("rtcp:x", "RTCP"),
        ("extmap:0 urn:x", "header extension"),
        ("extmap:1/sideways urn:x", "direction"),
        ("extmap:1", "extmap"),
        ("msid:a b c", "msid"),
        ("ssrc:4294967296 cname:x", "ssrc"),
        ("ssrc-group:FID x", "source"),
        ("rid:a both", "rid"),
        ("rid:a! send", "identifier"),
        ("simulcast:send", "simulcast"),
        ("simulcast:send a send b", "simulcast"),
        ("simulcast:send a;;b", "identifier"),
        ("ptime:x", "ptime"),
        ("maxptime:1.2.3", "maxptime"),
    ]

    @Test(
        "A malformed attribute parses, keeps its bytes and fails validation with its line",
        arguments: invalidAttributes
    )
    func invalid(attribute: String, reason: String) throws {
        let text = Self.head + "a=x\n" + Self.section + "c=IN IP4 0.0.0.0\na=y\na=\(attribute)\na=z\n"
        let session = try SDPSession(parsing: text)
        #expect(sameBytes(session.description, text))
        let error = #expect(throws: SDPError.self) { try session.validate() }
        #expect(error?.line == 9, "\(String(describing: error))")
        #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
    }

    @Test("Two sections with one identification fail validation")
    func duplicateMID() throws {
        let section = Self.section + "a=mid:0\n"
        let session = try SDPSession(parsing: Self.head + section + section)
        #expect(throws: SDPError(line: 8, reason: "a second section with the identification '0'")) {
            try session.validate()
        }
    }

    @Test("A password never shows in an error")
    func secret() throws {
        let session = try SDPSession(parsing: Self.head + "a=ice-pwd:secret secret secret secret\n")
        let error = #expect(throws: SDPError.self) { try session.validate() }
        #expect(error?.description == "SDP line 5: ice-pwd is not 22 to 256 letters, digits, '+' and '/'")
    }

    @Test("What is unknown or merely old passes validation")
    func tolerated() throws {
        let session = try SDPSession(
            parsing: Self.head + Self.section + """
                a=candidate:1 1 quic 1 192.0.2.1 1 typ teleport
                a=fingerprint:sha-3-256 AA
                a=ice-ufrag:ab_-
                a=ice-pwd:=#==================-_
                a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x
                a=msid-semantic: WMS
                a=ptime:2.5

                """
        )
        try session.validate()
        #expect(session.media[0].candidates.count == 1)
    }

    @Test("Texts beyond the limits are refused")
    func limits() throws {
        let lines = String(repeating: "a=x\n", count: SDPLimits.maximumLines - 4)
        #expect(try SDPSession(parsing: Self.head + lines).attributes.count == SDPLimits.maximumLines - 4)
        let tooManyLines = #expect(throws: SDPError.self) { try SDPSession(parsing: Self.head + lines + "a=x\n") }
        #expect(tooManyLines?.line == SDPLimits.maximumLines + 1)
        let emptyLines = String(repeating: "\n", count: SDPLimits.maximumLines)
        #expect(throws: SDPError.self) { try SDPSession(parsing: Self.head + emptyLines) }
        let sections = String(repeating: Self.section, count: SDPLimits.maximumMediaSections)
        #expect(try SDPSession(parsing: Self.head + sections).media.count == SDPLimits.maximumMediaSections)
        let tooManySections = #expect(throws: SDPError.self) {
            try SDPSession(parsing: Self.head + sections + Self.section)
        }
        #expect(tooManySections?.line == SDPLimits.maximumMediaSections + 5)
        let long = Self.head + "a=" + String(repeating: "x", count: SDPLimits.maximumBytes)
        #expect(throws: SDPError.self) { try SDPSession(parsing: long) }
    }
}
