import RTCBase
import Testing

@testable import RTCRTP

@Suite("H.265 payloads")
struct H265Tests {
    private let code: [UInt8] = [0, 0, 0, 1]

    @Test("Small units share an AP, whose header has the lowest layers of them")
    func aggregate() throws {
        var packetizer = H265Packetizer()
        let frame = EncodedFrame(self.code + hex("4e 0a 01") + self.code + hex("02 02 af"))
        #expect(try packetizer.packets(frame, maximum: 100).map(\.payload) == [hex("60 02 0003 4e0a01 0003 0202af")])
    }

    @Test("A large unit goes in FU")
    func fragments() throws {
        var packetizer = H265Packetizer()
        let packets = try packetizer.packets(EncodedFrame(self.code + hex("02 01 af 02 03 04")), maximum: 5)
        #expect(packets.map(\.payload) == [hex("62 01 81 af02"), hex("62 01 41 0304")])
    }

    @Test("What is behind a PACI header counts")
    func contentInformation() {
        var depacketizer = H265Depacketizer()
        // Type 50; A 0, cType 1, PHSsize 2, flags 0; two bytes of extension; the unit's rest.
        #expect(depacketizer.frame(hex: ["64 01 0220 7777 af 05"]).bytes == self.code + hex("02 01 af 05"))
        #expect(depacketizer.frame(hex: ["64 01 02f0 7777 af 05"]).error == .malformedHeader)
        #expect(depacketizer.frame(hex: ["64 01 6420 7777 af 05"]).error == .malformedHeader)
    }

    @Test(
        "Broken packets are refused",
        arguments: [
            ("60 01 0000", DepacketizationError.invalidAggregate),
            ("60 01 0001 02", .invalidAggregate),
            ("60 01 0005 0201af", .invalidAggregate),
            ("62 01 c1 af", .malformedHeader),
            ("62 01 81", .malformedHeader),
            ("62", .malformedHeader),
            ("66 01 af", .unsupportedPacket),
            ("62 01 01 af", .missingStart),
        ]
    )
    func broken(text: String, error: DepacketizationError) {
        var depacketizer = H265Depacketizer()
        #expect(depacketizer.frame(hex: [text]).error == error)
    }

    @Test("A picture to begin with gets video, sequence and picture parameter sets")
    func repeatedSets() throws {
        let slice = self.code + hex("26 01 af 11")
        let sets = RandomFrames.h265ParameterSets.flatMap { self.code + $0 }
        var packetizer = H265Packetizer()
        _ = try packetizer.packets(EncodedFrame(sets + slice), maximum: 1000)
        let packets = try packetizer.packets(EncodedFrame(slice), maximum: 1000)
        var depacketizer = H265Depacketizer()
        #expect(depacketizer.frame(packets).bytes == sets + slice)
        #expect(depacketizer.frame(hex: ["26 01 af 11"]).bytes == sets + slice)
        var other = H265Depacketizer()
        #expect(other.frame(hex: ["26 01 af 11"]).error == .missingParameterSets)
    }

    @Test("A packet tells its temporal layer and key frames")
    func descriptors() {
        let key = H265Depacketizer.descriptor(of: hex("26 01 af"), marker: true)
        #expect(key?.isKeyFrame == true && key?.temporalID == 0)
        let other = H265Depacketizer.descriptor(of: hex("00 03 af"), marker: true)
        #expect(other?.isKeyFrame == false && other?.temporalID == 2 && other?.isDiscardable == true)
    }

    @Test("A sequence parameter set gives profile, level and size")
    func parameterSet() throws {
        let unit = RandomFrames.h265ParameterSets[1]
        let set = try #require(H265SequenceParameterSet(nalUnit: unit))
        #expect(set.profile == 1 && set.level == 120 && set.size == PictureSize(width: 1920, height: 1080))
        for count in 0..<20 {
            #expect(H265SequenceParameterSet(nalUnit: Array(unit.prefix(count))) == nil)
        }
    }
}
