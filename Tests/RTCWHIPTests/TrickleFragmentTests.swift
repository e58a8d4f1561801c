import RTCBase
import RTCSDP
import Testing

@testable import RTCWHIP

@Suite("Fragments")
struct TrickleFragmentTests {
    static let example = """
        a=ice-options:trickle ice2\r
        a=group:BUNDLE 0 1\r
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r
        a=mid:0\r
        a=ice-ufrag:ysXw\r
        a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r
        a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r
        a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0 ufrag EsAw network-id 1\r
        a=end-of-candidates\r

        """

    static let description = """
        v=0\r
        o=- 1 7 IN IP4 127.0.0.1\r
        s=-\r
        t=0 0\r
        a=group:BUNDLE 1 0\r
        a=ice-options:trickle ice2\r
        a=ice-lite\r
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r
        a=ice-ufrag:old0\r
        a=ice-pwd:0123456789012345678901\r
        a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r
        a=setup:active\r
        a=mid:0\r
        m=video 9 UDP/TLS/RTP/SAVPF 96\r
        a=ice-ufrag:old0\r
        a=ice-pwd:0123456789012345678901\r
        a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r
        a=end-of-candidates\r
        a=setup:active\r
        a=mid:1\r

        """

    @Test("The example of RFC 9725 is read, ufrags of candidates set aside")
    func example() throws {
        let fragment = try TrickleFragment(parsing: Self.example)
        #expect(fragment.credentials?.ufrag == "ysXw")
        #expect(fragment.candidates.map(\.port) == [61764, 9])
        #expect(fragment.candidates.allSatisfy { $0.ufrag == nil })
        #expect(fragment.isComplete)
    }

    @Test("Sections of all kinds give their candidates, each once; credentials may stand before them")
    func sections() throws {
        let candidate = "a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n"
        let text =
            "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/AVP 0\r\na=mid:a\r\n\(candidate)"
            + "m=video 9 RTP/AVP 0\r\na=mid:b\r\n\(candidate)\(candidate)"
        let fragment = try TrickleFragment(parsing: text)
        #expect(fragment.candidates.count == 1)
        #expect(fragment.credentials?.password == "0123456789012345678901")
        #expect(!fragment.isComplete)
        let bare = try TrickleFragment(parsing: "m=audio 9 RTP/AVP 0\n\(candidate)a=end-of-candidates\n")
        #expect(bare.credentials == nil && bare.isComplete)
    }

    @Test(
        "What is no fragment is refused",
        arguments: [
            "", "x", "v=0\r\n", "a=ice-ufrag:abcd\r\n", "a=candidate:1 1 udp\r\n",
            "a=ice-ufrag:a\r\na=ice-pwd:0123456789012345678901\r\n",
            "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/AVP 0\r\na=ice-ufrag:efgh\r\n"
                + "a=ice-pwd:0123456789012345678901\r\n",
            String(repeating: "a=candidate:1 1 udp 1 192.0.2.9 %d typ host\r\n", count: 1)
                + (0..<300).map { "a=candidate:\($0) 1 udp 1 192.0.2.9 9 typ host\r\n" }.joined(),
        ]
    )
    func broken(text: String) {
        #expect(throws: SDPError.self) { try TrickleFragment(parsing: text) }
    }

    @Test("A fragment of a description has its options and its tagged section")
    func writing() throws {
        let session = try SDPSession(parsing: Self.description)
        #expect(session.transportIndex == 1)
        let text = session.fragment(with: try #require(session.trickle))
        let lines = text.split(whereSeparator: \.isNewline)
        for line in [
            "a=ice-lite", "a=ice-options:trickle ice2", "a=group:BUNDLE 1 0", "a=mid:1", "a=ice-ufrag:old0",
            "a=end-of-candidates", "m=video 9 UDP/TLS/RTP/SAVPF 96",
        ] { #expect(lines.contains { $0 == line }, "\(line) in \(text)") }
        #expect(!lines.contains { $0.hasPrefix("m=audio") || $0.hasPrefix("c=") })
        #expect(try TrickleFragment(parsing: text) == session.trickle)
    }

    @Test("A restart changes ICE and nothing else")
    func restart() throws {
        let session = try SDPSession(parsing: Self.description)
        let fragment = try TrickleFragment(parsing: Self.example)
        let restarted = session.restarted(with: fragment)
        #expect(restarted.trickle == fragment)
        #expect(restarted.media.allSatisfy { $0.iceUfrag == "ysXw" })
        #expect(restarted.media[0].candidates.isEmpty && !restarted.media[0].endOfCandidates)
        #expect(restarted.origin.sessionVersion == 8)
        var back = restarted.restarted(with: try #require(session.trickle))
        back.origin.sessionVersion = 7
        back.media[0].candidates = session.media[0].candidates
        #expect(Set(back.description.split(separator: "\r\n")) == Set(Self.description.split(separator: "\r\n")))
        #expect(session.with(setup: .actpass).media.map(\.setup) == [.actpass, .actpass])
    }

    @Test("Damaged fragments never trap, and what is read goes into a description", arguments: 0..<200)
    func damage(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        var bytes = Array(Self.example.utf8)
        for _ in 0...Int(random.next() % 8) {
            let index = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 3 {
            case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: index)
            default: bytes.insert(contentsOf: bytes[..<min(index, 40)], at: index)
            }
        }
        let session = try SDPSession(parsing: Self.description)
        guard let fragment = try? TrickleFragment(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
        let restarted = session.restarted(with: fragment).description
        #expect(throws: Never.self, "seed \(seed)") { try SDPSession(parsing: restarted) }
    }
}
