import NIOSSL
import RTCTLS
import TestCertificates
import Testing

/// Which names in certificates stand for which hosts.
@Suite struct ServerIdentityTests {
    private static func matches(_ host: String, _ name: String) -> Bool {
        ServerIdentity(host: host).matches(name: Array(name.utf8))
    }

    @Test(
        "A name stands for itself, whatever the case",
        arguments: [
            ("broker.example", "broker.example"), ("Broker.Example", "broker.EXAMPLE"),
            ("broker.example.", "broker.example"),
            ("localhost", "localhost"), ("_stun.broker.example", "_stun.broker.example"),
            ("xn--bcher-kva.example", "XN--bcher-kva.example"), ("a-1.b-2.example", "a-1.b-2.example"),
        ]
    )
    func same(host: String, name: String) { #expect(Self.matches(host, name)) }

    @Test(
        "A wildcard stands for one whole first label",
        arguments: [
            ("broker.example", "*.example"), ("a.broker.example", "*.broker.example"),
            ("A.Broker.Example", "*.bROKER.example"),
            ("xn--bcher-kva.example.com", "*.example.com"), ("a.broker.example.", "*.broker.example"),
        ]
    )
    func wildcard(host: String, name: String) { #expect(Self.matches(host, name)) }

    @Test(
        "Nothing else stands for a name",
        arguments: [
            ("broker.example", "other.example"), ("broker.example", "example"), ("broker.example", "a.broker.example"),
            ("example", "broker.example"), ("broker.example", "broker.example.com"), ("broker.example", ""),
            ("broker.example", "broker.example."), ("broker.example", ".broker.example"),
            ("broker.example", "broker..example"),
            ("broker.example", "broker.example\0.other.example"), ("broker.example", " broker.example"),
            ("broker.example", "brokér.example"), ("broker.example", "127.0.0.1"), ("broker.example", "broker example"),
            // Wildcards elsewhere, or of more or less than one label.
            ("broker.example", "*"), ("broker.example", "*."), ("broker.example", "*.*"),
            ("broker.example", "b*.example"),
            ("broker.example", "*r.example"), ("broker.example", "**.example"), ("broker.example", "broker.*"),
            ("broker.example", "*.broker.example"), ("a.broker.example", "*.example"),
            ("a.broker.example", "a.*.example"),
            ("a.broker.example", "*.*.example"), ("broker.example", "*.com"), (".example", "*.example"),
            ("localhost", "*"), ("*.example", "a.example"),
        ]
    )
    func different(host: String, name: String) { #expect(!Self.matches(host, name)) }

    @Test(
        "What is no name has no certificate",
        arguments: ["", ".", "..", "a..b", ".a", "a b", "a/b", "bücher.example", "*.example", "a\0b", "::1%lo"]
    )
    func impossible(host: String) {
        let identity = ServerIdentity(host: host)
        #expect(!identity.isAddress)
        for name in [host, "", "*", "*.example", "a.b"] {
            #expect(!identity.matches(name: Array(name.utf8)), "\(name)")
        }
        #expect(!identity.matches(address: []))
        #expect(!identity.matches(address: Array(host.utf8)))
    }

    @Test("Labels and names have the lengths that DNS allows")
    func lengths() {
        let label = String(repeating: "a", count: 63)
        #expect(Self.matches(label + ".example", label + ".example"))
        #expect(!Self.matches(label + "a.example", label + "a.example"))
        #expect(!Self.matches(label + "a.example", "*.example"))
        let longest = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        #expect(Self.matches(longest, longest))
        #expect(!Self.matches(longest + "b", longest + "b"))
    }

    @Test("An address is its bytes and no name, and a name is no address")
    func addresses() {
        let ipv4 = ServerIdentity(host: "192.0.2.1")
        #expect(ipv4.isAddress)
        #expect(ipv4.matches(address: [192, 0, 2, 1]))
        for other in [[192, 0, 2, 2], [192, 0, 2], [192, 0, 2, 1, 0], [], Array("192.0.2.1".utf8)] as [[UInt8]] {
            #expect(!ipv4.matches(address: other))
        }
        for name in ["192.0.2.1", "*.0.2.1", "*", ""] { #expect(!ipv4.matches(name: Array(name.utf8))) }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1]
        #expect(!ipv4.matches(address: mapped))
        let ipv6 = ServerIdentity(host: "2001:DB8::1")
        #expect(ipv6.matches(address: [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]))
        #expect(!ipv6.matches(address: [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]))
        #expect(!ServerIdentity(host: "broker.example").matches(address: [127, 0, 0, 1]))
    }

    @Test("Of a certificate only the alternative names count")
    func certificates() throws {
        func matches(_ host: String, _ certificate: String) throws -> Bool {
            let certificate = try #require(try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).first)
            return ServerIdentity(host: host).matches(certificate)
        }
        #expect(try matches("localhost", TestCertificates.server))
        #expect(try matches("127.0.0.1", TestCertificates.server))
        #expect(try !matches("broker.example", TestCertificates.server))
        #expect(try matches("127.0.0.1", TestCertificates.addressOnly))
        #expect(try !matches("localhost", TestCertificates.addressOnly))
        #expect(try !matches("localhost", TestCertificates.subjectOnly))
    }
}
