import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("NTP times")
struct NTPTimestampTests {
    @Test("1970 is 2,208,988,800 seconds after 1900, and half a second half of 2³²")
    func unix() {
        #expect(NTPTimestamp(unixNanoseconds: 0).rawValue == 2_208_988_800 << 32)
        #expect(NTPTimestamp(unixNanoseconds: 1_500_000_000) == NTPTimestamp(seconds: 2_208_988_801, fraction: 1 << 31))
        #expect(NTPTimestamp(unixNanoseconds: -500_000_000) == NTPTimestamp(seconds: 2_208_988_799, fraction: 1 << 31))
        #expect(NTPTimestamp(seconds: 0x0102_0304, fraction: 0x0506_0708).compact == 0x0304_0506)
    }

    @Test(
        "times of the wall clock come back, in the next era too",
        arguments: [0, 1, 999_999_999, 1_700_000_000_123_456_789, 3_000_000_000_999_999_999]
    )
    func roundTrip(nanoseconds: Int64) {
        #expect(abs(NTPTimestamp(unixNanoseconds: nanoseconds).unixNanoseconds - nanoseconds) <= 1)
    }

    @Test("durations are added and measured, backwards too")
    func durations() {
        let time = NTPTimestamp(seconds: .max, fraction: 1 << 31)
        for amount in [TimeAmount.milliseconds(1750), .milliseconds(-1750), .nanoseconds(1), .hours(48)] {
            let other = time.advanced(by: amount)
            #expect(abs(time.duration(to: other).nanoseconds - amount.nanoseconds) <= 1)
        }
        #expect(time.advanced(by: .seconds(1)).seconds == 0)
    }

    @Test("extreme numbers trap nowhere")
    func extremes() {
        for raw in [UInt64.min, 1, 1 << 63, .max - 1, .max] {
            let time = NTPTimestamp(rawValue: raw)
            _ = time.unixNanoseconds
            _ = time.duration(to: NTPTimestamp(rawValue: 0))
            _ = NTPTimestamp(rawValue: 0).duration(to: time)
            _ = time.advanced(by: .nanoseconds(.max))
            _ = time.advanced(by: .nanoseconds(.min))
            _ = AbsoluteSendTime(time)
        }
        _ = NTPTimestamp(unixNanoseconds: .max)
        _ = NTPTimestamp(unixNanoseconds: .min)
    }

    @Test("names are of 96 random bits")
    func canonicalName() {
        var random = RandomSource.seeded(1)
        let first = CanonicalName.random(using: &random)
        #expect(first.utf8.count == 16)
        #expect(CanonicalName.random(using: &random) != first)
    }
}
