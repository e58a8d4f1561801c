import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("H.264 payloads")
struct H264Tests {
    private let code: [UInt8] = [0, 0, 0, 1]
    private let sps = RandomFrames.h264SequenceParameterSet
    private let pps = RandomFrames.h264PictureParameterSet

    @Test("Small units share a STAP-A, whose header has the highest importance of them")
    func aggregate() throws {
        var packetizer = H264Packetizer()
        let frame = EncodedFrame(self.code + [0x06, 1, 2] + [0, 0, 1] + [0x41, 0x9A, 4] + self.code + [0x01, 0x42])
        let packets = try packetizer.packets(frame, maximum: 100)
        #expect(packets.map(\.payload) == [hex("58 0003 060102 0003 419a04 0002 0142")])
        #expect(packets[0].marker)
    }

    @Test("A large unit goes in FU-A, with its header in each")
    func fragments() throws {
        var packetizer = H264Packetizer()
        let packets = try packetizer.packets(EncodedFrame(self.code + [0x61, 0x9A, 2, 3, 4, 5, 6]), maximum: 4)
        #expect(packets.map(\.payload) == [hex("7c 81 9a02"), hex("7c 01 0304"), hex("7c 41 0506")])
    }

    @Test("Mode 0 sends one unit a packet and refuses what does not fit")
    func singleUnits() throws {
        var packetizer = H264Packetizer(mode: .singleNALUnit)
        let frame = EncodedFrame(self.code + [0x06, 1] + self.code + [0x41, 0x9A, 3])
        #expect(try packetizer.packets(frame, maximum: 3).map(\.payload) == [[0x06, 1], [0x41, 0x9A, 3]])
        #expect(throws: PacketizationError.indivisible(byteCount: 4)) {
            try packetizer.packets(EncodedFrame(self.code + [0x41, 1, 2, 3]), maximum: 3)
        }
    }

    @Test("An IDR picture without parameter sets gets those of an earlier frame, on both ways")
    func repeatedSets() throws {
        let idr: [UInt8] = [0x65, 0x88, 0x81, 9, 9]
        let whole = self.code + self.sps + self.code + self.pps + self.code + idr
        let delimiter: [UInt8] = self.code + [0x09, 0xF0]
        let completed = delimiter + whole
        var packetizer = H264Packetizer()
        _ = try packetizer.packets(EncodedFrame(whole), maximum: 1000)
        for maximum in [20, 30, 1000] {
            let packets = try packetizer.packets(EncodedFrame(delimiter + self.code + idr), maximum: maximum)
            var depacketizer = H264Depacketizer()
            let frame = try depacketizer.frame(packets).get()
            #expect(frame.bytes == completed && frame.isKeyFrame)
        }
        packetizer.repeatsParameterSets = false
        let bare = try packetizer.packets(EncodedFrame(delimiter + self.code + idr), maximum: 1000)
        var depacketizer = H264Depacketizer()
        #expect(depacketizer.frame(bare).error == .missingParameterSets)
        #expect(depacketizer.counters[.missingParameterSets] == 1)
        depacketizer.learnParameterSet(self.sps)
        #expect(depacketizer.frame(bare).error == .missingParameterSets)
        depacketizer.learnParameterSet(self.pps)
        #expect(depacketizer.frame(bare).bytes == completed)
    }

    @Test(
        "The interleaved mode's packets and reserved types are refused and counted",
        arguments: [
            "39 0001 0002 4141", "3a 0000 0003 00 0000 41", "3b 0000", "3d 81 0001 41", "00 41", "1e 41", "1f 41",
        ]
    )
    func unsupported(text: String) {
        var depacketizer = H264Depacketizer()
        #expect(depacketizer.frame(hex: [text]).error == .unsupportedPacket)
        #expect(depacketizer.counters[.unsupportedPacket] == 1)
        #expect(H264Depacketizer.descriptor(of: hex(text), marker: true) == nil)
    }

    @Test(
        "Aggregates whose sizes do not fit are refused",
        arguments: ["18", "18 00", "18 0000", "18 0002 41", "18 0001 41 0003 4141", "18 0001 18"]
    )
    func aggregates(text: String) {
        var depacketizer = H264Depacketizer()
        #expect(depacketizer.frame(hex: [text]).error == .invalidAggregate)
    }

    @Test("Fragments without beginning, end or middle are refused")
    func brokenFragments() {
        var depacketizer = H264Depacketizer()
        #expect(depacketizer.frame(hex: ["41 9a", "5c 01 11"]).error == .unexpectedFragment)
        #expect(depacketizer.frame(hex: ["5c 01 11", "5c 41 11"]).error == .missingStart)
        #expect(depacketizer.frame(hex: ["5c 81 9a", "5c 01 11"]).error == .unfinishedFragment)
        #expect(depacketizer.frame(hex: ["5c 81 9a", "41 9a"]).error == .unfinishedFragment)
        #expect(depacketizer.frame(hex: ["5c 81 9a", "5c 45 11"]).error == .unexpectedFragment)
        #expect(depacketizer.frame(hex: ["5c c1 9a"]).error == .malformedHeader)
        #expect(depacketizer.frame(hex: ["5c 81"]).error == .malformedHeader)
        #expect(depacketizer.frame(hex: ["5c 81 9a", "5c 41 11"]).bytes == self.code + [0x41, 0x9A, 0x11])
    }

    @Test("A packet tells whether it begins a frame and whether that is a key frame")
    func descriptors() {
        func read(_ text: String) -> RTPPayloadDescriptor? {
            H264Depacketizer.descriptor(of: hex(text), marker: false)
        }
        #expect(read("67 42001f")?.beginsFrame == true)
        #expect(read("67 42001f")?.isKeyFrame == true)
        #expect(read("09 f0")?.beginsFrame == true)
        #expect(read("41 9a")?.beginsFrame == .some(nil))
        #expect(read("41 42")?.beginsFrame == false)
        #expect(read("78 0002 0601 0002 6588")?.isKeyFrame == true)
        #expect(read("7c 85 88")?.isKeyFrame == true)
        #expect(read("7c 05 88")?.beginsFrame == false)
        #expect(read("7c 05 88")?.isKeyFrame == true)
        #expect(read("01 9a")?.isDiscardable == true)
        #expect(read("41 9a")?.isDiscardable == false)
    }

    @Test("What is no Annex B stream is the caller's error")
    func malformed() {
        var packetizer = H264Packetizer()
        #expect(throws: PacketizationError.malformedFrame) {
            try packetizer.packets(EncodedFrame([1, 2, 3]), maximum: 99)
        }
        #expect(throws: PacketizationError.malformedFrame) {
            try packetizer.packets(EncodedFrame([0, 0, 1]), maximum: 99)
        }
        #expect(throws: PacketizationError.unsupportedUnit(type: 24)) {
            try packetizer.packets(EncodedFrame([0, 0, 1, 0x18, 1]), maximum: 99)
        }
    }

    @Test("A sequence parameter set gives profile, level and size, cropped")
    func parameterSet() throws {
        let landscape = hex("67 7a001f bc d9 40 50 05 ba 10 00 00 03 00 c0 00 00 2a e0 f1 83 19 60")
        let set = try #require(H264SequenceParameterSet(nalUnit: landscape))
        #expect(set.profile == 122 && set.level == 31 && set.size == PictureSize(width: 1280, height: 720))
        var writer = BitWriter()
        for value in [0, 0, 2, 1] { writer.ue(value) }
        writer.put(0, 1)
        writer.ue(119)
        writer.ue(67)
        writer.put(0b111, 3)
        for value in [0, 0, 0, 4] { writer.ue(value) }
        writer.put(0, 1)
        let made = [0x67, 66, 0xC0, 40] + writer.bytes
        #expect(H264SequenceParameterSet(nalUnit: made)?.size == PictureSize(width: 1920, height: 1080))
        for count in 0..<8 {
            #expect(H264SequenceParameterSet(nalUnit: Array(landscape.prefix(count))) == nil)
        }
    }

    @Test("Units are found behind long and short start codes, without the zeros at their ends")
    func annexB() {
        func units(_ text: String) -> [[UInt8]] {
            let bytes = hex(text)
            var walk = AnnexB()
            var found: [[UInt8]] = []
            while let range = walk.next(in: bytes) { found.append(Array(bytes[range])) }
            return found
        }
        #expect(units("000001 41 00000001 42 43 000000 000001 44") == [[0x41], [0x42, 0x43], [0x44]])
        #expect(units("99 000001 41 0000") == [[0x41]])
        #expect(units("000001 000001 41") == [[0x41]])
        #expect(units("000001 41 0000 03 01") == [[0x41, 0, 0, 3, 1]])
        #expect(units("000001").isEmpty && units("").isEmpty && units("0000").isEmpty && units("4142").isEmpty)
        // Against a search byte by byte.
        for seed in UInt64(0)..<500 {
            var random = RandomSource.seeded(seed)
            let bytes = (0..<40).map { _ in UInt8.random(in: 0...2, using: &random) }
            let naive = (0..<38).first { bytes[$0] == 0 && bytes[$0 + 1] == 0 && bytes[$0 + 2] == 1 }
            #expect(bytes.withUnsafeBytes { AnnexB.startCode(in: $0, from: 0) } == naive, "seed \(seed)")
        }
    }
}
