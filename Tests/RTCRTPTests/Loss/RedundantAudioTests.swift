import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

private let red = PayloadType(lowBitsOf: 63)
private let opus = PayloadType(lowBitsOf: 111)

@Suite("Redundant sound, received")
struct RedundantAudioReceiverTests {
    @Test("a packet is split into the packets that were meant")
    func vector() {
        // The block 960 before: EF, offset 0x3C0, length 2; then the newest, 6F.
        let packet = Wire.bytes("80 BF 0005 00000F00 11223344  EF 0F0002 6F AABB CCDDEE")
        var receiver = RedundantAudioReceiver(redPayloadType: red)
        #expect(receiver.packets(of: Wire.bytes("80 6F 0003 00000780 11223344 99")).count == 1)
        let packets = receiver.packets(of: packet)
        let expected = [
            Wire.bytes("80 6F 0004 00000B40 11223344 AABB"), Wire.bytes("80 EF 0005 00000F00 11223344 CCDDEE"),
        ]
        #expect(packets == expected)
        #expect(receiver.packets(of: packet) == [])
        #expect(receiver.packets(of: Wire.bytes("80 6F 0004 00000B40 11223344 AABB")) == [])
        #expect(receiver.counters.recovered == 1)
        #expect(receiver.counters.duplicates == 3)
        #expect(receiver.counters.malformed == 0)
    }

    @Test("a block further back is placed by its timestamp where packets last equally long")
    func distance() {
        var receiver = RedundantAudioReceiver(redPayloadType: red)
        for hex in ["80 6F 0001 00000000 11223344 01", "80 6F 0002 000003C0 11223344 02"] {
            #expect(receiver.packets(of: Wire.bytes(hex)).count == 1)
        }
        // 5 carries only what is 1,920 before it: 3, not 4.
        let packets = receiver.packets(of: Wire.bytes("80 3F 0005 00000F00 11223344  EF 1E0001 6F 03 05"))
        #expect(packets.first == Wire.bytes("80 6F 0003 00000780 11223344 03"))
        #expect(packets.count == 2)
    }

    @Test("after a pause blocks are placed by their order")
    func pause() {
        var receiver = RedundantAudioReceiver(redPayloadType: red)
        for hex in ["80 6F 0001 00000000 11223344 01", "80 6F 0002 000003C0 11223344 02"] {
            #expect(receiver.packets(of: Wire.bytes(hex)).count == 1)
        }
        let packets = receiver.packets(of: Wire.bytes("80 3F 0004 00005000 11223344  EF F00001 6F 03 04"))
        #expect(packets.first == Wire.bytes("80 6F 0003 00001400 11223344 03"))
    }

    @Test(
        "what is no redundant sound is counted",
        arguments: ["", "EF", "EF 0F0002 6F AA", "6F", "3F AA", "EF 0F0002 3F AABB CC", "C5 AA"]
    )
    func malformed(hex: String) {
        var receiver = RedundantAudioReceiver(redPayloadType: red)
        #expect(receiver.packets(of: Wire.bytes("80 3F 0005 00000F00 11223344" + hex)) == [])
        #expect(receiver.counters.malformed == 1)
    }

    @Test("redundant blocks that are RED again, or RTCP's, are left out")
    func nested() {
        for hex in ["BF 0F0002 6F AABB CC", "C8 0F0002 6F AABB CC"] {
            var receiver = RedundantAudioReceiver(redPayloadType: red)
            let packets = receiver.packets(of: Wire.bytes("80 3F 0005 00000F00 11223344" + hex))
            #expect(packets == [Wire.bytes("80 6F 0005 00000F00 11223344 CC")])
            #expect(receiver.counters.unplaced == 1)
        }
    }

