import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("Lost packets found again")
struct FlexFECReceiverTests {
    // Two packets and their sum, by hand: 8060 ^ 80E0, 2 ^ 3, 10 ^ 20, AABB ^ 010203.
    static let first = Wire.bytes("8060 0001 00000010 11223344 AABB")
    static let second = Wire.bytes("80E0 0002 00000020 11223344 010203")
    static let draftSum = Wire.bytes("0080 0001 00000030 01000000 11223344 0001 E000 ABB903")
    static let publishedSum = Wire.bytes("0080 0001 00000030 0001 6000 ABB903")

    static func sum(_ form: FlexFECForm) -> [UInt8] { form == .draft03 ? self.draftSum : self.publishedSum }

    private func receiver(
        _ form: FlexFECForm = .draft03,
        map: HeaderExtensionMap = HeaderExtensionMap(),
        limits: FlexFECReceiver.Limits = .init()
    ) -> FlexFECReceiver {
        FlexFECReceiver(form: form, protecting: MediaSource.ssrc, extensionMap: map, limits: limits)
    }

    @Test("either of two packets is found with the other", arguments: FlexFECForm.allCases)
    func vectors(form: FlexFECForm) {
        var receiver = self.receiver(form)
        receiver.receiveMedia(Self.first)
        receiver.receiveRepair(payload: Self.sum(form))
        #expect(receiver.drain() == [Self.second])
        #expect(receiver.receiveMedia(Self.second) == false, "it is known by now")
        var other = self.receiver(form)
        other.receiveMedia(Self.second)
        other.receiveRepair(payload: Self.sum(form))
        #expect(other.drain() == [Self.first])
        #expect(other.counters.packetsRecovered == 1)
        #expect(other.counters.fecPacketsReceived == 1)
        #expect(other.counters.fecBytesReceived == UInt64(Self.sum(form).count))
        #expect(other.counters.fecPacketsDiscarded == 0)
    }

    @Test("a repair packet waits for the last packet that it lacks")
    func waiting() {
        var source = MediaSource(seed: 1)
        var sender = FlexFECSender(form: .draft03, protecting: MediaSource.ssrc)
        sender.level = 0.2
        let packets = (0..<5).map { _ in source.next() }
        let repairs = packets.flatMap { sender.append($0) } + sender.flush()
        var receiver = self.receiver()
        receiver.receiveMedia(packets[0])
        for repair in repairs { receiver.receiveRepair(payload: repair) }
        receiver.receiveMedia(packets[4])
        receiver.receiveMedia(packets[1])
        #expect(receiver.drain() == [])
        receiver.receiveMedia(packets[3])
        #expect(receiver.drain() == [packets[2]])
    }

    @Test("what is found helps to find more: rows and columns")
    func grid() {
        var source = MediaSource(seed: 2)
        let packets = (0..<9).map { _ in source.next() }
        var sender = FlexFECSender(form: .draft03, protecting: MediaSource.ssrc)
        sender.level = 6.0 / 9
        sender.pattern = .grid
        let repairs = packets.flatMap { sender.append($0) } + sender.flush()
        let masks = repairs.compactMap { try? FlexFECHeader.parse($0, form: .draft03).get().mask.distances }
        #expect(masks == [[0, 3, 6], [1, 4, 7], [2, 5, 8], [0, 1, 2], [3, 4, 5], [6, 7, 8]])
        var receiver = self.receiver()
        // Of the nine 0, 1, 2, 3 and 4 are lost: column 0 and row 1 lack two.
        for index in 5..<9 { receiver.receiveMedia(packets[index]) }
        for repair in repairs { receiver.receiveRepair(payload: repair) }
        let found = receiver.drain()
        #expect(found.count == 1)
        #expect(found.first == packets[2])
        receiver.receiveMedia(packets[1])
        #expect(Set(receiver.drain()) == [packets[0], packets[3], packets[4]])
    }

    @Test("copies, needless and foreign repair packets are discarded and counted")
    func discarded() {
        var receiver = self.receiver()
        receiver.receiveRepair(payload: Self.draftSum)
        #expect(receiver.counters.fecPacketsDiscarded == 1, "nothing is known yet")
        receiver.receiveMedia(Wire.bytes("8060 0000 00000010 11223344"))
        receiver.receiveRepair(payload: Self.draftSum)
        receiver.receiveRepair(payload: Self.draftSum)
        #expect(receiver.counters.fecPacketsDiscarded == 2, "a copy")
        receiver.receiveMedia(Self.first)
        #expect(receiver.drain() == [Self.second])
        receiver.receiveRepair(payload: Self.draftSum)
        #expect(receiver.counters.fecPacketsDiscarded == 3, "all is there")
        receiver.receiveRepair(payload: Wire.bytes("0080 0001 00000030 01000000 11223345 0001 F000 ABB903"))
        #expect(receiver.counters.fecPacketsRefused == 1, "another stream")
        receiver.receiveRepair(payload: Wire.bytes("0080 0001 00000030 01000000 11223344 4001 F000 ABB903"))
        #expect(receiver.counters.fecPacketsDiscarded == 5, "far away")
        #expect(receiver.counters.fecPacketsRefused == 1)
        #expect(receiver.drain() == [])
    }

    @Test("the RFC's stream is named by the list of contributing sources")
    func contributingSources() {
        func packet(_ head: String, _ sources: String) -> [UInt8] {
            Wire.bytes(head + "70 0001 00000000 00000001" + sources) + Self.publishedSum
        }
        for (bytes, count) in [
            (packet("81", "11223344"), 1), (packet("80", ""), 1), (packet("81", "11223345"), 0),
            (packet("82", "11223344 11223345"), 0),
        ] {
            var receiver = self.receiver(.rfc8627)
            receiver.receiveMedia(Self.first)
            receiver.receiveRepairPacket(bytes)
            #expect(receiver.drain().count == count)
            #expect(receiver.counters.fecPacketsRefused == 1 - UInt64(count))
        }
    }

