import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("Frames to packets and back")
struct RoundTripTests {
    static let sizes = [20, 21, 23, 32, 57, 128, 500, 1100, 1200, 9000]
    static let pictures: [PayloadFormat] = [.vp8, .vp9, .h264, .h265, .av1]

    @Test("Every frame comes out as it went in, at every size", arguments: Self.pictures)
    func roundTrips(format: PayloadFormat) throws {
        for maximum in Self.sizes {
            for seed in UInt64(0)..<12 {
                var random = RandomSource.seeded(seed)
                var packetizer = format.makePacketizer(PacketizerOptions(firstPictureID: 0x7FFE))
                var depacketizer = format.makeDepacketizer()
                for isKeyFrame in [true, false, false, true] {
                    let frame = RandomFrames.frame(format, isKeyFrame: isKeyFrame, &random)
                    let packets = try packetizer.packets(frame, maximum: maximum)
                    let result = depacketizer.frame(packets)
                    #expect(try result.get() == frame, "\(format) seed \(seed), \(maximum) bytes")
                    #expect(packets.map(\.marker) == packets.indices.map { $0 == packets.count - 1 })
                    #expect(packets.map(\.beginsFrame) == packets.indices.map { $0 == 0 })
                    self.checkDescriptors(packets, of: format, isKeyFrame: isKeyFrame)
                }
                #expect(depacketizer.counters.frames == 4)
                #expect(depacketizer.counters.allFailures == 0)
            }
        }
    }