    @Test("what is carried twice survives losses, and nothing comes twice or wrong", arguments: 0..<20)
    func randomLoss(seed: Int) {
        var run = SoundRun(seed: UInt64(seed), redundancy: 1 + seed % 2)
        for _ in 0..<2_000 { run.send() }
        run.end()
        #expect(run.wrong == 0, "seed \(seed)")
        #expect(run.repeated == 0, "seed \(seed)")
        #expect(run.missed == 0, "seed \(seed)")
        #expect(run.filled > 50, "seed \(seed)")
    }

    @Test("hostile packets never trap", arguments: 0..<4)
    func hostile(seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        var receiver = RedundantAudioReceiver(redPayloadType: red)
        let sample = Wire.bytes("80 BF 0005 00000F00 11223344  EF 1E0001 EF 0F0002 6F 99 AABB CCDDEE")
        for _ in 0..<10_000 {
            let bytes = Wire.mutated(sample, using: &random)
            for packet in receiver.packets(of: bytes) { #expect(RTPPacketView(packet) != nil, "seed \(seed)") }
        }
        #expect(receiver.counters.malformed > 0 && receiver.counters.recovered > 0, "seed \(seed)")
    }
}

@Suite("Redundant sound, sent")
struct RedundantAudioSenderTests {
    private static let start = NIODeadline.uptimeNanoseconds(0)

    private func settle(_ policy: inout RedundancyPolicy, _ loss: Double, from seconds: Int64, for count: Int64) -> Int
    {
        for second in seconds..<seconds + count {
            policy.update(fractionLost: loss, now: Self.start + .seconds(second))
        }
        return policy.redundancy
    }

    @Test("more at once when loss grows, fewer only after a while")
    func policy() {
        var policy = RedundancyPolicy()
        #expect(self.settle(&policy, 0.005, from: 0, for: 10) == 0)
        #expect(self.settle(&policy, 0.06, from: 10, for: 2) == 1)
        #expect(self.settle(&policy, 0.4, from: 12, for: 1) == 2)
        #expect(self.settle(&policy, 0.06, from: 13, for: 60) == 2, "not low enough")
        #expect(self.settle(&policy, 0, from: 73, for: 5) == 2, "not long enough")
        #expect(self.settle(&policy, 0, from: 78, for: 60) == 0)
        #expect(self.settle(&policy, .nan, from: 140, for: 2) == 0)
    }

    @Test("it comes down one by one")
    func steps() {
        var policy = RedundancyPolicy()
        #expect(self.settle(&policy, 1, from: 0, for: 1) == 2)
        var seen: [Int] = []
        for second in Int64(1)..<60 {
            let redundancy = policy.update(fractionLost: 0, now: Self.start + .seconds(second))
            if seen.last != redundancy { seen.append(redundancy) }
        }
        #expect(seen == [2, 1, 0])
    }

    @Test("plain packets while nothing is lost, RED from the loss on, and back")
    func packets() throws {
        var sender = RedundantAudioSender(redPayloadType: red, payloadType: opus)
        func send(_ byte: UInt8, _ maximum: Int = 100) throws -> (PayloadType, [UInt8]) {
            var buffer = ByteBuffer()
            let frame = ByteBuffer(bytes: [byte, byte])
            let timestamp = UInt32(byte) * 960
            let type = try sender.encode(frame, timestamp: timestamp, maximumPayloadSize: maximum, into: &buffer)
            return (type, Wire.bytes(buffer))
        }
        #expect(try send(1) == (opus, [1, 1]))
        sender.update(fractionLost: 0.1, now: Self.start)
        #expect(sender.redundancy == 1)
        #expect(try send(2) == (red, Wire.bytes("6F 0202")))
        #expect(try send(3) == (red, Wire.bytes("EF 0F0002 6F 0202 0303")))
        #expect(try send(4, 2) == (opus, [4, 4]), "no room for a header")
        #expect(try send(5) == (red, Wire.bytes("6F 0505")), "what was not kept is not skipped")
        #expect(throws: PacketizationError.indivisible(byteCount: 2)) { try send(6, 1) }
    }
}

extension RedundantAudioReceiver {
    /// The packets that come out of one.
    fileprivate mutating func packets(of bytes: [UInt8]) -> [[UInt8]] {
        guard let view = RTPPacketView(bytes) else { return [] }
        var packets: [[UInt8]] = []
        self.receive(bytes.span.bytes, view) { block in
            var buffer = ByteBuffer()
            block.append(to: &buffer, from: bytes.span.bytes)
            packets.append(Wire.bytes(buffer))
        }
        return packets
    }
}

/// Frames with pauses between them, over a path that loses and mixes up.
private struct SoundRun {
    private let redundancy: Int
    private var random: RandomSource
    private var encoder: REDEncoder
    private var receiver = RedundantAudioReceiver(redPayloadType: red)
    private var sent: [[UInt8]] = []
    private var arrived: Set<Int> = []
    private var held: [[UInt8]] = []
    private var got: [[UInt8]: Int] = [:]
    private var timestamp: UInt32 = 0xFFFF_F000
    private let firstNumber: UInt16

