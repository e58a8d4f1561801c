import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("Frames from packets that come in any order")
struct FrameBufferTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    /// Frame `number` of three packets, as VP8 has it; every tenth is a key frame.
    private func packets(of number: Int) throws -> [RTPPacket] {
        try (0..<3).map { part in
            var payload = ByteBuffer(bytes: [part == 0 ? 0x10 : 0x00])
            if part == 0 {
                payload.writeBytes(number % 10 == 0 ? [0x10, 2, 0, 0x9D, 1, 0x2A, 64, 1, 240, 0] : [0x11, 2, 0])
            }
            payload.writeBytes([UInt8(number & 0xFF), UInt8(part)])
            let header = RTPHeader(
                marker: part == 2,
                payloadType: PayloadType(lowBitsOf: 96),
                sequenceNumber: UInt16(truncatingIfNeeded: 65_500 + number * 3 + part),
                timestamp: UInt32(number) &* 3000,
                ssrc: SSRC(7)
            )
            return try RTPPacket(header: header, payload: payload)
        }
    }

    private func drain(_ buffer: inout FrameBuffer, _ milliseconds: Int64) -> [UInt32] {
        var timestamps: [UInt32] = []
        while let output = buffer.poll(now: self.start + .milliseconds(milliseconds)) {
            timestamps.append(output.frame.timestamp / 3000)
        }
        return timestamps
    }

    @Test("frames leave whole and in order whatever the order of packets", arguments: UInt64(1)...5)
    func reordering(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        var buffer = FrameBuffer(format: .vp8, delays: .init(gap: .seconds(10)))
        var packets = try (0..<60).flatMap(self.packets)
        for index in packets.indices.dropLast(8).dropFirst() where random.next() % 3 == 0 {
            packets.swapAt(index, index + Int(random.next() % 8))
        }
        var frames: [UInt32] = []
        for packet in packets {
            buffer.insert(packet, now: self.start)
            frames += self.drain(&buffer, 0)
        }
        #expect(frames == (0..<60).map { UInt32($0) }, "seed \(seed)")
    }

    @Test("a gap holds up what is behind it only so long, then pictures go on with the next key frame")
    func gap() throws {
        var buffer = FrameBuffer(format: .vp8, delays: .init(gap: .milliseconds(100)))
        let all = try (0..<25).map(self.packets)
        for (number, packets) in all.enumerated() {
            for (part, packet) in packets.enumerated() where !(number == 4 && part == 1) {
                buffer.insert(packet, now: self.start)
            }
        }
        let at0 = self.drain(&buffer, 0)
        #expect(at0 == [0, 1, 2, 3])
        #expect(buffer.nextTimeout == self.start + .milliseconds(100))
        let at99 = self.drain(&buffer, 99)
        #expect(at99.isEmpty)
        let at101 = self.drain(&buffer, 101)
        #expect(at101 == (10..<25).map { UInt32($0) })
        #expect(buffer.counters.lostFrames == 1 && buffer.counters.undecodableFrames == 5)
        #expect(!buffer.needsKeyFrame)
    }

    @Test("what comes back in time completes its frame")
    func recovery() throws {
        var buffer = FrameBuffer(format: .vp8, delays: .init(gap: .milliseconds(100)))
        let all = try (0..<6).flatMap(self.packets)
        for (index, packet) in all.enumerated() where index != 7 { buffer.insert(packet, now: self.start) }
        let at10 = self.drain(&buffer, 10)
        #expect(at10 == [0, 1])
        buffer.insert(all[7], now: self.start + .milliseconds(60))
        let at60 = self.drain(&buffer, 60)
        #expect(at60 == [2, 3, 4, 5])
        buffer.insert(all[7], now: self.start + .milliseconds(70))
        #expect(buffer.counters.discardedPackets == 1)
    }

    @Test("frames are held back by the target behind the fastest of them")
    func target() throws {
        var buffer = FrameBuffer(format: .vp8, delays: .init(gap: .seconds(1), target: .milliseconds(200)))
        for number in 0..<5 {
            // 33 ms of media each, and the third comes 50 ms late.
            let arrival = self.start + .milliseconds(Int64(number) * 100 / 3 + (number == 2 ? 50 : 0))
            for packet in try self.packets(of: number) { buffer.insert(packet, now: arrival) }
        }
        let at199 = self.drain(&buffer, 199)
        #expect(at199.isEmpty)
        let at201 = self.drain(&buffer, 201)
        #expect(at201 == [0])
        let at268 = self.drain(&buffer, 268)
        #expect(at268 == [1, 2])
    }

    @Test("timestamps that jump to and fro hold nothing for hours, and do not overflow")
    func jumpingTimestamps() throws {
        var buffer = FrameBuffer(format: .opus, delays: .init(gap: .milliseconds(20), target: .milliseconds(50)))
        var timestamp: UInt32 = 0
        for step in 0..<220_000 {
            timestamp &+= step == 10 ? 0x8000_0001 : 0x7FFF_FFFF
            let header = RTPHeader(
                payloadType: PayloadType(lowBitsOf: 111),
                sequenceNumber: UInt16(truncatingIfNeeded: step),
                timestamp: timestamp,
                ssrc: SSRC(7)
            )
            buffer.insert(try RTPPacket(header: header, payload: ByteBuffer(bytes: [0xFC, 1])), now: self.start)
            _ = buffer.poll(now: self.start + .seconds(11))
        }
        #expect(buffer.counters.frames > 200_000)
    }

    @Test("packets of any number and content never trap, and the memory stays bounded", arguments: UInt64(1)...3)
    func hostile(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let target: TimeAmount? = seed % 2 == 0 ? nil : .milliseconds(50)
        var buffer = FrameBuffer(format: .vp8, delays: .init(gap: .milliseconds(20), target: target))
        for step in 0..<20_000 {
            let bytes = (0..<Int(random.next() % 20)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let header = RTPHeader(
                marker: random.next() % 4 == 0,
                payloadType: PayloadType(lowBitsOf: 96),
                sequenceNumber: UInt16(truncatingIfNeeded: random.next() % 8 == 0 ? random.next() : UInt64(step)),
                timestamp: UInt32(truncatingIfNeeded: random.next() % 8 == 0 ? random.next() : UInt64(step / 3)),
                ssrc: SSRC(7)
            )
            buffer.insert(try RTPPacket(header: header, payload: ByteBuffer(bytes: bytes)), now: self.start)
            _ = self.drain(&buffer, Int64(step))
            _ = buffer.nextTimeout
        }
        #expect(buffer.counters.discardedPackets + buffer.counters.lostFrames > 0)
    }
}