    private func checkDescriptors(_ packets: [TestPacket], of format: PayloadFormat, isKeyFrame: Bool) {
        for (index, packet) in packets.enumerated() {
            guard let descriptor = format.descriptor(of: packet.payload, marker: packet.marker) else {
                Issue.record("no descriptor: \(format) \(packet)")
                continue
            }
            #expect(descriptor.beginsFrame ?? (index == 0) == (index == 0) || descriptor.beginsFrame == nil)
            #expect(descriptor.endsFrame == packet.marker)
            if !isKeyFrame { #expect(!descriptor.isKeyFrame) }
            if isKeyFrame && index == 0 { #expect(descriptor.isKeyFrame) }
        }
    }

    @Test("No frame with a missing packet comes out", arguments: Self.pictures)
    func losses(format: PayloadFormat) throws {
        for seed in UInt64(100)..<160 {
            var random = RandomSource.seeded(seed)
            let maximum = Int.random(in: 20..<700, using: &random)
            var packetizer = format.makePacketizer()
            var depacketizer = format.makeDepacketizer()
            let frame = RandomFrames.frame(format, isKeyFrame: seed % 2 == 0, &random)
            let packets = try packetizer.packets(frame, maximum: maximum)
            for index in packets.indices {
                var lossy = packets
                lossy.remove(at: index)
                let result = depacketizer.frame(lossy, isStartKnown: index != 0)
                #expect(result.error != nil, "\(format) seed \(seed), \(maximum) bytes, without \(index)")
            }
            #expect(depacketizer.counters.frames == 0)
            // What failed leaves nothing behind.
            #expect(try depacketizer.frame(packets).get() == frame)
        }
    }

    @Test("Packets in the wrong order or twice give no frame", arguments: Self.pictures)
    func order(format: PayloadFormat) throws {
        var random = RandomSource.seeded(7)
        var packetizer = format.makePacketizer()
        var depacketizer = format.makeDepacketizer()
        var frame = RandomFrames.frame(format, isKeyFrame: true, &random)
        while frame.payload.readableBytes < 500 { frame = RandomFrames.frame(format, isKeyFrame: true, &random) }
        let packets = try packetizer.packets(frame, maximum: 60)
        var swapped = packets
        swapped.swapAt(1, 2)
        #expect(depacketizer.frame(swapped).error == .missingPacket)
        #expect(depacketizer.frame([packets[0]] + packets).error == .missingPacket)
        #expect(depacketizer.counters[.missingPacket] == 2)
    }

    @Test("Changed bytes never trap, and what comes out is within the limits", arguments: PayloadFormat.allCases)
    func mutations(format: PayloadFormat) throws {
        let limits = DepacketizerLimits(frameSize: 2000, packets: 60)
        for seed in UInt64(0)..<400 {
            var random = RandomSource.seeded(seed)
            var packetizer = format.makePacketizer()
            var depacketizer = format.makeDepacketizer(limits: limits)
            let frame =
                format == .opus
                ? EncodedFrame([0xF8] + RandomFrames.bytes(60, &random))
                : RandomFrames.frame(format, isKeyFrame: Bool.random(using: &random), &random)
            var packets = try packetizer.packets(frame, maximum: format.kind == .audio ? 5000 : 100)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: packets.indices, using: &random)
                guard !packets[index].payload.isEmpty else { continue }
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    packets[index].payload.removeLast(Int.random(in: 1...packets[index].payload.count, using: &random))
                case 1: packets[index].marker.toggle()
                default:
                    let end = min(8, packets[index].payload.count)
                    packets[index].payload[Int.random(in: 0..<end, using: &random)] ^= 1 << (random.next() & 7)
                }
            }
            for packet in packets { _ = format.descriptor(of: packet.payload, marker: packet.marker) }
            if case .success(let frame) = depacketizer.frame(packets, isStartKnown: Bool.random(using: &random)) {
                // Sets that an H.264 frame lacked may be put in front of it.
                #expect(frame.payload.readableBytes <= 2000, "\(format) seed \(seed)")
            }
        }
    }

    @Test("Payloads of noise never trap", arguments: PayloadFormat.allCases)
    func noise(format: PayloadFormat) {
        for seed in UInt64(0)..<2000 {
            var random = RandomSource.seeded(seed)
            var depacketizer = format.makeDepacketizer()
            let packets = (0..<3).map { index in
                TestPacket(
                    payload: random.bytes(count: Int.random(in: 0..<24, using: &random)),
                    marker: index == 2,
                    sequenceNumber: UInt16(index)
                )
            }
            for packet in packets { _ = format.descriptor(of: packet.payload, marker: false) }
            _ = depacketizer.frame(packets)
            for packet in packets {
                let span = packet.payload
                _ = H264SequenceParameterSet(nalUnit: span)
                _ = H265SequenceParameterSet(nalUnit: span)
                _ = AV1SequenceHeader(span)
                _ = VP8FrameHeader(span)
                _ = VP9FrameHeader(span)
            }
        }
    }

    @Test("Frames larger and of more packets than the limits are refused", arguments: Self.pictures)
    func limits(format: PayloadFormat) throws {
        var random = RandomSource.seeded(3)
        var frame = RandomFrames.frame(format, isKeyFrame: true, &random)
        while frame.payload.readableBytes < 1000 { frame = RandomFrames.frame(format, isKeyFrame: true, &random) }
        var packetizer = format.makePacketizer()
        let packets = try packetizer.packets(frame, maximum: 100)
        var small = format.makeDepacketizer(limits: DepacketizerLimits(frameSize: 700))
        #expect(small.frame(packets).error == .frameTooLarge)
        var few = format.makeDepacketizer(limits: DepacketizerLimits(packets: 4))
        #expect(few.frame(packets).error == .tooManyPackets)
        #expect(few.counters[.tooManyPackets] == 1)
    }

    @Test("No packets and empty payloads give no frame", arguments: PayloadFormat.allCases)
    func nothing(format: PayloadFormat) {
        var depacketizer = format.makeDepacketizer()
        #expect(depacketizer.frame([]).error == .noPackets)
        #expect(depacketizer.frame([TestPacket(payload: [], marker: true)]).error != nil)
        #expect(format.descriptor(of: [UInt8](), marker: true) == nil)
    }

    @Test("What cannot be sent is an error, and nothing is emitted", arguments: PayloadFormat.allCases)
    func unsendable(format: PayloadFormat) throws {
        var packetizer = format.makePacketizer()
        #expect(throws: PacketizationError.emptyFrame) { try packetizer.packets(EncodedFrame([]), maximum: 1200) }
        var random = RandomSource.seeded(1)
        let frame = RandomFrames.frame(format, isKeyFrame: true, &random)
        for maximum in [-1, 0, 1] where format.kind == .video || maximum < 1 {
            #expect(throws: PacketizationError.self) { try packetizer.packets(frame, maximum: maximum) }
        }
        guard format.kind == .video else { return }
        let huge = RandomFrames.bytes(200_000, &random)
        let large: [UInt8] =
            switch format {
            case .h264: [0, 0, 0, 1, 0x41] + huge
            case .h265: [0, 0, 0, 1, 0x02, 0x01] + huge
            case .av1: RandomFrames.obu([0x30], huge)
            default: huge
            }
        #expect(throws: PacketizationError.self) { try packetizer.packets(EncodedFrame(large), maximum: 5) }
    }

    @Test("Payloads of one frame share one storage: none is allocated for each packet", arguments: Self.pictures)
    func storage(format: PayloadFormat) throws {
        var random = RandomSource.seeded(11)
        var packetizer = format.makePacketizer()
        var storages: Set<UnsafeRawPointer> = []
        for isKeyFrame in [true, false, false] {
            let frame = RandomFrames.frame(format, isKeyFrame: isKeyFrame, &random)
            _ = try packetizer.packets(frame, maximum: 20)
            storages.removeAll()
            try packetizer.packetize(frame, maximumPayloadSize: 20) { payload in
                payload.pieces.withUnsafeBytes { _ = storages.insert($0.baseAddress!) }
            }
        }
        #expect(storages.count == 1)
    }

    @Test("Names are found without regard to case, and rates are the formats'")
    func names() {
        #expect(PayloadFormat(RTPCodecName(rawValue: "h264")) == .h264)
        #expect(PayloadFormat(RTPCodecName(rawValue: "OPUS")) == .opus)
        #expect(PayloadFormat(.red) == nil)
        #expect(PayloadFormat.g722.clockRate == 8000)
        #expect(PayloadFormat.g722.staticPayloadType?.rawValue == 9)
    }
}
