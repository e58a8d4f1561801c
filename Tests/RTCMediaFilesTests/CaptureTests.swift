import NIOCore
import RTCBase
import Testing

@testable import RTCMediaFiles

@Suite("Files of packets")
struct CaptureTests {
    @Test("rtpdump: what was written is read")
    func rtpDump() throws {
        let reader = try RTPDumpReader(FileInput(bytes: Samples.rtpDump()))
        #expect(reader.header == RTPDumpHeader(address: "192.0.2.1", port: 5004))
        let first = RTPDumpPacket(payload: ByteBuffer(bytes: [0x80, 0, 0, 1]), time: .zero, isRTCP: false)
        #expect(try reader.nextPacket() == first)
        let second = try reader.nextPacket()
        #expect(second?.isRTCP == true && second?.time == .milliseconds(15) && second?.payload.array == [0x80, 200])
        #expect(try reader.nextPacket() == nil)
        try reader.rewind()
        #expect(try reader.nextPacket() == first)
    }

    @Test("rtpdump: broken files are refused")
    func brokenDump() throws {
        #expect(throws: MediaFileError.self) { try RTPDumpReader(FileInput(Array("#!rtpplay2.0 1.2.3.4/5\n".utf8))) }
        #expect(throws: MediaFileError.self) { try RTPDumpReader(FileInput(Array("#!rtpplay1.0 1.2.3.4\n".utf8))) }
        #expect(throws: MediaFileError.self) {
            try RTPDumpReader(FileInput(Array("#!rtpplay1.0 1.2.3.4/5\nshort".utf8)))
        }
        var bytes = try Samples.rtpDump().array
        bytes[bytes.count - 9] = 7
        let reader = try RTPDumpReader(FileInput(bytes))
        _ = try reader.nextPacket()
        #expect { try reader.nextPacket() } throws: { ($0 as? MediaFileError)?.code == .malformed }
        #expect(throws: MediaFileError.self) { try RTPDumpWriter(FileOutput(), header: RTPDumpHeader(address: "::1")) }
        let writer = try RTPDumpWriter(FileOutput())
        #expect(throws: MediaFileError.self) {
            try writer.write(RTPDumpPacket(payload: ByteBuffer(), time: .zero, isRTCP: true))
        }
    }

    @Test("rtpdump: a beginning more than a second behind its second is refused")
    func startTime() throws {
        var bytes = try Samples.rtpDump().array
        let line = try #require(bytes.firstIndex(of: 0x0A))
        bytes.replaceSubrange(line + 5..<line + 9, with: [0, 0x0F, 0x42, 0x40])
        #expect { try RTPDumpReader(FileInput(bytes)) } throws: { ($0 as? MediaFileError)?.code == .malformed }
        bytes[line + 8] = 0x3F
        #expect(try RTPDumpReader(FileInput(bytes)).header.startTime == .microseconds(999_999))
    }

    @Test("pcap: headers, times and checksums are right", arguments: ["192.0.2.1", "2001:db8::1"])
    func pcap(address: String) throws {
        let output = FileOutput()
        let writer = try PcapWriter(output)
        let source = try #require(TransportAddress(ip: address, port: 1000))
        let time = Duration.seconds(1_700_000_000) + .nanoseconds(5)
        try writer.write(ByteBuffer(bytes: [1, 2, 3]), from: source, to: source.withPort(2000), time: time)
        try writer.close()
        var bytes = output.bytes
        bytes.moveReaderIndex(forwardBy: 24)
        #expect(bytes.readInteger(endianness: .little, as: UInt32.self) == 1_700_000_000)
        #expect(bytes.readInteger(endianness: .little, as: UInt32.self) == 5)
        let header = source.family == .ipv4 ? 20 : 40
        #expect(bytes.readInteger(endianness: .little, as: UInt32.self) == UInt32(header + 11))
        bytes.moveReaderIndex(forwardBy: 4)
        let packet = bytes.array
        #expect(packet.count == header + 11 && packet[header...].prefix(6) == [0x03, 0xE8, 0x07, 0xD0, 0, 11])
        if source.family == .ipv4 { #expect(self.sum(Array(packet[..<20])) == 0xFFFF) }
        let addresses = Array(packet[(header - (header == 20 ? 8 : 32))..<header])
        #expect(self.sum(addresses + [0, 17, 0, 11] + packet[header...]) == 0xFFFF)
    }

    @Test("pcap: what cannot be written is refused")
    func refused() throws {
        let writer = try PcapWriter(FileOutput())
        let v4 = TransportAddress(ipv4: 1, port: 1)
        let v6 = TransportAddress(ipv6High: 1, low: 1, port: 1)
        #expect(throws: MediaFileError.self) { try writer.write(ByteBuffer(), from: v4, to: v6, time: .zero) }
        #expect(throws: MediaFileError.self) { try writer.write(ByteBuffer(), from: v4, to: v4, time: .seconds(-1)) }
        let large = ByteBuffer(repeating: 0, count: 65_508)
        #expect(throws: MediaFileError.self) { try writer.write(large, from: v4, to: v4, time: .zero) }
    }

    private func sum(_ bytes: [UInt8]) -> Int {
        var sum = 0
        for (index, byte) in bytes.enumerated() { sum += index % 2 == 0 ? Int(byte) << 8 : Int(byte) }
        while sum > 0xFFFF { sum = sum >> 16 + sum & 0xFFFF }
        return sum
    }
}
