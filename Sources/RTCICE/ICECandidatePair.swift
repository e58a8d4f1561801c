public import RTCBase

/// A local and a remote candidate between which datagrams may flow (RFC 8445 section 6.1.2).
public struct ICECandidatePair: Sendable, Hashable {
    /// The local candidate.
    public var local: ICECandidate
    /// The remote candidate; its address is always an IP address.
    public var remote: ICECandidate
    /// The priority; both agents compute the same.
    public var priority: UInt64

    /// A pair with its priority.
    public init(local: ICECandidate, remote: ICECandidate, priority: UInt64) {
        self.local = local
        self.remote = remote
        self.priority = priority
    }

    /// The priority of a pair (RFC 8445 section 6.1.2.3).
    ///
    /// Candidates' priorities have 31 bits (RFC 8445 section 5.1.2); larger ones count as the largest of those.
    public static func priority(controlling: UInt32, controlled: UInt32) -> UInt64 {
        let ours = UInt64(min(controlling, 0x7FFF_FFFF))
        let theirs = UInt64(min(controlled, 0x7FFF_FFFF))
        return min(ours, theirs) << 32 + 2 * max(ours, theirs) + (ours > theirs ? 1 : 0)
    }
}

/// Where datagrams of a pair go: from a local base to a remote address.
public struct ICEPath: Sendable, Hashable {
    /// The local address datagrams are sent from and arrive at.
    public let base: TransportAddress
    /// The peer's address.
    public let remote: TransportAddress

    /// A path from its two ends.
    public init(base: TransportAddress, remote: TransportAddress) {
        self.base = base
        self.remote = remote
    }
}
