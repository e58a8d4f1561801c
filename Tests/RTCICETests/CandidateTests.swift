import NIOCore
import RTCBase
import RTCICE
import Testing

@Suite struct CandidateTests {
    @Test(
        "Candidates as peers write them are read and written back",
        arguments: [
            "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host",
            "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.17 rport 46154",
            "candidate:a+/Z 1 udp 100 2001:db8::1 9 typ relay raddr 2001:db8::2 rport 0 ufrag abcd",
            "candidate:0 1 udp 2122252543 5c7a0b0e-5c8e-4a0d-8f5b-2c7b8f7d2c11.local 50000 typ host",
            "candidate:3 2 tcp 2105524479 192.0.2.1 9 typ host tcptype active",
            "candidate:3 1 ssltcp 2105524479 192.0.2.1 443 typ host",
        ]
    )
    func roundTrip(text: String) throws {
        let candidate = try #require(ICECandidate(parsing: text))
        #expect(candidate.sdpAttributeValue == text)
    }

    @Test("Extensions, case and a leading a= are tolerated")
    func tolerance() throws {
        let text =
            "a=Candidate:1 1 UDP 2122260223 192.0.2.1 54321 TYP HOST generation 0 ufrag uQw9 network-cost 10\r\n"
        let candidate = try #require(ICECandidate(parsing: text))
        #expect(candidate.transport == .udp)
        #expect(candidate.type == .host)
        #expect(candidate.usernameFragment == "uQw9")
        #expect(candidate.transportAddress == address("192.0.2.1", 54321))
    }

    @Test(
        "Broken candidates are no candidates",
        arguments: [
            "",
            "candidate:",
            "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ",
            "candidate:1 1 udp 2122260223 192.0.2.1 54321 host typ",
            "candidate:1 1 udp 2122260223 192.0.2.1 65536 typ host",
            "candidate:1 1 udp 2122260223 192.0.2.1 -1 typ host",
            "candidate:1 0 udp 2122260223 192.0.2.1 1 typ host",
            "candidate:1 257 udp 2122260223 192.0.2.1 1 typ host",
            "candidate:1 1 udp 4294967296 192.0.2.1 1 typ host",
            "candidate:1 1 udp 1 192.0.2.256 1 typ host",
            "candidate:1 1 udp 1 a_b!.local 1 typ host",
            "candidate:1 1 udp 1 fe80::1%eth0 1 typ host",
            "candidate:1 1 udp 1 192.0.2.1 1 typ magic",
            "candidate:123456789012345678901234567890123 1 udp 1 192.0.2.1 1 typ host",
            "candidate:\u{E4} 1 udp 1 192.0.2.1 1 typ host",
            "candidate:1 1 udp 1 192.0.2.1 1 typ host" + String(repeating: " x", count: 1_000),
        ]
    )
    func broken(text: String) {
        #expect(ICECandidate(parsing: text) == nil)
    }

    @Test("Priorities are those of RFC 8445")
    func priorities() {
        #expect(ICECandidate.priority(type: .host, localPreference: 65535) == 2_130_706_431)
        #expect(ICECandidate.priority(type: .serverReflexive, localPreference: 65535) == 1_694_498_815)
        #expect(ICECandidate.priority(type: .relayed, localPreference: 0, component: 2) == 254)
        #expect(ICECandidatePair.priority(controlling: 2, controlled: 1) == (1 << 32) + 4 + 1)
        #expect(ICECandidatePair.priority(controlling: 1, controlled: 2) == (1 << 32) + 4)
        #expect(ICECandidatePair.priority(controlling: .max, controlled: .max) == UInt64(Int64.max) - 1)
    }

    @Test("Credentials never show their password and know what is well-formed")
    func credentials() {
        var random = RandomSource.seeded(1)
        let credentials = ICECredentials.random(using: &random, ufragPrefix: "s7")
        #expect(credentials.ufrag.hasPrefix("s7"))
        #expect(credentials.isWellFormed)
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), dumped, "\([credentials])"] {
            #expect(!text.contains(credentials.password))
        }
        #expect(!ICECredentials(ufrag: "abc", password: credentials.password).isWellFormed)
        #expect(!ICECredentials(ufrag: "abcd", password: "short").isWellFormed)
        #expect(!ICECredentials(ufrag: "ab:d", password: credentials.password).isWellFormed)
    }
}
