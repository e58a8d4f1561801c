import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("Transport-wide feedback")
struct RTCPTransportFeedbackTests {
    typealias Status = RTCPTransportFeedback.Status

    private func written(_ statuses: [Status], base: UInt16 = 10, reference: Int32 = 1) -> [UInt8] {
        RTCPSamples.written {
            $0.writeRTCPTransportFeedback(
                sender: RTCPSamples.sender,
                media: RTCPSamples.media,
                baseSequenceNumber: base,
                referenceTime: reference,
                feedbackCount: 5,
                statuses: statuses
            )
        }
    }

    private func read(_ bytes: [UInt8]) -> [RTCPTransportFeedback.Packet]? {
        guard case .transportFeedback(let feedback)? = RTCPSamples.packets(bytes).first else { return nil }
        var packets: [RTCPTransportFeedback.Packet] = []
        feedback.forEachPacket(in: bytes.span.bytes) { packets.append($0) }
        return packets
    }

    private let head = "11111111 22222222"

    @Test("runs of one symbol take a run-length chunk")
    func runs() {
        let bytes = self.written([Status](repeating: .received(delta: 4), count: 20))
        #expect(
            bytes == Wire.bytes("8fcd000a \(self.head) 000a0014 00000105 2014") + [UInt8](repeating: 4, count: 20) + [
                0, 0,
            ]
        )
    }

    @Test("mixed small symbols take a vector of fourteen, large ones a vector of seven")
    func vectors() {
        let small: [Status] = (0..<14).map { $0 % 2 == 0 ? .received(delta: 1) : .notReceived }
        #expect(
            self.written(small)
                == Wire.bytes("8fcd0007 \(self.head) 000a000e 00000105 aaaa 01010101010101 000000")
        )
        let large: [Status] = [
            .received(delta: 256), .notReceived, .received(delta: -2), .received(delta: 1), .notReceived,
            .notReceived, .received(delta: 0),
        ]
        // 10 00 10 01 00 00 01
        #expect(
            self.written(large)
                == Wire.bytes("8fcd0006 \(self.head) 000a0007 00000105 e241 0100 fffe 01 00")
        )
    }

    @Test("a short end takes one vector although that has room for more")
    func shortEnd() {
        let statuses: [Status] = [.received(delta: 1), .notReceived, .received(delta: 2)]
        let bytes = self.written(statuses)
        #expect(Array(bytes[20..<22]) == Wire.bytes("d100"))
        #expect(self.read(bytes)?.map(\.isReceived) == [true, false, true])
    }

    @Test("arrival times add up from a reference time with a sign")
    func arrivals() throws {
        let statuses: [Status] = [.received(delta: 2), .notReceived, .received(delta: -3), .received(delta: 1000)]
        let bytes = self.written(statuses, base: 65_534, reference: -1)
        let packets = try #require(self.read(bytes))
        #expect(packets.map(\.sequenceNumber) == [65_534, 65_535, 0, 1])
        #expect(packets.map(\.arrivalMicroseconds) == [-63_500, nil, -64_250, 185_750])
        let bounds = self.written([.received(delta: .min), .received(delta: .max)], reference: -0x80_0000)
        let extreme = try #require(self.read(bounds))
        let earliest: Int64? = -0x80_0000 * 64_000 - 32_768 * 250
        #expect(extreme[0].arrivalMicroseconds == earliest)
    }

    @Test("feedback without arrival times says who arrived")
    func withoutTimes() throws {
        let bytes = Wire.bytes("afcd0005 \(self.head) 000a0003 00000105 b400 0002")
        let packets = try #require(self.read(bytes))
        #expect(packets.map(\.isReceived) == [true, true, false])
        #expect(packets.map(\.arrivalMicroseconds) == [nil, nil, nil])
    }

    @Test("feedback padded as RTCP is, amid a datagram, is read")
    func padded() {
        let bytes = Wire.bytes("afcd0006 \(self.head) 000a0001 00000105 2001 07 00000000 05")
        #expect(self.read(bytes)?.map(\.arrivalMicroseconds) == [65_750])
    }

    @Test(
        "broken feedback is malformed",
        arguments: [
            ("no packets", "8fcd0005 11111111 22222222 000a0000 00000105 20010000"),
            ("no chunk", "8fcd0004 11111111 22222222 000a0001 00000105"),
            ("too few chunks", "8fcd0005 11111111 22222222 000a0020 00000105 20012001"),
            ("a run of none", "8fcd0005 11111111 22222222 000a0001 00000105 20000000"),
            ("a reserved symbol in a run", "8fcd0005 11111111 22222222 000a0001 00000105 60010000"),
            ("a reserved symbol in a vector", "8fcd0005 11111111 22222222 000a0001 00000105 f0000000"),
            ("arrival times cut short", "8fcd0006 11111111 22222222 000a0014 00000105 2014 0101 01010101"),
            ("cut before its numbers", "8fcd0003 11111111 22222222 000a0001"),
        ]
    )
    func broken(name: String, hex: String) {
        let bytes = Wire.bytes(hex)
        #expect(RTCPSamples.packets(bytes).isEmpty, "\(name)")
        #expect(RTCPSamples.malformedCount(bytes) == 1, "\(name)")
    }

    @Test("what is written is read back, whatever the mixture", arguments: 0..<20)
    func roundTrip(seed: Int) throws {
        var random = RandomSource.seeded(UInt64(seed))
        for _ in 0..<30 {
            let count = 1 + Int(random.next() % (seed % 5 == 0 ? 20_000 : 60))
            // Long runs beside quick changes.
            let stickiness = random.next() % 20
            var statuses: [Status] = []
            var status = Status.notReceived
            for _ in 0..<count {
                if random.next() % 20 >= stickiness {
                    switch random.next() % 4 {
                    case 0: status = .notReceived
                    case 1: status = .received(delta: Int16(truncatingIfNeeded: random.next()))
                    default: status = .received(delta: Int16(random.next() % 256))
                    }
                }
                statuses.append(status)
            }
            let bytes = self.written(statuses, base: UInt16(truncatingIfNeeded: random.next()))
            let packets = try #require(self.read(bytes), "seed \(seed)")
            #expect(packets.count == count, "seed \(seed)")
            var time: Int64 = 64_000
            let expected = statuses.map { status -> Int64? in
                guard case .received(let delta) = status else { return nil }
                time += Int64(delta) * 250
                return time
            }
            #expect(packets.map(\.arrivalMicroseconds) == expected, "seed \(seed)")
        }
    }
}
