import NIOCore
import RTCRTP

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The time of day.
enum WallClock {
    /// A clock that says what NTP's shows.
    static var ntp: NTPClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let nanoseconds = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        return NTPClock(NTPTimestamp(unixNanoseconds: nanoseconds), at: .now())
    }

    /// Milliseconds since 1970.
    static var milliseconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }
}
