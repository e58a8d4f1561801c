#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The system's clock.
enum WallClock {
    /// Seconds of the Unix epoch.
    static func unixSeconds() -> Int64 { Int64(time(nil)) }
}
