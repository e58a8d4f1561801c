import RTCSDP
import Testing

@Suite("Candidates")
struct CandidateTests {
    @Test(
        "A candidate parses with and without its prefixes",
        arguments: ["", "candidate:", "a=candidate:"]
    )
    func prefixes(prefix: String) throws {
        let text =
            "842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx raddr 10.0.0.17 rport 0 generation 0 ufrag Ab"
        let candidate = try SDPCandidate(parsing: prefix + text)
        #expect(candidate.foundation == "842163049")
        #expect(candidate.component == 1)
        #expect(candidate.isUDP)
        #expect(candidate.priority == 1_677_729_535)
        #expect(candidate.address == "198.51.100.7")
        #expect(candidate.port == 46154)
        #expect(candidate.type == .srflx)
        #expect(candidate.relatedAddress == "10.0.0.17")
        #expect(candidate.relatedPort == 0)
        #expect(candidate.ufrag == "Ab")
        #expect(candidate.tcpType == nil)
        #expect(sameBytes(candidate.description, "candidate:" + text))
    }

    @Test(
        "Candidates of every kind keep their bytes",
        arguments: [
            "1 1 UDP 2114977791 127.0.0.1 59354 typ host",
            "1 1 udp 2113937151 9b1f7e5c-0a5c-4b5b-9d6f-5c1b7e1f.local 5703 typ host generation 0 network-cost 999",
            "2 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active",
            "2 1 tcp 1518214911 192.0.2.2 9 typ host tcptype passive generation 0",
            "3 2 udp 41885439 2001:db8::1 50000 typ relay raddr 2001:db8::2 rport 1 generation 0",
            "4 1 udp 1 10.0.0.1 1 typ prflx raddr 0.0.0.0 rport 0",
            "5 1 quic 4294967295 example.org 65535 typ futuristic x y",
            "68d39d0e5a3f4c59b17ad44b0eb7ba1a 256 udp 0 192.0.2.1 0 typ host",
        ]
    )
    func kinds(text: String) throws {
        #expect(sameBytes(try SDPCandidate(parsing: text).description, "candidate:" + text))
    }

    @Test("A candidate is built from values")
    func building() {
        var candidate = SDPCandidate(
            foundation: "1",
            component: 1,
            transport: "tcp",
            priority: 5,
            address: "192.0.2.1",
            port: 9,
            type: .relay,
            relatedAddress: "192.0.2.2",
            relatedPort: 10,
            tcpType: "so",
            extensions: [.init(name: "generation", value: "0")]
        )
        candidate.ufrag = "abcd"
        let text =
            "candidate:1 1 tcp 5 192.0.2.1 9 typ relay raddr 192.0.2.2 rport 10 tcptype so generation 0 ufrag abcd"
        #expect(sameBytes(candidate.description, text))
        candidate.generation = 1
        candidate.tcpType = nil
        #expect(candidate.extensions.map(\.value) == ["1", "abcd"])
    }

    @Test(
        "A malformed candidate is refused with its reason",
        arguments: [
            ("", "at least eight fields"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ", "at least eight fields"),
            ("candidate:123456789012345678901234567890123 1 udp 1 192.0.2.1 1 typ host", "foundation"),
            ("candidate:1 0 udp 1 192.0.2.1 1 typ host", "component"),
            ("candidate:1 257 udp 1 192.0.2.1 1 typ host", "component"),
            ("candidate:1 1 u/p 1 192.0.2.1 1 typ host", "transport"),
            ("candidate:1 1 udp 4294967296 192.0.2.1 1 typ host", "priority"),
            ("candidate:1 1 udp -1 192.0.2.1 1 typ host", "priority"),
            ("candidate:1 1 udp 1 192.0.2.1 65536 typ host", "port"),
            ("candidate:1 1 udp 1 192.0.2.1 +1 typ host", "port"),
            ("candidate:1 1 udp 1 192.0.2.1 1 type host", "'typ'"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr 192.0.2.2 rport x", "related port"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ host generation", "has no value"),
            ("candidate:1 1 udp 1 192.0.2.1 1 typ host\r\na=x", "line break"),
        ]
    )
    func malformed(text: String, reason: String) {
        let error = #expect(throws: SDPError.self) { try SDPCandidate(parsing: text) }
        #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
        #expect(error?.line == 1)
    }

    @Test("A candidate of unbounded length is refused")
    func long() {
        let text = "1 1 udp 1 192.0.2.1 1 typ host x " + String(repeating: "y", count: 5_000)
        #expect(throws: SDPError.self) { try SDPCandidate(parsing: text) }
    }
}
