import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("What was received of a stream")
struct ReceiveStatisticsTests {
    private static let start = NIODeadline.uptimeNanoseconds(5_000_000_000)

    /// Statistics after packets of these numbers, 20 ms apart, at 8 kHz.
    private func statistics(_ numbers: [UInt16]) -> RTPReceiveStatistics {
        var statistics = RTPReceiveStatistics(clockRate: 8000)
        for (index, number) in numbers.enumerated() {
            _ = statistics.receive(number, at: Self.start + .milliseconds(20 * Int64(index)))
        }
        return statistics
    }

    @Test("without packets there is no report")
    func nothing() {
        var statistics = RTPReceiveStatistics(clockRate: 8000)
        #expect(statistics.makeReportBlock(ssrc: SSRC(1), now: Self.start) == nil)
        #expect(statistics.lostCount == 0)
        #expect(statistics.highestSequenceNumber == nil)
    }

    @Test("lost packets are counted across the wrap, by report and in sum")
    func loss() throws {
        var statistics = self.statistics([65_533, 65_534, 0, 1])
        var block = try #require(statistics.makeReportBlock(ssrc: SSRC(1), now: Self.start) as RTCPReportBlock?)
        #expect(block.highestSequenceNumber == 0x1_0001)
        #expect(block.cumulativeLost == 1)
        #expect(block.fractionLost == 256 / 5)
        _ = statistics.receive(2, at: Self.start)
        block = try #require(statistics.makeReportBlock(ssrc: SSRC(1), now: Self.start) as RTCPReportBlock?)
        #expect(block.fractionLost == 0)
        #expect(block.cumulativeLost == 1)
        _ = statistics.receive(6, at: Self.start)
        block = try #require(statistics.makeReportBlock(ssrc: SSRC(1), now: Self.start) as RTCPReportBlock?)
        #expect(block.fractionLost == 192)
        #expect(block.cumulativeLost == 4)
    }

    @Test("late packets make up for their loss, duplicates go below zero")
    func lateAndDuplicate() throws {
        var statistics = self.statistics([10, 12, 11])
        #expect(statistics.lostCount == 0)
        #expect(statistics.receive(12, at: Self.start) == .older)
        #expect(statistics.receive(11, at: Self.start) == .older)
        let block = try #require(statistics.makeReportBlock(ssrc: SSRC(1), now: Self.start) as RTCPReportBlock?)
        #expect(block.cumulativeLost == -2)
        #expect(block.fractionLost == 0)
        #expect(statistics.packetCount == 5)
        #expect(statistics.highestSequenceNumber == 12)
    }

    @Test("one packet far off is not counted, two in a row are a new beginning that keeps the sum")
    func restart() throws {
        var statistics = self.statistics([10, 12])
        #expect(statistics.receive(30_000, at: Self.start) == .suspect)
        #expect(statistics.packetCount == 2)
        #expect(statistics.receive(13, at: Self.start) == .newest)
        #expect(statistics.receive(30_001, at: Self.start) == .suspect)
        #expect(statistics.receive(30_002, at: Self.start) == .first)
        #expect(statistics.highestSequenceNumber == 30_002)
        #expect(statistics.lostCount == 1)
        #expect(statistics.receive(30_004, at: Self.start) == .newest)
        #expect(statistics.lostCount == 2)
    }

    @Test("the sum of lost packets is clamped to what 24 bits can say")
    func clamped() throws {
        var statistics = RTPReceiveStatistics(clockRate: 8000)
        for step in 0..<4_000 { _ = statistics.receive(UInt16(truncatingIfNeeded: step * 2_500), at: Self.start) }
        let block = try #require(statistics.makeReportBlock(ssrc: SSRC(1), now: Self.start) as RTCPReportBlock?)
        #expect(statistics.lostCount == 3_999 * 2_499)
        #expect(block.cumulativeLost == 0x7F_FFFF)
        #expect(block.fractionLost == 255)
    }

    @Test("jitter follows the formula of RFC 3550")
    func jitter() {
        var statistics = RTPReceiveStatistics(clockRate: 8000)
        // Transit times of 0, 80, 0, 160 units.
        var expected = 0.0
        var last: Int64?
        for (index, delay) in [Int64(0), 10, 0, 20].enumerated() {
            let now = Self.start + .milliseconds(20 * Int64(index) + delay)
            _ = statistics.receive(UInt16(index), timestamp: UInt32(160 * index), at: now)
            if let last { expected += (Double(abs(delay - last) * 8) - expected) / 16 }
            last = delay
        }
        #expect(abs(Double(statistics.jitter) - expected) <= 1)
        #expect(statistics.jitter > 0)
        #expect(statistics.jitterTime == .nanoseconds(Int64(statistics.jitter) * 125_000))
    }

    @Test("steady packets have no jitter, wherever clock and timestamps wrap, and late ones add none")
    func steady() {
        var statistics = RTPReceiveStatistics(clockRate: 90_000)
        for index in 0..<100 {
            let timestamp = UInt32(truncatingIfNeeded: 0xFFFF_0000 + 3000 * index)
            _ = statistics.receive(
                UInt16(index + 1),
                timestamp: timestamp,
                at: Self.start + .nanoseconds(Int64(index) * 1_000_000_000 / 30)
            )
        }
        #expect(statistics.jitter <= 1)
        _ = statistics.receive(5, timestamp: 0xFFFF_0000 + 4 * 3000, at: Self.start + .seconds(60))
        #expect(statistics.jitter <= 1)
    }

    @Test("a report answers the last sender report with its time and age")
    func senderReport() throws {
        var statistics = self.statistics([1])
        let info = RTCPSenderInfo(
            ntpTime: NTPTimestamp(rawValue: 0x1122_3344_5566_7788),
            rtpTimestamp: 0,
            packetCount: 0,
            octetCount: 0
        )
        statistics.receive(info, now: Self.start)
        let now = Self.start + .milliseconds(1500)
        let block = try #require(statistics.makeReportBlock(ssrc: SSRC(3), now: now) as RTCPReportBlock?)
        #expect(block.ssrc == SSRC(3))
        #expect(block.lastSenderReport == 0x3344_5566)
        #expect(block.delaySinceLastSenderReport == 0x1_8000)
    }

    @Test("random loss is counted exactly, whatever the order", arguments: 0..<10)
    func randomLoss(seed: Int) throws {
        var random = RandomSource.seeded(UInt64(seed))
        var statistics = RTPReceiveStatistics(clockRate: 8000)
        let base = UInt16(truncatingIfNeeded: random.next())
        _ = statistics.receive(base, at: Self.start)
        var held: [UInt16] = []
        var lost = 0
        for step in 1..<5_000 {
            let number = base &+ UInt16(truncatingIfNeeded: step)
            switch random.next() % 10 {
            case 0: lost += 1
            case 1: held.append(number)
            default: _ = statistics.receive(number, at: Self.start)
            }
            if held.count > 5 { _ = statistics.receive(held.removeFirst(), at: Self.start) }
        }
        for number in held { _ = statistics.receive(number, at: Self.start) }
        _ = statistics.receive(base &+ 5_000, at: Self.start)
        #expect(statistics.lostCount == Int64(lost), "seed \(seed)")
    }
}

extension RTPReceiveStatistics {
    mutating func receive(_ number: UInt16, timestamp: UInt32 = 0, at now: NIODeadline) -> Reception {
        self.receive(sequenceNumber: number, timestamp: timestamp, payloadSize: 100, overhead: 12, now: now)
    }
}