    init(seed: UInt64, redundancy: Int) {
        self.redundancy = redundancy
        self.random = .seeded(seed)
        self.encoder = REDEncoder(redundancy: redundancy)
        self.firstNumber = UInt16(truncatingIfNeeded: self.random.next())
    }

    mutating func send() {
        let index = self.sent.count
        self.timestamp &+= 960 * (self.random.next() % 8 == 0 ? UInt32(1 + self.random.next() % 10) : 1)
        var header = RTPHeader(
            payloadType: opus,
            sequenceNumber: self.firstNumber &+ UInt16(index),
            timestamp: self.timestamp,
            ssrc: SSRC(1)
        )
        let frame = ByteBuffer(bytes: self.random.bytes(count: 1 + Int(self.random.next() % 20)))
        self.sent.append(Self.packet(header, frame))
        var payload = ByteBuffer()
        header.payloadType = red
        try? self.encoder.encode(
            frame,
            payloadType: opus,
            timestamp: self.timestamp,
            maximumPayloadSize: 1000,
            into: &payload
        )
        self.pass(Self.packet(header, payload), index)
    }

    mutating func end() {
        for packet in self.held { self.receive(packet) }
        self.held.removeAll()
    }

    private mutating func pass(_ packet: [UInt8], _ index: Int) {
        // The first packets say how long a packet lasts.
        let chance = index < 3 ? 9 : self.random.next() % 10
        if chance < 2 { return }
        self.arrived.insert(index)
        if chance == 2 { self.held.append(packet) } else { self.receive(packet) }
        if index % 10 == 0 { self.end() }
    }

    private mutating func receive(_ packet: [UInt8]) {
        for packet in self.receiver.packets(of: packet) { self.got[packet, default: 0] += 1 }
    }

    var wrong: Int { Set(self.got.keys).subtracting(self.sent).count }
    var repeated: Int { self.got.values.filter { $0 > 1 }.count }
    /// Those that arrived, or that a later one carried, and did not come out.
    var missed: Int {
        self.sent.indices.filter { index in
            self.got[self.sent[index]] == nil
                && (index...index + self.redundancy).contains { self.isCarried(index, by: $0) }
        }.count
    }
    var filled: Int { self.got.count - self.arrived.count }

    /// Offsets of 14 bits end 17 packets ago.
    private func isCarried(_ index: Int, by later: Int) -> Bool {
        guard self.arrived.contains(later), let view = RTPPacketView(self.sent[later]),
            let own = RTPPacketView(self.sent[index])
        else { return false }
        return view.header.timestamp &- own.header.timestamp <= REDEncoder.maximumOffset
    }

    private static func packet(_ header: RTPHeader, _ payload: ByteBuffer) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.writeRTPPacket(header, maximumSize: 1500) { $0.appendPayload(payload.readableBytesSpan) }
        return Wire.bytes(buffer)
    }
}
