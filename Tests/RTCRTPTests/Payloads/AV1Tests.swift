import RTCBase
import Testing

@testable import RTCRTP

@Suite("AV1 payloads")
struct AV1Tests {
    @Test("Size fields and delimiters are left out, and a key frame begins a sequence")
    func aggregate() throws {
        var packetizer = AV1Packetizer()
        let header = RandomFrames.av1SequenceHeader(width: 640, height: 480)
        let unit =
            RandomFrames.obu([0x10], []) + RandomFrames.obu([0x08], header) + RandomFrames.obu([0x30], [0x10, 5])
        let packets = try packetizer.packets(EncodedFrame(unit), maximum: 100)
        #expect(packets.map(\.payload) == [[0x28, UInt8(header.count + 1), 0x08] + header + [0x30, 0x10, 5]])
        var depacketizer = AV1Depacketizer()
        let frame = try depacketizer.frame(packets).get()
        #expect(frame.bytes == Array(unit[2...]) && frame.isKeyFrame)
    }

    @Test("A unit goes on in the next packets")
    func fragments() throws {
        var packetizer = AV1Packetizer()
        let unit = RandomFrames.obu([0x30], [0x30, 2, 3, 4, 5, 6, 7])
        let packets = try packetizer.packets(EncodedFrame(unit), maximum: 4)
        #expect(packets.map(\.payload) == [hex("50 30 30 02"), hex("d0 03 04 05"), hex("90 06 07")])
    }

    @Test("A packet in which every element has its length is read, and so are units with size fields")
    func allLengths() {
        var depacketizer = AV1Depacketizer()
        #expect(depacketizer.frame(hex: ["00 02 30 31 03 20 01 02"]).bytes == hex("32 01 31 22 02 01 02"))
        #expect(depacketizer.frame(hex: ["10 32 01 31"]).bytes == hex("32 01 31"))
    }

    @Test(
        "Broken packets are refused",
        arguments: [
            (["10"], DepacketizationError.emptyPayload),
            (["00 00 30"], .malformedHeader),
            (["00 05 30"], .malformedHeader),
            (["20 02 30 31"], .invalidAggregate),
            (["00 02 30 31 09 20"], .invalidAggregate),
            (["00 02 30 31 00"], .invalidAggregate),
            (["10 32 05 31"], .invalidAggregate),
            (["10 32 00 31"], .invalidAggregate),
            (["10 b0 31"], .invalidAggregate),
            (["98 30 31"], .malformedHeader),
            (["90 30 31"], .missingStart),
            (["10 30 31", "90 32"], .unexpectedFragment),
            (["50 30 31", "10 30 32"], .unfinishedFragment),
            (["50 30 31"], .unfinishedFragment),
            (["10 10"], .emptyPayload),
        ]
    )
    func broken(payloads: [String], error: DepacketizationError) {
        var depacketizer = AV1Depacketizer()
        #expect(depacketizer.frame(hex: payloads).error == error, "\(payloads)")
    }

    @Test("Units of different layers do not share a packet")
    func layers() throws {
        var packetizer = AV1Packetizer()
        let unit = RandomFrames.obu([0x34, 0x00], [0x30]) + RandomFrames.obu([0x34, 0x28], [0x30])
        let packets = try packetizer.packets(EncodedFrame(unit), maximum: 100)
        #expect(packets.count == 2)
        let second = AV1Depacketizer.descriptor(of: packets[1].payload, marker: true)
        #expect(second?.temporalID == 1 && second?.spatialID == 1)
    }

    @Test("A sequence header gives its size")
    func sequenceHeader() {
        let bytes = RandomFrames.av1SequenceHeader(width: 1280, height: 720)
        let header = AV1SequenceHeader(bytes)
        #expect(header?.maximumSize == PictureSize(width: 1280, height: 720) && header?.level == 5)
        #expect(AV1SequenceHeader(Array(bytes.prefix(6))) == nil)
    }

    @Test("A temporal unit that is broken or has nothing to send is the caller's error")
    func unsendable() {
        var packetizer = AV1Packetizer()
        #expect(throws: PacketizationError.malformedFrame) {
            try packetizer.packets(EncodedFrame([0x32, 9, 1]), maximum: 99)
        }
        #expect(throws: PacketizationError.malformedFrame) {
            try packetizer.packets(EncodedFrame([0xB2, 0]), maximum: 99)
        }
        #expect(throws: PacketizationError.emptyFrame) { try packetizer.packets(EncodedFrame([0x12, 0]), maximum: 99) }
    }
}
