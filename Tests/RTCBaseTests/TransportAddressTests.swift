import RTCBase
import Testing

@Suite("Transport addresses")
struct TransportAddressTests {
    @Test("literals are read and written back", arguments: ["192.0.2.1", "2001:db8::1", "::1", "fe80::1"])
    func literals(text: String) throws {
        let address = try #require(TransportAddress(ip: text, port: 5000))
        #expect(address.ip == text)
        #expect(TransportAddress(address.socketAddress) == address)
        #expect(TransportAddress(ipBytes: address.ipBytes, port: 5000) == address)
    }

    @Test("what is no literal is refused", arguments: ["", "localhost", "192.0.2", "1.2.3.4.5", "fe80::1%eth0", "::g"])
    func refusals(text: String) {
        #expect(TransportAddress(ip: text, port: 1) == nil)
    }

    @Test("addresses are told apart by their kind")
    func kinds() throws {
        func address(_ text: String) throws -> TransportAddress { try #require(TransportAddress(ip: text, port: 0)) }
        #expect(try address("127.1.2.3").isLoopback)
        #expect(try address("::1").isLoopback)
        #expect(try address("169.254.3.4").isLinkLocal)
        #expect(try address("fe80::9").isLinkLocal)
        #expect(try !address("fec0::9").isLinkLocal)
        #expect(try address("10.0.0.1").isPrivate)
        #expect(try address("172.31.0.1").isPrivate)
        #expect(try !address("172.32.0.1").isPrivate)
        #expect(try address("100.64.0.1").isPrivate)
        #expect(try address("fd00::2").isPrivate)
        #expect(try address("224.0.0.251").isMulticast)
        #expect(try address("ff02::fb").isMulticast)
        #expect(try address("0.0.0.0").isUnspecified)
    }
}
