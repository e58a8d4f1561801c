internal import NIOCore
internal import RTCBase

/// How much may pass: so much a second, and a second's worth at once.
struct TokenBucket: Sendable {
    private var tokens: Int64
    private var filledAt: NIODeadline

    init(perSecond: Int, now: NIODeadline) {
        self.tokens = Int64(perSecond) * Self.scale
        self.filledAt = now
    }

    /// Takes so many if they are there.
    mutating func take(_ count: Int, perSecond: Int, now: NIODeadline) -> Bool {
        let capacity = Int64(perSecond) * Self.scale
        let elapsed = max(0, (now - self.filledAt).nanoseconds)
        self.filledAt = max(now, self.filledAt)
        // Beyond a second it is full anyhow, so nothing overflows.
        let added = elapsed >= 1_000_000_000 ? capacity : elapsed / 1_000 * Int64(perSecond) / (1_000_000 / Self.scale)
        self.tokens = min(capacity, self.tokens + added)
        guard self.tokens >= Int64(count) * Self.scale else { return false }
        self.tokens -= Int64(count) * Self.scale
        return true
    }

    /// Parts of a token, so that small intervals count too.
    private static let scale: Int64 = 1_000
}

/// Limits answers to addresses that have proved nothing, in constant memory: addresses share a fixed number of buckets.
struct ResponseLimiter {
    private var buckets: [TokenBucket]
    private let perSecond: Int

    init(perSecond: Int, now: NIODeadline) {
        self.perSecond = perSecond
        self.buckets = Array(repeating: TokenBucket(perSecond: perSecond, now: now), count: Self.bucketCount)
    }

    /// Whether one more answer may go to this IP address, or the IPv6 network that it is of.
    mutating func allows(_ address: TransportAddress, now: NIODeadline) -> Bool {
        // Swift seeds its hashes for each process, so nobody can aim at somebody else's bucket.
        var hasher = Hasher()
        hasher.combine(address.network)
        let index = Int(truncatingIfNeeded: UInt(bitPattern: hasher.finalize()) % UInt(Self.bucketCount))
        return self.buckets[index].take(1, perSecond: self.perSecond, now: now)
    }

    private static let bucketCount = 2_048
}
