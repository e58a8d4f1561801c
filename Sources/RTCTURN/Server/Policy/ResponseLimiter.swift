internal import NIOCore
internal import RTCBase

/// Limits answers to addresses that have proved nothing, in constant memory: addresses share a fixed number of buckets.
struct ResponseLimiter {
    private var buckets: [RateBucket]
    private let perSecond: Int

    init(perSecond: Int, now: NIODeadline) {
        self.perSecond = perSecond
        self.buckets = Array(repeating: RateBucket(burst: perSecond, now: now), count: Self.bucketCount)
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
