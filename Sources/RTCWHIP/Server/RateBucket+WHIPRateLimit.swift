import NIOCore
import RTCBase

extension RateBucket {
    /// A full bucket.
    init(_ limit: WHIPRateLimit, now: NIODeadline) { self.init(burst: limit.burst, now: now) }

    /// Takes a token if there is one.
    mutating func take(_ limit: WHIPRateLimit, now: NIODeadline) -> Bool {
        self.take(1, rate: limit.perSecond, burst: limit.burst, now: now)
    }
}