    @Test(
        "what cannot be a packet is not given out",
        arguments: [
            // The length is 2 ^ 9 = 11 bytes, and there are 3.
            "0080 0009 00000030 01000000 11223344 0001 E000 ABB903",
            // The length is 2 ^ 3 = 1, and there are 3.
            "0080 0003 00000030 01000000 11223344 0001 E000 ABB903",
            // 1 contributing source in 3 bytes.
            "0180 0001 00000030 01000000 11223344 0001 E000 ABB903",
            // A header extension in 3 bytes.
            "1080 0001 00000030 01000000 11223344 0001 E000 ABB903",
            // 9 bytes of padding in 3.
            "2080 0001 00000030 01000000 11223344 0001 E000 ABB909",
            // The payload type 60 ^ 2C = 4C is RTCP's.
            "002C 0001 00000030 01000000 11223344 0001 E000 ABB903",
            // The packet that is there has more bytes than the sum.
            "0080 0003 00000030 01000000 11223344 0001 E000 AB",
        ]
    )
    func implausible(hex: String) {
        var receiver = self.receiver()
        receiver.receiveMedia(Self.first)
        receiver.receiveRepair(payload: Wire.bytes(hex))
        #expect(receiver.drain() == [])
        #expect(receiver.counters.implausibleRecoveries == 1)
        #expect(receiver.counters.fecPacketsDiscarded == 1)
    }

    @Test("send times and transport-wide numbers are written after protection")
    func mutableExtensions() {
        var source = MediaSource(seed: 4)
        let packets = (0..<6).map { _ in source.next(map: MediaSource.map) }
        let sent = packets.map { source.stamped($0) }
        #expect(packets != sent)
        var sender = FlexFECSender(form: .draft03, protecting: MediaSource.ssrc, extensionMap: MediaSource.map)
        sender.level = 0.2
        let repairs = sent.flatMap { sender.append($0) } + sender.flush()
        var receiver = self.receiver(map: MediaSource.map)
        for index in [0, 1, 2, 4, 5] { receiver.receiveMedia(source.stamped(packets[index])) }
        for repair in repairs { receiver.receiveRepair(payload: repair) }
        #expect(receiver.drain() == [packets[3]])
    }

    @Test("a stream that begins anew is followed")
    func restart() {
        var receiver = self.receiver()
        func packet(_ number: UInt16) -> [UInt8] {
            Wire.bytes("8060") + [UInt8(number >> 8), UInt8(number & 0xFF)] + Wire.bytes("00000010 11223344 AABB")
        }
        for number in UInt16(20_000)..<20_300 { receiver.receiveMedia(packet(number)) }
        for number in UInt16(0)..<31 { #expect(receiver.receiveMedia(packet(number)) == false) }
        #expect(receiver.receiveMedia(packet(31)) == true)
        #expect(receiver.receiveMedia(packet(32)) == true)
        #expect(receiver.counters.mediaPacketsIgnored == 31)
    }

    @Test("all that can be found is found, byte for byte, and nothing else", arguments: FlexFECForm.allCases, 0..<12)
    func randomLoss(form: FlexFECForm, seed: Int) {
        var run = LossRun(form: form, seed: UInt64(seed))
        for _ in 0..<60 { run.sendBatch() }
        #expect(run.wrong == 0, "seed \(seed)")
        #expect(run.missed == 0, "seed \(seed)")
        #expect(run.found > 20, "seed \(seed)")
        #expect(run.storageSize < 500 * 2048)
    }

    @Test("hostile packets never trap, and memory stays", arguments: FlexFECForm.allCases, 0..<6)
    func hostile(form: FlexFECForm, seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        var source = MediaSource(seed: UInt64(seed))
        var limits = FlexFECReceiver.Limits()
        limits.recoveredPackets = 4
        var receiver = self.receiver(form, map: MediaSource.map, limits: limits)
        var sender = FlexFECSender(form: form, protecting: MediaSource.ssrc)
        for step in 0..<3_000 {
            sender.level = Double(random.next() % 100) / 100
            sender.pattern = FlexFECPattern.allCases[Int(random.next() % 3)]
            if random.next() % 50 == 0 { source.sequenceNumber = UInt16(truncatingIfNeeded: random.next()) }
            let packet = source.next(marker: random.next() % 4 == 0)
            if random.next() % 3 != 0 { receiver.receiveMedia(packet) }
            if random.next() % 8 == 0 { receiver.receiveMedia(Wire.mutated(packet, using: &random)) }
            for repair in sender.append(packet, endsFrame: random.next() % 4 == 0) {
                receiver.receiveRepair(payload: Wire.mutated(repair, using: &random))
                receiver.receiveRepair(payload: repair)
            }
            guard step % 100 == 0 else { continue }
            for found in receiver.drain() {
                #expect(RTPPacketView(found)?.header.ssrc == MediaSource.ssrc, "seed \(seed)")
            }
        }
        let counters = receiver.counters
        #expect(counters.packetsRecovered > 0 && counters.recoveredPacketsDropped > 0, "seed \(seed)")
        #expect(counters.fecPacketsDiscarded <= counters.fecPacketsReceived, "seed \(seed)")
        #expect(receiver.storageSize <= (256 + 48) * 2048, "seed \(seed)")
        #expect(sender.storageSize <= 47 * 2048, "seed \(seed)")
    }
}
