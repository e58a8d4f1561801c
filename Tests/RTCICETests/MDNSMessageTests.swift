import NIOCore
import RTCBase
import RTCICE
import Testing

@Suite struct MDNSMessageTests {
    private let name = "5c7a0b0e-5c8e-4a0d-8f5b-2c7b8f7d2c11.local"

    private func answers(_ bytes: [UInt8]) -> [MDNSMessage.Answer] {
        MDNSMessage.answers(in: bytes.span.bytes)
    }

    /// A response: header, then raw records.
    private func response(answers count: UInt16, flags: UInt16 = 0x8400, _ body: [UInt8]) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(UInt16(0), flags, UInt16(0), count, UInt16(0), UInt16(0))
        return Array(buffer.readableBytesView) + body
    }

    private func encoded(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private let ipv4Record: [UInt8] = [0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 192, 0, 2, 1]

    @Test("A query asks for both kinds of address and a unicast answer")
    func query() throws {
        let bytes = Array(try #require(MDNSMessage.query(for: self.name)).readableBytesView)
        #expect(Array(bytes.prefix(12)) == [0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0])
        #expect(
            Array(bytes.dropFirst(12)) == self.encoded(self.name) + [0, 1, 0x80, 1] + self.encoded(self.name) + [
                0, 28, 0x80, 1,
            ]
        )
        #expect(self.answers(bytes).isEmpty)
    }

    @Test(
        "Names that cannot stand in DNS are not asked for",
        arguments: [
            "", ".", "a..local", String(repeating: "a", count: 64) + ".local",
            Array(repeating: "abcdefghi", count: 26).joined(separator: "."),
        ]
    )
    func badNames(name: String) {
        #expect(MDNSMessage.query(for: name) == nil)
    }

    @Test("Answers are read, compressed names among them, other records skipped")
    func response() {
        let first = self.encoded("Host.LOCAL") + self.ipv4Record
        let text: [UInt8] = [0xC0, 12, 0, 16, 0x80, 1, 0, 0, 0, 1, 0, 2, 1, 65]
        let second: [UInt8] =
            [0xC0, 12, 0, 28, 0, 1, 0, 0, 0, 0, 0, 16, 0x20, 1, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [7]
        let read = self.answers(self.response(answers: 3, first + text + second))
        #expect(read.map(\.name) == ["host.local", "host.local"])
        #expect(read.map(\.address) == [address("192.0.2.1", 0), address("2001:db8::7", 0)])
        #expect(read.map(\.timeToLive) == [120, 0])
    }

    @Test(
        "Broken responses yield what came before the break",
        arguments: [
            ("no header", [UInt8](), 0),
            ("a pointer to itself", [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4], 0),
            ("a pointer forward", [0xC0, 40, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4], 0),
            ("a reserved label", [0x80, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4], 0),
            ("a label cut short", [5, 65], 0),
            ("a record cut short", [1, 65, 0, 0, 1, 0, 1, 0, 0], 0),
            ("a value cut short", [1, 65, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 1, 2], 0),
            ("an address of three bytes", [1, 65, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 3, 1, 2, 3], 0),
            ("a second record cut short", [1, 65, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4, 1], 1),
        ]
    )
    func broken(name: String, body: [UInt8], count: Int) {
        #expect(self.answers(self.response(answers: 9, body)).count == count, "\(name)")
    }

    @Test("A simple resolver gets its question back, and an address for ten seconds")
    func simpleResolver() throws {
        let address = TransportAddress(ipv4: 0xC000_0201, port: 0)
        let simple = try #require(MDNSMessage.response(name: "host.local", address: address, simpleID: 7))
        let bytes = Array(simple.readableBytesView)
        // ID, flags, one question, one answer.
        #expect(bytes.prefix(8) == [0, 7, 0x84, 0, 0, 1, 0, 1])
        #expect(self.answers(bytes).map(\.timeToLive) == [10])
        #expect(self.answers(bytes).map(\.address) == [address])
        // Type A, class IN without the bit that flushes caches, after each name.
        #expect(bytes[(12 + 12)...].starts(with: [0, 1, 0, 1]) && bytes[(28 + 12)...].starts(with: [0, 1, 0, 1]))
        let multicast = try #require(MDNSMessage.response(name: "host.local", address: address))
        #expect(self.answers(Array(multicast.readableBytesView)).map(\.timeToLive) == [120])
    }

    @Test("Queries and errors are no answers")
    func flags() {
        let record = self.encoded("a.local") + self.ipv4Record
        #expect(self.answers(self.response(answers: 1, record)).count == 1)
        #expect(self.answers(self.response(answers: 1, flags: 0, record)).isEmpty)
        #expect(self.answers(self.response(answers: 1, flags: 0x8403, record)).isEmpty)
    }

    @Test("Hostile bytes never trap and never loop", arguments: 0..<5)
    func fuzz(seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        for _ in 0..<5_000 {
            var bytes = random.bytes(count: Int(random.next() % 200))
            if bytes.count > 12 {
                bytes[2] = 0x84
                bytes[3] = 0
            }
            for index in bytes.indices where random.next() % 4 == 0 { bytes[index] = 0xC0 }
            #expect(self.answers(bytes).count <= 64)
        }
    }
}
