import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("The sender's clock")
struct SenderClockTests {
    private static let wall = NTPTimestamp(seconds: 3_900_000_000, fraction: 0)

    private func report(_ ntpTime: NTPTimestamp, _ timestamp: UInt32) -> RTCPSenderInfo {
        RTCPSenderInfo(ntpTime: ntpTime, rtpTimestamp: timestamp, packetCount: 0, octetCount: 0)
    }

    private func error(_ clock: SenderClock, _ timestamp: UInt32, _ expected: NTPTimestamp) -> Double {
        guard let time = clock.ntpTime(of: timestamp) else { return .infinity }
        return Double(expected.duration(to: time).nanoseconds) / 1e6
    }

    @Test("one report is enough, before and after it and across the wrap")
    func oneReport() {
        var clock = SenderClock(clockRate: 90_000)
        #expect(!clock.isSet)
        #expect(clock.ntpTime(of: 0) == nil)
        clock.receive(self.report(Self.wall, 0xFFFF_FFFF))
        #expect(abs(self.error(clock, 89_999, Self.wall.advanced(by: .seconds(1)))) < 0.001)
        #expect(abs(self.error(clock, 0xFFFF_FFFF - 90_000, Self.wall.advanced(by: .seconds(-1)))) < 0.001)
    }

    @Test("clocks that drift apart stay in step, although reports are rounded", arguments: [0.0, 0.0002, -0.0002])
    func drift(drift: Double) {
        var random = RandomSource.seeded(5)
        var clock = SenderClock(clockRate: 48_000)
        var worst = 0.0
        for second in 0..<600 {
            let seconds = Double(second) * (1 + drift)
            let rounding = Double(random.next() % 10) / 1000
            let wall = Self.wall.advanced(by: .nanoseconds(Int64((seconds + rounding) * 1e9)))
            clock.receive(self.report(wall, UInt32(truncatingIfNeeded: 48_000 * second + 0xFFFF_0000)))
            guard second >= 30 else { continue }
            let exact = Self.wall.advanced(by: .nanoseconds(Int64((seconds + 0.0045) * 1e9)))
            worst = max(worst, abs(self.error(clock, UInt32(truncatingIfNeeded: 48_000 * second + 0xFFFF_0000), exact)))
        }
        #expect(worst < 5, "seed 5")
        #expect(abs(clock.estimatedDrift - drift) < 0.0004)
    }

    @Test("one report that is far off is ignored, two that agree begin anew")
    func outliers() {
        var clock = SenderClock(clockRate: 90_000)
        for second in 0..<10 {
            clock.receive(self.report(Self.wall.advanced(by: .seconds(Int64(second))), UInt32(90_000 * second)))
        }
        let far = Self.wall.advanced(by: .seconds(500))
        clock.receive(self.report(far, 900_000))
        #expect(abs(self.error(clock, 900_000, Self.wall.advanced(by: .seconds(10)))) < 1)
        clock.receive(self.report(Self.wall.advanced(by: .seconds(11)), 990_000))
        #expect(abs(self.error(clock, 990_000, Self.wall.advanced(by: .seconds(11)))) < 1)
        clock.receive(self.report(far.advanced(by: .seconds(2)), 1_080_000))
        clock.receive(self.report(far.advanced(by: .seconds(3)), 1_170_000))
        #expect(abs(self.error(clock, 1_170_000, far.advanced(by: .seconds(3)))) < 1)
    }

    @Test("hostile reports trap nowhere", arguments: 0..<4)
    func hostile(seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        for rate in [UInt32(0), 1, 8000, 90_000, .max] {
            var clock = SenderClock(clockRate: rate)
            for _ in 0..<500 {
                clock.receive(
                    self.report(NTPTimestamp(rawValue: random.next()), UInt32(truncatingIfNeeded: random.next()))
                )
                _ = clock.ntpTime(of: UInt32(truncatingIfNeeded: random.next()))
            }
            #expect(clock.isSet == (rate > 0))
        }
    }
}
