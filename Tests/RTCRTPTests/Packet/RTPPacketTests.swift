import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("RTP packets of one's own")
struct RTPPacketTests {
    static let map = HeaderExtensionMap([.mid: 1, .audioLevel: 2, .absoluteCaptureTime: 20])

    @Test("fields are changed in the bytes")
    func fields() throws {
        var packet = try #require(RTPPacket(ByteBuffer(bytes: RTPPacketViewTests.full)))
        packet.marker = false
        packet.payloadType = PayloadType(lowBitsOf: 100)
        packet.sequenceNumber = 1
        packet.timestamp = 2
        packet.ssrc = SSRC(3)
        let again = try #require(RTPPacket(packet.buffer))
        #expect(again.header == packet.header)
        #expect(again.header.sequenceNumber == 1)
        #expect(again.header.timestamp == 2)
        #expect(again.header.ssrc == SSRC(3))
        #expect(again.header.payloadType.rawValue == 100)
        #expect(!again.marker)
        packet.header = .sample
        #expect(Wire.bytes(packet.buffer) == RTPPacketViewTests.full)
        packet.payloadType = PayloadType(lowBitsOf: 72)
        #expect(packet.payloadType.rawValue == 96)
    }

    @Test("changing a copy leaves the other packet alone")
    func copies() throws {
        let packet = try #require(RTPPacket(ByteBuffer(bytes: RTPPacketViewTests.full)))
        var copy = packet
        copy.sequenceNumber = 9
        #expect(packet != copy)
        #expect(Wire.bytes(packet.buffer) == RTPPacketViewTests.full)
    }

    @Test("payload, sources and padding are exchanged without touching the rest")
    func contents() throws {
        var packet = try #require(RTPPacket(ByteBuffer(bytes: RTPPacketViewTests.full)))
        #expect(packet.payload == ByteBuffer(bytes: [1, 2, 3, 4, 5]))
        #expect(packet.contributingSources == [SSRC(1), SSRC(2)])
        packet.setPayload(ByteBuffer(bytes: [9, 9]))
        #expect(packet.view.paddingSize == 0)
        try packet.setPadding(200)
        #expect(packet.view.paddingSize == 200)
        try packet.setContributingSources([SSRC(7)])
        #expect(packet.contributingSources == [SSRC(7)])
        #expect(packet.payload == ByteBuffer(bytes: [9, 9]))
        #expect(packet.extensionIDs == [1, 3])
        #expect(packet.header == .sample)
        try packet.setPadding(0)
        #expect(packet.size == RTPHeader.fixedSize + 4 + 12 + 2)
        #expect(throws: RTPPacketError.invalidPadding) { try packet.setPadding(256) }
        let sources = [SSRC](repeating: SSRC(1), count: 16)
        #expect(throws: RTPPacketError.tooManyContributingSources) { try packet.setContributingSources(sources) }
    }

    @Test("elements of the extension are added, replaced and removed")
    func extensions() throws {
        var packet = try RTPPacket(header: .sample, payload: ByteBuffer(string: "payload"))
        #expect(packet.extensionIDs.isEmpty)
        packet.setExtension(MIDExtension("video"), map: Self.map)
        packet.setExtension(AudioLevel(level: 30, hasVoiceActivity: true), map: Self.map)
        packet.setExtension(RIDExtension("hi"), map: Self.map)
        #expect(packet.extensionIDs == [1, 2])
        #expect(packet.view.extensionForm == .oneByte)
        packet.setExtension(MIDExtension("x"), map: Self.map)
        #expect(packet.value(MIDExtension.self, map: Self.map)?.name == "x")
        let time = AbsoluteCaptureTime(captureTime: NTPTimestamp(rawValue: 5), captureClockOffset: -1)
        packet.setExtension(time, map: Self.map)
        #expect(packet.view.extensionForm == .twoByte)
        #expect(packet.value(AbsoluteCaptureTime.self, map: Self.map) == time)
        #expect(packet.value(AudioLevel.self, map: Self.map)?.level == 30)
        packet.removeExtension(id: 20)
        #expect(packet.view.extensionForm == .oneByte)
        try packet.setExtension(id: 5, [1, 2])
        #expect(packet.extensionBytes(id: 5) == ByteBuffer(bytes: [1, 2]))
        packet.removeExtension(id: 1)
        packet.removeExtension(id: 2)
        packet.removeExtension(id: 5)
        #expect(packet.view.extensionProfile == nil)
        #expect(packet.payload == ByteBuffer(string: "payload"))
        #expect(throws: RTPPacketError.invalidExtension) { try packet.setExtension(id: 0, [1]) }
        let long = [UInt8](repeating: 0, count: 256)
        #expect(throws: RTPPacketError.invalidExtension) { try packet.setExtension(id: 1, long) }
    }

    @Test("a payload type of RTCP's is refused")
    func reservedPayloadType() {
        var header = RTPHeader.sample
        header.payloadType = PayloadType(lowBitsOf: 72)
        #expect(throws: RTPPacketError.reservedPayloadType) { try RTPPacket(header: header, payload: ByteBuffer()) }
    }

    @Test("a buffer whose reader index is not 0 is read from there")
    func readerIndex() throws {
        var buffer = ByteBuffer(bytes: [1, 2, 3] + RTPPacketViewTests.full)
        buffer.moveReaderIndex(forwardBy: 3)
        var packet = try #require(RTPPacket(buffer))
        packet.sequenceNumber = 5
        #expect(packet.payload == ByteBuffer(bytes: [1, 2, 3, 4, 5]))
        #expect(packet.extensionBytes(id: 1) == ByteBuffer(bytes: [0xAA]))
        try packet.setPadding(4)
        #expect(packet.view.paddingSize == 4)
        #expect(packet.payload == ByteBuffer(bytes: [1, 2, 3, 4, 5]))
    }
}
